"""An answer while nothing is asked: the question may be on its way back, or the incident is over."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.services import answering
from runbook.approvals.gates import Answer, Choice
from runbook.incidents import events as e
from runbook.incidents.events import ApprovalAnswered
from tests.deployments.cli.test_gates import MEMORY, asking, question, seen
from tests.deployments.cli_store import Store
from tests.deployments.sleeping_run import FakePrefect

Capture = pytest.CaptureFixture[str]

SNOOZED = ApprovalAnswered(
    gate=question(MEMORY, 1).gate,
    action_id=MEMORY.action.id,
    plan_digest=MEMORY.digest,
    answer=Answer(choice=Choice.SNOOZE, approver="ana", channel="cli", snooze_minutes=15),
)


@pytest.mark.parametrize(
    ("arguments", "choice"),
    [
        (["edit", "latest", "memory=1Gi"], Choice.EDIT),
        (["approve", "latest", *seen(MEMORY)], Choice.APPROVE),
        (["snooze", "latest"], Choice.SNOOZE),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_an_answer_right_after_a_snooze_waits_for_the_question(
    arguments: list[str], choice: Choice, store: Store, prefect: FakePrefect
) -> None:
    """The run starts from the top before it asks again, which takes it a moment."""
    prefect.state = "RUNNING"
    incident_id = store.open("0001", (*asking(MEMORY), SNOOZED))

    def asks_again() -> None:
        time.sleep(1)
        prefect.state = "PAUSED"
        store.append(incident_id, question(MEMORY, 2), key="ask:2")

    with ThreadPoolExecutor() as run:
        asked = run.submit(asks_again)
        assert main([*arguments, "--by", "bob"]) == ExitCode.OK
        asked.result()
    standing = store.read(incident_id).last(ApprovalAnswered)
    assert standing is not None
    assert (standing.gate, standing.answer.choice) == (question(MEMORY, 2).gate, choice)
    assert len(prefect.forms) == 1


def test_a_run_that_does_not_ask_again_is_not_waited_for_long(
    store: Store, prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """It may be about to end: then there is nothing to answer."""
    monkeypatch.setattr(answering, "ASKING_SECONDS", 0.3)
    prefect.state = "RUNNING"
    incident_id = store.open("0001", (*asking(MEMORY), SNOOZED))
    assert main(["edit", "latest", "memory=1Gi"]) == ExitCode.NOTHING
    assert f"{incident_id} has no open question: ana snoozed" in capsys.readouterr().err
    assert prefect.forms == []


@pytest.mark.parametrize(
    "arguments",
    [["reject", "latest", "--reason", "x"], ["approve", "latest"], ["snooze", "latest"]],
    ids=lambda arguments: arguments[0],
)
def test_a_closed_incident_is_said_to_be_closed(
    arguments: list[str], store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """That it asks nothing would leave open whether it will."""
    ended = (e.IncidentResolved(outcome="recovered", because=()), e.IncidentClosed(outcome="recovered"))
    incident_id = store.open("0001", (*asking(MEMORY), *ended))
    assert main(arguments) == ExitCode.NOTHING
    assert f"error: {incident_id} is closed; see `runbook incident" in capsys.readouterr().err
    assert prefect.forms == []
