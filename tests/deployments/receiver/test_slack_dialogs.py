"""What is filled in in Slack's dialogs, and what is refused at its fields."""

import pytest

from runbook.approvals.gates import Choice, Instead
from runbook.approvals.identity import Identity, Proof
from runbook.channels.buttons import Button, ButtonKind
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.interactions.modals import Context
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import answer_of, send
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, BOB, KEYS, Chat
from tests.deployments.sleeping_run import FakePrefect

BY_SLACK = Identity(name=ANA, how=Proof.SLACK)


def test_a_rejection_says_why_and_what_instead(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """The dialog shows the question; the message shows the answer afterwards, with what it showed before."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.REJECT)
    assert chat.click(ANA, ButtonKind.REJECT, message).status == 200
    assert "Shall it" not in chat.dialog(ANA)["blocks"][0]["text"]["text"]
    assert "deployment/x" in chat.dialog(ANA)["blocks"][0]["text"]["text"]
    answered = chat.submit(ANA, reason="not <!channel> now", instead="nothing")
    assert (answered.status, answered.body) == (200, None)
    given = answer_of(kept.read(incident)).answer
    assert (given.choice, given.approver, given.identity) == (Choice.REJECT, "ana", BY_SLACK)
    assert (given.instead, given.snooze_minutes, given.reason) == (Instead.NOTHING, 60, "not <!channel> now")
    assert "ana rejected at" in chat.shown(message)
    assert "<!channel>" not in chat.shown(message)
    assert message["blocks"][0]["text"]["text"] == "Shall it?"
    chat.soon(lambda: prefect.forms)
    assert prefect.forms[0]["instead"] == "nothing"


def test_a_rejection_without_a_reason_is_refused_at_that_field(chat: Chat, kept: Store) -> None:
    """The dialog stays, and nothing is written."""
    incident = opened(kept, *asking(ROLL_BACK))
    chat.click(ANA, ButtonKind.REJECT, chat.post(kept.read(incident), ButtonKind.REJECT))
    chat.dialog(ANA)
    before = kept.read(incident)
    answered = chat.submit(ANA, reason="  ")
    assert answered.status == 200
    assert answered.body["response_action"] == "errors"
    assert [*answered.body["errors"]] == ["reason"]
    assert ANA in chat.workspace.people.dialogs
    assert kept.read(incident) == before


def test_an_edit_shows_the_present_value_and_its_bounds(
    chat: Chat, kept: Store, prefect: FakePrefect
) -> None:
    """A value out of bounds and one that was not changed are refused there."""
    incident = opened(kept, *asking(MEMORY))
    message = chat.post(kept.read(incident), ButtonKind.EDIT)
    chat.click(ANA, ButtonKind.EDIT, message)
    field = chat.dialog(ANA)["blocks"][1]
    assert field["element"]["initial_value"] == "512Mi"
    assert "at most" in field["hint"]["text"]
    before = kept.read(incident)
    for value, why in (("900Ti", "above the ceiling"), ("512Mi", "approve the change as it is"), ("x", "")):
        refused = chat.submit(ANA, parameter__memory=value)
        assert [*refused.body["errors"]] == ["parameter:memory"]
        assert why in refused.body["errors"]["parameter:memory"]
    assert kept.read(incident) == before
    assert chat.submit(ANA, parameter__memory="1024Mi").body is None
    given = answer_of(kept.read(incident)).answer
    assert (given.choice, given.parameters, given.channel) == (Choice.EDIT, {"memory": "1Gi"}, "slack")
    assert "memory = 1Gi" in chat.shown(message)
    chat.soon(lambda: prefect.forms)


def test_a_question_that_was_answered_meanwhile_is_told_in_the_dialog(
    chat: Chat, kept: Store, prefect: FakePrefect
) -> None:
    """Whoever filled it in reads who was first."""
    incident = opened(kept, *asking(ROLL_BACK))
    chat.click(ANA, ButtonKind.REJECT, chat.post(kept.read(incident), ButtonKind.REJECT))
    chat.dialog(ANA)
    seen = {"decision": "approve", "plan": ROLL_BACK.digest}
    assert send(chat.receiver, incident, "answers", seen, whose="bob").status_code == 200
    refused = chat.submit(ANA, reason="too late")
    assert "bob approved at" in refused.body["errors"]["reason"]
    assert answer_of(kept.read(incident)).answer.approver == "bob"
    assert len(prefect.forms) == 1


def test_the_dialog_of_a_question_that_is_not_open_does_not_open(chat: Chat, kept: Store) -> None:
    """Its person is told why."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.REJECT)
    kept.append(
        incident, e.ApprovalWithdrawn(gate="2-roll_back-1", action_id="2-roll_back", because="x"), key="w"
    )
    assert chat.click(ANA, ButtonKind.REJECT, message).status == 200
    assert "withdrawn at" in chat.told(ANA)
    assert chat.workspace.people.dialogs == {}


def test_a_severity_is_set_with_its_reason(chat: Chat, kept: Store) -> None:
    """The same dialog sent twice is one word; what came in between stands."""
    incident = opened(kept, *asking(MEMORY))
    message = chat.post(kept.read(incident), ButtonKind.SEVERITY)
    chat.click(ANA, ButtonKind.SEVERITY, message)
    sent = chat.workspace.people.submitted(ANA, chat.dialog(ANA), {"severity": "P1", "reason": "all down"})
    assert chat.send(sent).body is None
    chat.click(BOB, ButtonKind.SEVERITY, message)
    chat.dialog(BOB)
    assert chat.submit(BOB, severity="P3", reason="one customer").body is None
    assert chat.send(sent).body is None
    told = kept.read(incident)
    said, then = told.events(e.SeverityOverridden)[-2:]
    assert (said.assessment.severity, then.assessment.severity) == (Severity.P1, Severity.P3)
    assert (said.assessment.by, said.assessment.because, said.identity) == ("ana", "all down", BY_SLACK)


def test_a_note_is_written_once(chat: Chat, kept: Store) -> None:
    """A time that cannot be read is refused at its own field."""
    incident = opened(kept, *asking(MEMORY))
    chat.click(ANA, ButtonKind.NOTE, chat.post(kept.read(incident), ButtonKind.NOTE))
    chat.dialog(ANA)
    assert [*chat.submit(ANA, note="").body["errors"]] == ["note"]
    assert [*chat.submit(ANA, note="called them", at="teatime").body["errors"]] == ["at"]
    sent = chat.workspace.people.submitted(ANA, chat.dialog(ANA), {"note": "called them"})
    assert chat.send(sent).body is None
    chat.told(ANA)
    assert chat.send(sent).body is None
    notes = kept.read(incident).events(e.NoteAdded)
    assert [(note.by, note.text, note.identity) for note in notes] == [("ana", "called them", BY_SLACK)]
    assert "it was so already" in chat.told(ANA, 2).lower()


def test_a_false_alarm_ends_the_incident(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """As a false positive, for a reason."""
    incident = opened(kept, *asking(MEMORY))
    chat.click(ANA, ButtonKind.FALSE_ALARM, chat.post(kept.read(incident), ButtonKind.FALSE_ALARM))
    chat.dialog(ANA)
    assert [*chat.submit(ANA).body["errors"]] == ["reason"]
    assert chat.submit(ANA, reason="a test alert").status == 200
    ended = kept.read(incident).last(e.IncidentResolved)
    assert ended is not None
    assert (ended.outcome, ended.because, ended.by) == ("false_positive", ("a test alert",), "ana")
    assert prefect.url


def test_an_update_is_asked_for_once_until_the_channel_was_told(chat: Chat, kept: Store) -> None:
    """A second click asks for nothing more, whoever clicks."""
    incident = opened(kept, *asking(MEMORY))
    message = chat.post(kept.read(incident), ButtonKind.UPDATE)
    chat.click(BOB, ButtonKind.UPDATE, message)
    assert "asked for an update" in chat.told(BOB)
    chat.click(ANA, ButtonKind.UPDATE, message)
    assert "it was so already" in chat.told(ANA).lower()
    [asked] = kept.read(incident).events(e.UpdateRequested)
    assert asked.by == "bob"


def test_who_may_not_act_is_told_at_the_field(chat: Chat, kept: Store) -> None:
    """`[policy.acts]` holds here as everywhere."""
    chat.configure('[policy.acts]\napprovers = ["bob"]\n')
    incident = opened(kept, *asking(MEMORY))
    chat.click(ANA, ButtonKind.NOTE, chat.post(kept.read(incident), ButtonKind.NOTE))
    chat.dialog(ANA)
    refused = chat.submit(ANA, note="hello")
    assert "ana may not do this" in refused.body["errors"]["note"].lower()


def test_a_dialog_that_slack_refuses_is_told(chat: Chat, kept: Store) -> None:
    """An old click opens none; without a token none can be opened."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.REJECT)
    payload = chat.payload(ANA, message, ButtonKind.REJECT) | {"trigger_id": "1.2.old"}
    assert chat.send(payload).status == 200
    assert "invalid_trigger_id" in chat.told(ANA)
    (chat.receiver.folder / "slack.token").unlink()
    assert chat.click(ANA, ButtonKind.REJECT, message).status == 200
    assert KEYS.slack_token.get_secret_value() not in chat.receiver.log()


@pytest.mark.parametrize(
    "kind", [ButtonKind.REJECT, ButtonKind.SEVERITY, ButtonKind.NOTE, ButtonKind.FALSE_ALARM]
)
def test_a_dialog_that_was_tampered_with_is_refused(kind: ButtonKind, chat: Chat, kept: Store) -> None:
    """It says which button it belongs to, or it is not taken."""
    incident = opened(kept, *asking(ROLL_BACK))
    chat.click(ANA, kind, chat.post(kept.read(incident), kind))
    sent = chat.workspace.people.submitted(ANA, chat.dialog(ANA), {})
    before = kept.read(incident)
    button = Button(kind=ButtonKind.APPROVE, incident=incident, gate="g", plan="p")
    approve = Context(action_id=button.action_id, value=button.value).model_dump_json()
    for metadata in (approve, "", "{}", "[" * 3000, '{"action_id": "runbook.approve", "value": "{}"}'):
        sent["view"] = {**sent["view"], "private_metadata": metadata}
        assert chat.send(sent).status == 422
    assert kept.read(incident) == before
