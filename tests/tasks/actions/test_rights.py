"""An action's spec names the rights that it needs in the cluster: these suffice, and each is made use of."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from blocks.kubernetes.access.permissions import Permission, needed_permissions, permission_for
from deployments.drill.cluster import Rule
from deployments.drill.cluster.server.request_info import RequestInfo
from runbook.actions.catalogue import CATALOGUE
from runbook.actions.spec import SECRET as THE_SECRET
from runbook.actions.spec import WORKLOAD, ActionName
from tests.blocks.cluster_world import USER
from tests.tasks.approved_changes import made
from tests.tasks.changes import CHANGES, DEPLOYMENT, REPLACE_API_KEY, SECRET, KnownChange
from tests.tasks.mitigation_bench import Bench, mitigation_bench, save_replacement_key

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

TRIAGE = frozenset(needed_permissions("Deployment", DEPLOYMENT, SECRET)["triage"])
NAMED = {WORKLOAD: ("deployments", DEPLOYMENT), THE_SECRET: ("secrets", SECRET)}
REVIEW = Rule(("create",), ("authorization.k8s.io",), ("selfsubjectaccessreviews",))


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """A cluster with the integration in it."""
    block = await save_replacement_key()
    policy: dict[str, Any] = {"replacement_key_block": block, "success_deadline_seconds": 3}
    async with mitigation_bench(tmp_path, httpserver, **policy) as running:
        yield running


def rights_of(name: ActionName) -> frozenset[Permission]:
    """What the spec names, for this cluster."""
    return frozenset(
        permission_for(right.verb, *NAMED.get(right.resource, (right.resource,)))
        for right in CATALOGUE[name].rights
    )


def rules(permissions: Iterable[Permission]) -> list[Rule]:
    """Grant these."""
    return [
        Rule((each.verb,), (each.group,), (each.resource,), (each.name,) if each.name else ())
        for each in permissions
    ]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
async def test_a_change_needs_exactly_the_rights_of_its_spec(bench: Bench, change: KnownChange) -> None:
    """Beside those of triage. With them alone it is previewed, made and proved, and it asks for each."""
    needed = rights_of(change.name)
    bench.world.restrict(*rules(TRIAGE | needed), REVIEW)
    asked_before = len(bench.world.imitation.requests)

    await made(bench, change)

    asked = [each for each in bench.world.imitation.requests[asked_before:] if each.user == USER]
    assert [each for each in asked if each.status == 403] == []
    infos = [RequestInfo.of(each.method, each.path, each.query) for each in asked]
    used = {permission_for(info.verb, info.resource, info.name) for info in infos if info.resource}
    assert used - TRIAGE - {permission_for("create", "selfsubjectaccessreviews")} == needed


def test_only_the_key_needs_a_right_on_the_secret() -> None:
    """So an access level without it takes away no more than the actions about the key."""
    names = {
        name for name, spec in CATALOGUE.items() if any(right.resource == THE_SECRET for right in spec.rights)
    }
    assert names == {REPLACE_API_KEY.name, "verify_credentials"}
