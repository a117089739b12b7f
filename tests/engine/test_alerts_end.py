"""What a run does when its alerts end or come back while it waits or watches."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from deployments.receiver.launch import PrefectResponses
from deployments.settings.settings import load_settings
from runbook.actions.catalogue import ActionOutcome
from runbook.alerts.alert import Alert
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.incidents.events import (
    AlertJoined,
    AlertsResolved,
    ApprovalAnswered,
    ApprovalRefused,
    ApprovalRequested,
    ApprovalWithdrawn,
    RecoveryChecked,
    WatchStarted,
)
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

YES = Answer(
    choice=Choice.APPROVE,
    approver="ana",
    channel="cli",
    identity=Identity(name="ana", how=Proof.OS_PEER),
)


async def send(response: Case, alert: Alert, status: str, *, minute: int) -> None:
    """Alertmanager says what became of the incident's alert, so many minutes after it began."""
    assert alert.starts_at is not None
    at = alert.starts_at + timedelta(minutes=minute)
    over = status == "resolved"
    sent = {
        "status": status,
        "labels": alert.labels,
        "startsAt": (alert.starts_at if over else at).isoformat(),
        "endsAt": at.isoformat() if over else "0001-01-01T00:00:00Z",
        "fingerprint": alert.fingerprint,
    }
    token = (response.folder / "secrets" / "alert-token").read_text().strip()
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            f"{response.receiver_url}/alerts/alertmanager",
            json={"version": "4", "alerts": [sent]},
            headers={"authorization": f"Bearer {token}"},
        )
    assert answer.status_code == 202, answer.text


async def test_the_end_of_the_alerts_withdraws_the_question_and_their_return_asks_again(
    engine: Engine, tmp_path: Path
) -> None:
    """The run watches without anybody's answer; when it fires again there is something left to decide."""
    async with case(engine, "posthog-outage", tmp_path, real_prometheus=False) as response:
        await response.alert()
        first = await response.gate()
        alert = (await response.read()).alert

        await send(response, alert, "resolved", minute=1)
        watching = await response.until(lambda it: it.last(RecoveryChecked) is not None)
        assert [event.gate for event in watching.events(ApprovalWithdrawn)] == [first.gate]
        assert watching.last(AlertsResolved) is not None
        assert watching.state is State.MONITORING
        assert not watching.resolved
        assert response.changes() == []

        await send(response, alert, "firing", minute=2)
        second = await response.gate(other_than=first.gate)
        assert second.action_id == first.action_id
        assert len((await response.read()).events(AlertJoined)) == 1

        await response.answer(YES)
        incident = await response.until(lambda it: len(it.events(WatchStarted)) == 2)
        assert incident.results[first.action_id].outcome is ActionOutcome.RECOVERED


SAID = (ApprovalRequested, ApprovalAnswered, ApprovalRefused, ApprovalWithdrawn)


async def test_waking_a_run_is_no_answer(engine: Engine, tmp_path: Path) -> None:
    """The alert fires again before the woken run looks: it sleeps on at the same question, asked as long ago.

    So no approval is taken back, and reminder and page come when they would have come.
    """
    async with case(engine, "posthog-outage", tmp_path, real_prometheus=False) as response:
        await response.alert()
        gate = await response.gate()
        before = await response.until_run(lambda state: state.is_paused())
        now = await response.read()
        over = now.journal[-1].model_copy(
            update={"seq": now.journal[-1].seq + 1, "event": AlertsResolved(alerts=1)}
        )
        outdated = Incident.from_events(now.id, (*now.journal, over))
        responses = PrefectResponses(response.store, load_settings(response.config))

        assert await responses.wake(outdated)

        await response.until_run(lambda state: state.is_paused() and state.id != before.id)
        told = await response.read()
        assert told.pending_gate == gate
        assert [item.event for item in told.journal if isinstance(item.event, SAID)] == [
            item.event for item in now.journal if isinstance(item.event, SAID)
        ]
        assert not await responses.wake(told)  # nothing is over: nobody is woken
        assert await response.fill_in(gate, decision="approve", approver="ana")
        ended = await response.until(lambda it: gate.action_id in it.results)
        assert ended.results[gate.action_id].approved_by == "ana"
        assert len(response.changes()) == 1
