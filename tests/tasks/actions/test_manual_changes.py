"""What people change by hand, after they have rejected the runbook's proposal, is seen and told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import ActionOutcome, ActionResult
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.approvals.gates import Answer, Choice, Instead
from runbook.decision.verdict import Verdict
from runbook.incidents.events import ActionFinished, DecisionMade, IncidentReopened, ManualChangeSeen
from runbook.incidents.state import State
from tasks.actions.manual_changes import note_manual_changes
from tests.runbook.journals import decision
from tests.tasks.changes import CHANGES
from tests.tasks.gitops import apply_now, manifest_of
from tests.tasks.mitigation_bench import Bench, mitigation_bench

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

SWITCH = {change.name: change for change in CHANGES}[ENABLE_FALLBACK.name]
BY_HAND = manifest_of({"name": "POSTHOG_FALLBACK", "value": "true"})
AGAIN = manifest_of({"name": "POSTHOG_FALLBACK", "value": "false"})


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer, engineless: object) -> AsyncIterator[Bench]:  # noqa: ARG001  Prefect keeps the key
    """A cluster with the integration in it."""
    async with mitigation_bench(tmp_path, httpserver) as running:
        yield running


async def decided(bench: Bench, outcome: ActionOutcome) -> None:
    """The fallback was proposed after the workload was made, and ended like this."""
    await asyncio.sleep(1.1)  # the API server's times are whole seconds
    await bench.incident.record_once(IncidentReopened(because="it fires again"))
    action = await SWITCH.planned(bench.world)
    planned = decision(Verdict.POSTHOG_OUTAGE, plan=(action,))
    await bench.incident.record_once(DecisionMade(round=2, decision=planned))
    result = ActionResult(action=action, outcome=outcome, detail="")
    await bench.incident.record_once(ActionFinished(result=result))


async def test_a_change_by_hand_after_a_rejection_is_told_with_who_made_it(bench: Bench) -> None:
    """Once, by the field manager's name and the API server's time; until then nothing is monitored."""
    await decided(bench, ActionOutcome.REJECTED)
    assert not await note_manual_changes(bench.incident)
    assert not (await bench.incident.read()).something_done
    await asyncio.sleep(1.1)
    apply_now(bench.world, BY_HAND, "kubectl")
    await bench.quiet()
    assert await note_manual_changes(bench.incident)
    assert not await note_manual_changes(bench.incident)
    journal = await bench.incident.read()
    [seen] = journal.events(ManualChangeSeen)
    assert seen.writing.by == "kubectl"
    assert seen.writing.at is not None
    assert seen.target == bench.incident.environment.cluster.target
    assert (journal.something_done, journal.state) == (True, State.IDENTIFIED)


async def test_beside_a_change_of_the_runbook_nobody_is_watched(bench: Bench) -> None:
    """What others do to that change is told as a revert, and the rest is their business."""
    await decided(bench, ActionOutcome.RECOVERED)
    apply_now(bench.world, BY_HAND, "kubectl")
    await bench.quiet()
    assert not await note_manual_changes(bench.incident)
    assert (await bench.incident.read()).events(ManualChangeSeen) == []


async def test_who_puts_a_change_back_has_done_nothing_about_the_incident(bench: Bench) -> None:
    """The revert is told as one; what is written after it is a change by hand."""
    await asyncio.sleep(1.1)
    await bench.incident.record_once(IncidentReopened(because="it fires again"))
    await asyncio.sleep(1.1)
    apply_now(bench.world, BY_HAND, "kustomize-controller")
    await bench.quiet()
    action = await SWITCH.planned(bench.world)
    await bench.incident.record_once(
        DecisionMade(round=2, decision=decision(Verdict.POSTHOG_OUTAGE, plan=(action,)))
    )
    result = ActionResult(action=action, outcome=ActionOutcome.REVERTED, detail="by Flux")
    await bench.incident.record_once(ActionFinished(result=result))
    assert not await note_manual_changes(bench.incident)
    await asyncio.sleep(1.1)
    apply_now(bench.world, AGAIN, "kustomize-controller")
    await bench.quiet()
    assert await note_manual_changes(bench.incident)


async def test_a_rejection_stands_where_the_person_has_changed_the_target_at_once(bench: Bench) -> None:
    """She is not asked again about what her own hands have changed, and nothing is previewed or sent."""
    action = await SWITCH.planned(bench.world)
    answer = Answer(choice=Choice.REJECT, approver="ana", reason="I do it", instead=Instead.BY_HAND)
    await bench.answer(action, answer)
    apply_now(bench.world, BY_HAND, "kubectl")
    await bench.quiet()
    before = len(bench.changing_requests())
    result = await bench.take(action)
    assert (result.outcome, result.detail, result.approved_by) == (ActionOutcome.REJECTED, "I do it", "ana")
    assert len(bench.changing_requests()) == before
