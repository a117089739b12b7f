"""A rehearsal and an incident of one service go their ways at the same time, on a real server and worker."""

from pathlib import Path

import pytest

from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.channels.wording import REHEARSAL
from runbook.incidents.events import RunStarted
from tasks.caretaking.runs import DEPLOYMENT
from tests.fixtures.cases import case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import eventually

SEEN = Identity(name="ana", how=Proof.OS_PEER)
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

FIRST = "1-enable-fallback"
YES = Answer(choice=Choice.APPROVE, approver="ana", channel="cli", identity=SEEN)


async def test_a_real_alert_during_a_rehearsal_gets_its_own_incident_and_run(
    engine: Engine, tmp_path: Path
) -> None:
    """Somebody rehearses, and it happens. The yes to the rehearsal changes nothing, the other one does."""
    policy = {"watch_limit_seconds": 3, "success_deadline_seconds": 10}
    async with case(engine, "posthog-outage", tmp_path, policy=policy, real_prometheus=False) as response:
        deployment = await response.client.read_deployment_by_name(DEPLOYMENT)
        by_hand = await response.client.create_flow_run_from_deployment(
            deployment.id, parameters={"environment": response.environment, "dry_run": True}
        )
        rehearsal = (await eventually(lambda: response.store.incidents(limit=1), bool))[0].id
        response.incident_id = rehearsal
        gate = await response.gate()
        assert gate.question.startswith(f"{REHEARSAL}. ")

        real = await response.alert()
        assert real != rehearsal
        assert not (await response.gate()).question.startswith(REHEARSAL)
        await response.answer(YES)
        incident = await response.until(lambda it: FIRST in it.results)
        assert incident.results[FIRST].outcome is ActionOutcome.RECOVERED
        assert incident.last(RunStarted) != (await response.store.read(rehearsal)).last(RunStarted)
        assert len(response.changes()) == 1

        response.incident_id = rehearsal
        await response.answer(YES)
        ended = await response.until(lambda it: FIRST in it.results or it.closed)
        assert all(
            result.outcome in (ActionOutcome.DRY_RUN, ActionOutcome.ALREADY_IN_PLACE)
            for result in ended.results.values()
        )
        assert {effect.kind for effect in ended.effects.values()} <= {"slack"}
        assert str(by_hand.id) == ended.events(RunStarted)[0].flow_run_id
        assert len(response.changes()) == 1
        response.incident_id = real
        await response.end()
        response.incident_id = rehearsal
