"""A change is made where it was approved and as it was, whatever was edited since; or it is not made."""

import copy
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer

from blocks.kubernetes.revisions import DEPLOYMENT_REVISION
from deployments.drill.cluster.server.auth import Rule
from runbook.actions.catalogue import ActionOutcome, PlannedAction, undo_of
from runbook.actions.spec import ActionName
from runbook.actions.specs.fallback import DISABLE_FALLBACK, ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.actions.specs.roll_back import ROLL_BACK as ROLL_BACK_SPEC
from runbook.actions.switch import Switch
from runbook.decision.plan import UNKNOWN_TARGET
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.events import EffectIntended
from tasks.caretaking.in_doubt import read_changes_in_doubt
from tasks.incident import OpenIncident
from tests.blocks.cluster_world import ClusterWorld, cluster_world
from tests.tasks.approved_changes import approved, made
from tests.tasks.changes import (
    CHANGES,
    DELETE_POD,
    DEPLOYMENT,
    KnownChange,
    container,
    variable,
)
from tests.tasks.mitigation_bench import (
    Bench,
    mitigation_bench,
    save_replacement_key,
    until,
)

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

KNOWN = {change.name: change for change in CHANGES}
FALLBACK, ROLL_BACK = KNOWN[ENABLE_FALLBACK.name], KNOWN[ROLL_BACK_SPEC.name]


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer, engineless: object) -> AsyncIterator[Bench]:  # noqa: ARG001  Prefect keeps the key
    """A cluster with the integration in it, and a replacement for its key."""
    block = await save_replacement_key()
    async with mitigation_bench(tmp_path, httpserver, replacement_key_block=block) as running:
        yield running


@pytest.fixture
async def elsewhere() -> AsyncIterator[ClusterWorld]:
    """Another cluster with the same integration in it, to the letter."""
    async with cluster_world() as world:
        yield world


Edit = Callable[[Bench, ClusterWorld], Awaitable[OpenIncident]]


def reconfigured(bench: Bench, **blocks: Any) -> OpenIncident:
    """The incident with other blocks, as a process finds it that starts now."""
    environment = dataclasses.replace(bench.incident.environment, **blocks)
    return dataclasses.replace(bench.incident, environment=environment)


def cluster(**settings: Any) -> Edit:
    """Somebody edits the Cluster block."""

    async def edit(bench: Bench, _elsewhere: ClusterWorld) -> OpenIncident:
        block = bench.world.block_with(**{"container": "app", **settings})
        return reconfigured(bench, cluster=block)

    return edit


async def another_cluster(bench: Bench, elsewhere: ClusterWorld) -> OpenIncident:
    """The Cluster block leads to a cluster that looks the same."""
    return reconfigured(bench, cluster=elsewhere.block_with(container="app"))


async def another_workload(bench: Bench, _elsewhere: ClusterWorld) -> OpenIncident:
    """Somebody has deleted the workload and made it anew, to the letter."""
    world = bench.world.imitation
    live = world.get("Deployment", DEPLOYMENT)
    world.grant("admin", "adm1n", [Rule(verbs=("delete",), resources=("deployments",), groups=("apps",))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=world.app), base_url="http://x") as admin:
        path = f"/apis/apps/v1/namespaces/default/deployments/{DEPLOYMENT}"
        deleted = await admin.delete(path, headers={"Authorization": "Bearer adm1n"})
    assert deleted.status_code == httpx.codes.OK, deleted.text
    await until(lambda: not world.objects("ReplicaSet"), "its pods are gone, too")
    kept = {name: live["metadata"][name] for name in ("name", "labels", "annotations")}
    world.apply({"kind": "Deployment", "metadata": kept, "spec": live["spec"]})
    assert world.get("Deployment", DEPLOYMENT)["metadata"]["uid"] != live["metadata"]["uid"]
    return bench.incident


def policy(**edited: Any) -> Edit:
    """Somebody edits the policy."""

    async def edit(bench: Bench, _elsewhere: ClusterWorld) -> OpenIncident:
        known = bench.incident.environment.runbook_policy
        present = known.model_copy(update={"policy": known.policy.model_copy(update=edited)})
        return reconfigured(bench, runbook_policy=present)

    return edit


async def another_template(bench: Bench, _elsewhere: ClusterWorld) -> OpenIncident:
    """Somebody rewrites what the earlier revision holds; its mark stays the same."""
    older = [
        item["metadata"]["name"]
        for item in bench.world.imitation.objects("ReplicaSet")
        if item["metadata"]["annotations"][DEPLOYMENT_REVISION] == "1"
    ]
    containers = [{"name": "app", "image": "registry.example/integration:evil"}]
    spec = {"template": {"spec": {"containers": containers}}}
    bench.world.imitation.apply({"kind": "ReplicaSet", "metadata": {"name": older[0]}, "spec": spec})
    return bench.incident


@dataclass(frozen=True)
class Edited:
    """An edit after the yes, and the changes that it would mislead."""

    name: str
    edit: Edit
    changes: tuple[ActionName, ...] = tuple(KNOWN)


EVERYWHERE = (
    Edited("another cluster", another_cluster),
    Edited("another namespace", cluster(namespace="other")),
    Edited("another name", cluster(workload_name="other")),
    Edited("another kind", cluster(workload_kind="StatefulSet")),
    Edited("another selector", cluster(selector="app=other")),
    Edited(
        "made anew",
        another_workload,
        (ENABLE_FALLBACK.name, REPLACE_API_KEY.name, RESTART_DEPLOYMENT.name),
    ),
    Edited("another Secret", cluster(secret_name="other"), (REPLACE_API_KEY.name,)),
    Edited("another key of it", cluster(secret_key="other"), (REPLACE_API_KEY.name,)),
    Edited("another template", another_template, (ROLL_BACK_SPEC.name,)),
)
SLOW = {"another namespace", "another name", "another kind", "another selector"}
CASES = [
    pytest.param(
        KNOWN[name],
        case,
        id=f"{name}: {case.name}",
        marks=[pytest.mark.slow] if case.name in SLOW and name != ENABLE_FALLBACK.name else [],
    )
    for case in EVERYWHERE
    for name in case.changes
]


