"""A change that somebody puts back proves nothing, is told, and is not repeated."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prefect.context import AsyncClientContext
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import ActionOutcome, PlannedAction, undo_of
from runbook.actions.spec import ActionName
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.actions.specs.scale import SCALE
from runbook.decision.verdict import Verdict
from runbook.incidents.events import ChangeReverted
from runbook.incidents.loose_ends import switches_left_on
from tasks.actions.reverts import note_reverts
from tasks.checks.watch import watch_until_recovered
from tests.blocks.cluster_world import KEY
from tests.runbook.journals import decision as decided_for
from tests.tasks.approved_changes import approved, made
from tests.tasks.changes import CHANGES, FALLBACK, SECRET, administer, respecify
from tests.tasks.gitops import FLUX, applied_by, apply_now, manifest_of
from tests.tasks.mitigation_bench import Bench, mitigation_bench, save_replacement_key, until

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

KNOWN = {change.name: change for change in CHANGES}
SWITCH = KNOWN[ENABLE_FALLBACK.name]
OFF = {"name": "POSTHOG_FALLBACK", "value": "false"}
IN_GIT = manifest_of(OFF)


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer, engineless: object) -> AsyncIterator[Bench]:  # noqa: ARG001  Prefect keeps the key
    """A cluster with the integration in it; success has to hold for a while."""
    block = await save_replacement_key()
    async with mitigation_bench(
        tmp_path,
        httpserver,
        replacement_key_block=block,
        hold_seconds=1,
        success_deadline_seconds=5,
        settle_seconds=0.5,
    ) as running:
        yield running


async def finished(bench: Bench, action: PlannedAction, plan: Any, yes: Any) -> Any:
    """The result of an approved change."""
    result = await bench.make(plan, yes)
    assert result is not None
    assert result.action == action
    return result


@pytest.mark.parametrize("mood", ["well", "ill", "silent"])
async def test_a_change_that_is_put_back_at_once_is_reverted_whatever_the_errors_do(
    bench: Bench, mood: Any
) -> None:
    """It neither helped nor failed to: nobody undoes it, nobody takes it off, and who did it is named."""
    apply_now(bench.world, IN_GIT)
    action, plan, yes = await approved(bench, SWITCH)
    bench.signals.mood = mood
    async with applied_by(bench.world, IN_GIT):
        result = await finished(bench, action, plan, yes)
    sent = len(bench.writes())
    again = await bench.take(action)

    assert result.outcome is ActionOutcome.REVERTED
    assert "reverted by Flux (kustomize-controller) at " in result.detail
    assert "env POSTHOG_FALLBACK of app is false again, and was true" in result.detail
    assert again == result
    assert len(bench.writes()) == sent == 1
    assert switches_left_on(await bench.incident.read()) == ()
    assert undo_of(action).id not in (await bench.incident.read()).results
    (told,) = await bench.escalations()
    assert "Enable the fallback (graceful degradation): reverted" in told
    assert "Undone" not in told


async def test_a_change_that_is_put_back_within_the_hold_window_is_reverted(bench: Bench) -> None:
    """The errors have ended and would stay away for the whole window: not by this change."""
    _, plan, yes = await approved(bench, SWITCH)
    making = asyncio.create_task(bench.make(plan, yes))
    await until(lambda: FALLBACK(bench.world) == "true", "the change is made")
    await bench.world.until("complete")
    await asyncio.sleep(0.3)
    administer(bench.world, env=[OFF])
    result = await making

    assert result is not None
    assert result.outcome is ActionOutcome.REVERTED, result.detail
    assert "reverted by kubectl (kubectl-patch) at " in result.detail


@pytest.mark.parametrize(
    ("name", "others", "why"),
    [
        (
            ENABLE_REQUEST_QUEUE.name,
            {"env": [{"name": "RATE_LIMIT_MODE", "$patch": "delete"}]},
            "not set",
        ),
        (RAISE_MEMORY_LIMIT.name, {"resources": {"limits": {"memory": "256Mi"}}}, "is 256Mi again"),
        (ROLL_BACK.name, {"image": "registry.example/integration:2"}, "replaced revision is back"),
    ],
)
async def test_whatever_is_put_back_after_the_proof_calls_a_person(
    bench: Bench, name: ActionName, others: dict[str, Any], why: str
) -> None:
    """Each field is read again while the incident is watched: once told, it is not told again."""
    action = await made(bench, KNOWN[name])
    async with AsyncClientContext.get_or_create():
        await note_reverts(bench.incident)
        assert await bench.escalations() == []
        administer(bench.world, **others)
        await bench.quiet()
        await note_reverts(bench.incident)
        await note_reverts(bench.incident)

    (event,) = (await bench.incident.read()).events(ChangeReverted)
    assert event.action_id == action.id
    assert why in str(event.reversal)
    (told,) = await bench.escalations()
    assert why in told


async def test_a_key_that_an_operator_puts_back_is_reverted(bench: Bench) -> None:
    """External Secrets writes the Secret again at its next refresh."""
    data = {"api-key": base64.b64encode(KEY.encode()).decode()}
    change = KNOWN[REPLACE_API_KEY.name]
    action, plan, yes = await approved(bench, change)
    making = asyncio.create_task(bench.make(plan, yes))
    await until(lambda: change.shows(bench.world) != KEY, "the change is made")
    written = {"kind": "Secret", "metadata": {"name": SECRET}, "data": data}
    bench.world.imitation.apply(written, manager="external-secrets")
    result = await making

    assert result is not None
    assert result.action == action
    assert result.outcome is ActionOutcome.REVERTED, result.detail
    assert "reverted by External Secrets (external-secrets) at " in result.detail
    assert "api-key in Secret posthog-secrets is the replaced key again" in result.detail


async def test_a_number_of_pods_that_is_scaled_further_is_not_reverted(bench: Bench) -> None:
    """An autoscaler goes on from there; only the old number is a reversal."""
    action = await made(bench, KNOWN[SCALE.name])
    async with AsyncClientContext.get_or_create():
        respecify(bench.world, replicas=5)
        await note_reverts(bench.incident)
        assert (await bench.incident.read()).events(ChangeReverted) == []
        respecify(bench.world, replicas=2)
        await note_reverts(bench.incident)
    (event,) = (await bench.incident.read()).events(ChangeReverted)
    assert event.action_id == action.id


async def test_a_newer_release_in_the_place_of_a_roll_back_calls_nobody(bench: Bench) -> None:
    """Somebody is at work already: it stands in the journal, and is no reversal."""
    await made(bench, KNOWN[ROLL_BACK.name])
    administer(bench.world, image="registry.example/integration:3")
    async with AsyncClientContext.get_or_create():
        await note_reverts(bench.incident)
    (event,) = (await bench.incident.read()).events(ChangeReverted)
    assert not event.reversal.put_back
    assert "integration:3" in event.reversal.detail
    assert await bench.escalations() == []


async def test_what_the_runbook_itself_takes_back_is_no_reversal(bench: Bench) -> None:
    """Its own undo puts the field back, too."""
    action = await made(bench, SWITCH)
    undo = undo_of(action)
    await bench.make(await bench.preview(undo), await bench.approve(undo))
    async with AsyncClientContext.get_or_create():
        await note_reverts(bench.incident)
    assert (await bench.incident.read()).events(ChangeReverted) == []


async def test_the_watch_reads_again_what_was_changed(bench: Bench) -> None:
    """A reversal after a proved recovery is told before the incident ends."""
    apply_now(bench.world, IN_GIT)
    action = await made(bench, SWITCH)
    apply_now(bench.world, IN_GIT)
    await bench.quiet()
    decision = decided_for(Verdict.INFRASTRUCTURE_ISSUE, plan=(action,))
    async with AsyncClientContext.get_or_create(), asyncio.timeout(20):
        await watch_until_recovered(bench.incident, decision)

    (told,) = await bench.escalations()
    assert f"reverted by Flux ({FLUX}) at " in told
    assert switches_left_on(await bench.incident.read()) == ()
