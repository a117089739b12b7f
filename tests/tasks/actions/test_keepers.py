"""The team learns beforehand who may put a change back, and gets its field back with the switch."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from deployments.drill.cluster.server.errors import ApiError
from runbook.actions.catalogue import TEMPORARY_SWITCHES, ActionOutcome, PlannedAction, undo_of
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.report import gate_question
from tests.tasks.approved_changes import made
from tests.tasks.changes import CHANGES, DEPLOYMENT, SECRET, template
from tests.tasks.gitops import FLUX, apply_now, manifest_of
from tests.tasks.mitigation_bench import Bench, mitigation_bench, save_replacement_key

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

KNOWN = {change.name: change for change in CHANGES}
SWITCH = KNOWN[ENABLE_REQUEST_QUEUE.name]
DIRECT = manifest_of({"name": "RATE_LIMIT_MODE", "value": "direct"})
DROP = manifest_of({"name": "RATE_LIMIT_MODE", "value": "drop"})


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer, engineless: object) -> AsyncIterator[Bench]:  # noqa: ARG001  Prefect keeps the key
    """A cluster with the integration in it, and a replacement for its key."""
    block = await save_replacement_key()
    async with mitigation_bench(
        tmp_path, httpserver, replacement_key_block=block, success_deadline_seconds=3
    ) as running:
        yield running


def apply_unforced(bench: Bench, manifest: dict[str, object]) -> None:
    """`kubectl apply --server-side` by the team. Raises ApiError 409 for a conflict."""
    bench.world.imitation.apply_server_side(manifest, manager="kubectl", force=False)


async def taken_back(bench: Bench, back: PlannedAction) -> dict[str, EffectOutcome | None]:
    """The change is taken back with a yes of its own; how its requests ended."""
    result = await bench.make(await bench.preview(back), await bench.approve(back))
    assert result is not None
    assert result.outcome in (ActionOutcome.DONE, ActionOutcome.RECOVERED), result.detail
    return await bench.effects(back)


@pytest.mark.parametrize("way", ["off", "undo"])
async def test_a_field_that_is_put_back_is_its_owners_again(bench: Bench, way: str) -> None:
    """While the switch is on their apply conflicts, as they were told; afterwards none does."""
    apply_now(bench.world, DIRECT, "kubectl")
    await bench.quiet()
    plan = await bench.preview(await SWITCH.planned(bench.world))
    assert any("its next apply conflicts with posthog-incident-runbook" in line for line in plan.affects)

    action = await made(bench, SWITCH)
    with pytest.raises(ApiError, match='conflict with "posthog-incident-runbook"'):
        apply_unforced(bench, DIRECT)
    removal = action.model_copy(
        update={"id": f"{action.id}-off", "name": TEMPORARY_SWITCHES[ENABLE_REQUEST_QUEUE.name]}
    )
    back = undo_of(action) if way == "undo" else removal
    assert not any("conflicts" in line for line in (await bench.preview(back)).affects)
    effects = await taken_back(bench, back)

    assert effects == {"set-field": EffectOutcome.APPLIED, "give-back": EffectOutcome.APPLIED}
    assert SWITCH.shows(bench.world) == "direct"
    apply_unforced(bench, DROP)
    assert SWITCH.shows(bench.world) == "drop"
    apply_unforced(bench, manifest_of())
    assert SWITCH.shows(bench.world) is None


async def test_giving_a_field_back_restarts_nothing(bench: Bench) -> None:
    """It is a request about the object's metadata alone."""
    apply_now(bench.world, DIRECT, "kubectl")
    await bench.quiet()
    before = template(bench.world)
    action = await made(bench, SWITCH)
    changed = bench.world.imitation.get("Deployment", DEPLOYMENT)["metadata"]["generation"]
    await taken_back(bench, undo_of(action))
    live = bench.world.imitation.get("Deployment", DEPLOYMENT)
    assert live["metadata"]["generation"] == changed + 1
    assert live["spec"]["template"] == before


async def test_the_gate_says_who_may_put_a_change_back_and_how_to_keep_it(bench: Bench) -> None:
    """Who applies the object, that it may be put back, and the change as a patch for Git."""
    apply_now(bench.world, DIRECT, FLUX)
    await bench.quiet()
    plan = await bench.preview(await SWITCH.planned(bench.world))

    assert plan.affects[0] == (
        "Flux (kustomize-controller) applies this object and may revert the change at any time: "
        "change it in Git, too"
    )
    question = gate_question(plan, "", (), "")
    assert "Flux" in question
    assert "may revert the change" in question
    assert "**In Git:**" in question
    assert "value: queue" in question.partition("**In Git:**")[2]


async def test_a_cluster_that_nobody_applies_to_warns_of_nothing(bench: Bench) -> None:
    """No patch for Git where there is no Git."""
    plan = await bench.preview(await SWITCH.planned(bench.world))
    assert plan.in_git == ""
    assert not any("put the change back" in line for line in plan.affects)


async def test_a_secret_that_an_operator_writes_is_foretold(bench: Bench) -> None:
    """The new key would be gone with its next refresh."""
    owner = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "name": "posthog",
        "uid": "7",
        "controller": True,
    }
    bench.world.imitation.apply(
        {"kind": "Secret", "metadata": {"name": SECRET, "ownerReferences": [owner]}},
        manager="external-secrets",
    )
    plan = await bench.preview(await KNOWN[REPLACE_API_KEY.name].planned(bench.world))
    assert (
        "External Secrets (ExternalSecret posthog) applies this object and may revert the change "
        "at any time: change it in its store, too"
    ) in plan.affects