@pytest.mark.parametrize(("change", "case"), CASES)
async def test_a_change_is_made_where_it_was_approved_or_nowhere(
    bench: Bench, elsewhere: ClusterWorld, change: KnownChange, case: Edited
) -> None:
    """The configuration or the target is another by then: it is a conflict, and nothing is sent."""
    action, plan, decision = await approved(bench, change)
    sent = len(elsewhere.imitation.requests)
    bench.incident = await case.edit(bench, elsewhere)

    assert await bench.make(plan, decision) is None

    assert bench.writes() == []
    assert not [r for r in elsewhere.imitation.requests[sent:] if r.method != "GET"]
    (settled,) = (await bench.effects(action)).values()
    assert settled is EffectOutcome.FAILED


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        (ENABLE_FALLBACK.name, policy(fallback_switch=Switch(variable="EVIL", value="1"))),
        (ENABLE_FALLBACK.name, policy(fallback_switch=Switch(variable="POSTHOG_FALLBACK", value="rm"))),
        (ENABLE_FALLBACK.name, cluster(container="proxy")),
        (RAISE_MEMORY_LIMIT.name, cluster(container="proxy")),
        (REPLACE_API_KEY.name, policy(replacement_key_block="another")),
    ],
    ids=["another variable", "another value", "another container", "container of a limit", "another block"],
)
@pytest.mark.parametrize("undone", [False, True], ids=["made", "undone"])
async def test_what_is_set_is_what_was_approved(
    bench: Bench, elsewhere: ClusterWorld, name: ActionName, edit: Edit, undone: bool
) -> None:
    """The plan has the field and the value, for the change and for its undo."""
    change = KNOWN[name]
    before = container(bench.world)
    proxy = copy.deepcopy(bench.world.imitation.get("Deployment", DEPLOYMENT))
    action, plan, decision = await approved(bench, change)
    if undone:
        await bench.make(plan, decision)
        await bench.quiet()
    bench.incident = await edit(bench, elsewhere)
    if undone:
        undo = undo_of(action)
        result = await bench.make(await bench.preview(undo), await bench.approve(undo))
    else:
        result = await bench.make(plan, decision)

    assert result is not None
    assert result.outcome is (ActionOutcome.DONE if undone else ActionOutcome.RECOVERED), result.detail
    assert change.shows(bench.world) == (change.before if undone else change.after)
    assert variable("EVIL")(bench.world) is None
    others = bench.world.imitation.get("Deployment", DEPLOYMENT)["spec"]["template"]["spec"]["containers"][1:]
    assert others == proxy["spec"]["template"]["spec"]["containers"][1:]
    assert not undone or name == REPLACE_API_KEY.name or container(bench.world) == before


async def test_a_switch_is_taken_off_where_it_was_turned_on(bench: Bench) -> None:
    """By then another container is configured: its variable is not set, which would pass for off."""
    await made(bench, FALLBACK)
    bench.incident = reconfigured(bench, cluster=bench.world.block_with(container="proxy"))
    removal = PlannedAction(
        id="1-enable-fallback-off",
        name=DISABLE_FALLBACK.name,
        target=f"default/deployment/{DEPLOYMENT}",
        because="over",
    )
    result = await bench.make(await bench.preview(removal), await bench.approve(removal))
    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED
    assert variable("POSTHOG_FALLBACK")(bench.world) == "false"


async def test_a_change_for_another_workload_than_the_configured_one_is_not_possible(bench: Bench) -> None:
    """Triage saw one, and the configuration names another by now: nobody is asked about that."""
    bench.incident = reconfigured(bench, cluster=bench.world.block_with(container="app", namespace="other"))
    action = await FALLBACK.planned(bench.world)
    plan = await bench.preview(action)
    assert plan.blocked == (
        f"it is planned for {action.target}, "
        f"but the configuration has changed to other/deployment/{DEPLOYMENT}"
    )


async def test_a_workload_that_triage_could_not_name_is_held_by_its_name(bench: Bench) -> None:
    """Two incidents change it one after the other, also where one of them has no name for it."""
    action = (await FALLBACK.planned(bench.world)).model_copy(update={"target": UNKNOWN_TARGET})
    result = await bench.make(await bench.preview(action), await bench.approve(action))
    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    store = bench.incident.environment.store
    assert await store.lease_end(f"default/deployment/{DEPLOYMENT}") is not None
    assert await store.lease_end(UNKNOWN_TARGET) is None


async def test_a_change_in_doubt_is_not_looked_for_in_another_cluster(
    bench: Bench, elsewhere: ClusterWorld
) -> None:
    """A pod that is not there is a pod that was deleted, but not in a cluster that never had it."""
    action, plan, decision = await approved(bench, DELETE_POD)
    await bench.incident.record(
        EffectIntended(
            effect=Effect(
                id=f"{bench.incident.id}/{action.id}/delete",
                kind="kubernetes",
                target="x",
                summary="x",
                authority=Authority.approval(decision.gate, "ada"),
            )
        )
    )
    bench.incident = await another_cluster(bench, elsewhere)
    await read_changes_in_doubt(bench.incident)
    assert await bench.effects(action) == {"delete": None}
    result = await bench.make(plan, decision)
    assert result is not None
    assert result.outcome is ActionOutcome.UNKNOWN
    assert "cluster has changed since the approval" in result.detail
