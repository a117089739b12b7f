"""People answer in Slack: their clicks are journalled, shown to everybody, and bound to one question."""

import pytest

from runbook.approvals.approvals import decided
from runbook.approvals.identity import Identity, Proof
from runbook.channels.buttons import ButtonKind
from runbook.incidents import events as e
from runbook.policy.policy import Policy
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking, question
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import answer_of, send
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, BOB, MALLORY, Chat
from tests.deployments.sleeping_run import FakePrefect

QUESTION = (ButtonKind.APPROVE, ButtonKind.REJECT, ButtonKind.EDIT, ButtonKind.SNOOZE)


def test_a_click_of_a_listed_account_approves(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """It is proven, wakes the run, and everybody sees who answered, without buttons."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    answered = chat.click(ANA, ButtonKind.APPROVE, message)
    assert (answered.status, answered.body) == (200, None)
    told = kept.read(incident)
    given = answer_of(told).answer
    assert (given.approver, given.channel) == ("ana", "slack")
    assert given.identity == Identity(name=ANA, how=Proof.SLACK)
    people = chat.receiver.folder.joinpath("runbook.toml").read_text()
    assert "U0ANA" in people
    assert chat.shown(message).startswith("ana approved at ")
    assert chat.shown(message).endswith(" UTC (proven by Slack)")
    chat.soon(lambda: prefect.forms)
    assert [form["decision"] for form in prefect.forms] == ["approve"]
    assert chat.workspace.people.told == []


def test_the_same_click_again_changes_nothing(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """Delivered twice, it is one answer, and the message says the same."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    payload = chat.payload(ANA, message, ButtonKind.APPROVE)
    assert chat.send(payload).status == 200
    first = chat.shown(message)
    before = kept.read(incident)
    assert chat.send(payload).status == 200
    assert chat.shown(message) == first
    assert kept.read(incident) == before
    assert chat.workspace.people.told == []
    chat.soon(lambda: prefect.forms)
    assert len(prefect.forms) == 1


def test_a_run_that_is_about_to_fall_asleep_is_woken(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """The question is posted a moment before its run sleeps, and somebody may be quick."""
    prefect.state = "RUNNING"
    incident = opened(kept, *asking(ROLL_BACK))
    gate = kept.read(incident).pending_gate
    assert gate is not None
    prefect.then_asks = gate.gate
    message = chat.post(kept.read(incident), *QUESTION)
    assert chat.click(ANA, ButtonKind.APPROVE, message).status == 200
    chat.soon(lambda: prefect.state == "SCHEDULED")
    assert chat.workspace.people.told == []


def test_not_yet_comes_back_later(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """The question is asked again after a quarter of an hour."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    assert chat.click(BOB, ButtonKind.SNOOZE, message).status == 200
    assert "bob snoozed at" in chat.shown(message)
    assert answer_of(kept.read(incident)).answer.snooze_minutes == 15
    chat.soon(lambda: prefect.forms)


def test_whoever_comes_second_is_told_who_answered(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """Privately, with what and when; nothing is written for them."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    late = chat.payload(BOB, message, ButtonKind.SNOOZE)
    assert chat.click(ANA, ButtonKind.APPROVE, message).status == 200
    before = kept.read(incident)
    assert chat.send(late).status == 200
    said = chat.told(BOB)
    assert said.startswith("It is answered: ana approved at ")
    assert "Nothing was changed" in said
    assert kept.read(incident) == before
    chat.soon(lambda: prefect.forms)


def test_an_answer_from_elsewhere_counts_as_well(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """A button under a question that was answered over the API shows that answer."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    answer = send(
        chat.receiver, incident, "answers", {"decision": "approve", "plan": ROLL_BACK.digest}, whose="bob"
    )
    assert answer.status_code == 200, answer.text
    chat.soon(lambda: prefect.forms)  # a click wakes a run that still sleeps
    assert chat.click(ANA, ButtonKind.APPROVE, message).status == 200
    assert "bob approved at" in chat.told(ANA)
    assert "bob approved at" in chat.shown(message)
    assert len(prefect.forms) == 1


def test_the_button_of_an_earlier_question_answers_nothing(chat: Chat, kept: Store) -> None:
    """Also where the same plan is asked about again: the gate is another one."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    kept.append(incident, question(ROLL_BACK, 2), key="ask:2")
    before = kept.read(incident)
    assert chat.click(ANA, ButtonKind.APPROVE, message).status == 200
    assert "no longer asked" in chat.told(ANA)
    assert kept.read(incident) == before


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("gate", "1-made-up-1", "there is no such question"),
        ("plan", "0" * 64, "another plan"),
        ("incident", "latest", "no such incident"),
        ("incident", "inc-nowhere", "no incident"),
    ],
)
def test_a_button_that_fits_no_question_answers_nothing(
    field: str, value: str, why: str, chat: Chat, kept: Store
) -> None:
    """Gate, plan and incident all have to be those of the question."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    payload = chat.payload(ANA, message, ButtonKind.APPROVE)
    gate = kept.read(incident).pending_gate
    assert gate is not None
    now = {"gate": gate.gate, "plan": gate.plan_digest, "incident": incident}[field]
    action = payload["actions"][0]
    action["value"] = action["value"].replace(now, value)
    before = kept.read(incident)
    assert chat.send(payload).status == 200
    assert why in chat.told(ANA).lower()
    assert kept.read(incident) == before


def test_an_account_that_is_not_listed_approves_no_high_risk(chat: Chat, kept: Store) -> None:
    """Whatever she calls herself in Slack. She is told what is missing."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    payload = chat.payload(MALLORY, message, ButtonKind.APPROVE)
    payload["user"] |= {"username": "ana", "name": "ana"}
    before = kept.read(incident)
    assert chat.send(payload).status == 200
    said = chat.told(MALLORY)
    assert "not proven that this is U0MALLORY" in said
    assert "have it added" in said
    assert kept.read(incident) == before
    assert any(block["type"] == "actions" for block in message["blocks"])


@pytest.mark.parametrize("account", ["u0ana", "U0\u0410NA", "U0ANA ", "ana", "U0ANA\u200b"])
def test_an_id_that_looks_like_a_listed_one_is_no_account(account: str, chat: Chat, kept: Store) -> None:
    """Slack's ids are capitals and digits; nothing else is read as one."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    payload = chat.payload(ANA, message, ButtonKind.APPROVE)
    payload["user"]["id"] = account
    before = kept.read(incident)
    assert chat.send(payload).status == 422
    assert kept.read(incident) == before


def test_who_may_not_approve_is_told_so(chat: Chat, kept: Store) -> None:
    """Nothing is written for them."""
    chat.configure('[policy.approvals.high]\napprovers = ["bob"]\n')
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    before = kept.read(incident)
    assert chat.click(ANA, ButtonKind.APPROVE, message).status == 200
    assert "ana may not approve high-risk changes" in chat.told(ANA).lower()
    assert kept.read(incident) == before


def test_a_proof_that_the_rule_does_not_take_is_refused(chat: Chat, kept: Store) -> None:
    """Where high risk takes a token only, a click is not enough."""
    chat.configure('[policy.approvals.high]\nproofs = ["api-token"]\n')
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    assert chat.click(ANA, ButtonKind.APPROVE, message).status == 200
    assert "not proven that this is ana" in chat.told(ANA)


def test_one_person_by_slack_and_by_token_is_one(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """Two are needed, and she is one of them."""
    chat.configure("[policy.approvals.high]\ncount = 2\n")
    incident = opened(kept, *asking(ROLL_BACK))
    seen = {"decision": "approve", "plan": ROLL_BACK.digest}
    assert send(chat.receiver, incident, "answers", seen).status_code == 200
    kept.append(incident, question(ROLL_BACK, 2), key="ask:2")
    message = chat.post(kept.read(incident), *QUESTION)
    assert chat.click(ANA, ButtonKind.APPROVE, message).status == 200
    assert "ana has already approved this; 2 different people must approve" in chat.told(ANA).lower()
    assert chat.click(BOB, ButtonKind.APPROVE, message).status == 200
    chat.shown(message)
    two = Policy.model_validate(
        {
            "approvals": {"high": {"count": 2}},
            "people": {"ana": {"logins": [ANA]}, "bob": {"logins": [BOB]}},
        }
    )
    assert decided(kept.read(incident), ROLL_BACK, two) is not None
    assert prefect.forms


def test_an_account_that_was_taken_away_no_longer_proves(
    chat: Chat, kept: Store, prefect: FakePrefect
) -> None:
    """The approval is read again with the people of the moment."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), *QUESTION)
    assert chat.click(ANA, ButtonKind.APPROVE, message).status == 200
    chat.soon(lambda: prefect.forms)
    told = kept.read(incident)
    listed = Policy.model_validate({"people": {"ana": {"logins": [ANA]}}})
    assert decided(told, ROLL_BACK, listed) is not None
    assert decided(told, ROLL_BACK, Policy.model_validate({"people": {"ana": {}}})) is None


def test_a_link_is_acknowledged(chat: Chat, kept: Store) -> None:
    """Slack reports the click of a button that is a link, and wants an answer."""
    incident = opened(kept, *asking(MEMORY))
    payload = chat.payload(ANA, chat.post(kept.read(incident), *QUESTION), ButtonKind.APPROVE)
    payload["actions"][0] |= {"action_id": "open-run", "value": ""}
    before = kept.read(incident)
    assert chat.send(payload).status == 200
    assert kept.read(incident) == before


def test_the_lead_is_taken_once(chat: Chat, kept: Store) -> None:
    """The person is told; a click that comes again after somebody else took it gives it back to nobody."""
    incident = opened(kept, *asking(MEMORY))
    message = chat.post(kept.read(incident), ButtonKind.TAKE)
    first = chat.payload(ANA, message, ButtonKind.TAKE)
    assert chat.send(first).status == 200
    assert "(proven by Slack U0ANA)" in chat.told(ANA)
    assert chat.click(BOB, ButtonKind.TAKE, message).status == 200
    chat.told(BOB)
    assert chat.send(first).status == 200
    assert "it was so already" in chat.told(ANA, 2).lower()
    led = [event.lead for event in kept.read(incident).events(e.LeadAssigned)]
    assert led == ["ana", "bob"]
