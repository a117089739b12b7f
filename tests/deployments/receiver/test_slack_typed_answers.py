"""What the buttons do can be typed after `/incident`, bound to the plan that its person has seen."""

import pytest

from runbook.approvals.gates import Choice
from runbook.approvals.identity import Identity, Proof
from runbook.decision.severity import Severity
from runbook.incidents.events import SeverityOverridden
from runbook.incidents.state import IncidentOutcome
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import answer_of
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, MALLORY, Chat, typed
from tests.deployments.sleeping_run import FakePrefect


def plan_of(kept: Store, incident: str) -> str:
    """The digest of the plan in question, as its message shows it."""
    gate = kept.read(incident).pending_gate
    assert gate is not None
    return gate.plan_digest[:12]


@pytest.mark.parametrize(
    ("verb", "more", "choice"),
    [
        ("approve", "", Choice.APPROVE),
        ("reject", " we fail over", Choice.REJECT),
        ("snooze", "", Choice.SNOOZE),
        ("edit", " memory=768Mi", Choice.EDIT),
    ],
)
def test_a_question_is_answered_by_a_command(
    verb: str, more: str, choice: Choice, chat: Chat, kept: Store, prefect: FakePrefect
) -> None:
    """It is proven, and wakes the run."""
    incident = opened(kept, *asking(MEMORY))
    told = typed(chat, ANA, text=f"{verb} {incident} {plan_of(kept, incident)}{more}", trigger_id=incident)
    assert told.status == 200
    assert "ana" in told.body["text"].lower()
    given = answer_of(kept.read(incident)).answer
    assert (given.choice, given.approver, given.channel) == (choice, "ana", "slack")
    assert given.identity == Identity(name=ANA, how=Proof.SLACK)
    chat.soon(lambda: prefect.forms)
    assert [form["decision"] for form in prefect.forms] == [choice.value]


def test_an_answer_to_another_plan_is_refused(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """Between reading and typing the plan may have changed."""
    incident = opened(kept, *asking(ROLL_BACK))
    told = typed(chat, ANA, text=f"approve {incident} 00000000", trigger_id=incident)
    assert "another plan by now" in told.body["text"]
    assert kept.read(incident).pending_gate is not None
    assert prefect.forms == []


def test_who_may_not_answer_is_told_so(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """The rules are those of the button."""
    chat.configure('[policy.approvals.high]\napprovers = ["bob"]\n')
    incident = opened(kept, *asking(ROLL_BACK))
    command = f"approve {incident} {plan_of(kept, incident)}"
    assert "may not approve" in typed(chat, ANA, text=command, trigger_id=incident).body["text"]
    assert "not among the logins" in typed(chat, MALLORY, text=command, trigger_id=incident).body["text"]
    assert kept.read(incident).pending_gate is not None
    assert prefect.forms == []


def test_a_second_answer_learns_what_stands(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """Whoever comes too late changes nothing."""
    incident = opened(kept, *asking(ROLL_BACK))
    plan = plan_of(kept, incident)
    typed(chat, ANA, text=f"approve {incident} {plan}", trigger_id="1.1")
    chat.soon(lambda: prefect.forms)
    told = typed(chat, ANA, text=f"reject {incident} {plan} no", trigger_id="1.2").body["text"]
    assert "no question is open" in told.lower()
    assert answer_of(kept.read(incident)).answer.choice is Choice.APPROVE


def test_the_severity_is_changed_once(chat: Chat, kept: Store) -> None:
    """With who said so and why."""
    incident = opened(kept, *asking(MEMORY))
    before = len(kept.read(incident).events(SeverityOverridden))
    for _ in range(2):
        typed(chat, ANA, text=f"severity {incident} p3 half of it works", trigger_id=incident)
    found = kept.read(incident)
    assert found.severity is not None
    assert (found.severity.severity, found.severity.by) == (Severity.P3, "ana")
    assert "half of it works" in found.severity.because
    assert len(found.events(SeverityOverridden)) == before + 1


def test_a_false_alarm_ends_the_incident(chat: Chat, kept: Store) -> None:
    """As its button does, with a reason."""
    incident = opened(kept, *asking(MEMORY))
    typed(chat, ANA, text=f"false-alarm {incident} a load test", trigger_id=incident)
    assert kept.read(incident).outcome is IncidentOutcome.FALSE_POSITIVE
