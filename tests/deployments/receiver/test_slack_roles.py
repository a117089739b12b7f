"""Roles, notes and the hand-over in Slack: by buttons, a dialog and `/incident`."""

from typing import Any

import pytest

from runbook.approvals.identity import Identity, Proof
from runbook.channels.buttons import ButtonKind
from runbook.incidents import events as e
from tests.deployments.cli.test_gates import MEMORY, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, BOB, MALLORY, Chat, typed

BY_SLACK = Identity(name=ANA, how=Proof.SLACK)


@pytest.mark.parametrize(
    ("kind", "event"), [(ButtonKind.COMMS, e.CommsLeadAssigned), (ButtonKind.SUPPORT, e.SupportAssigned)]
)
def test_a_role_is_taken_by_a_click_once(
    kind: ButtonKind, event: type[e.CommsLeadAssigned], chat: Chat, kept: Store
) -> None:
    """The person is told; the same click again takes it from nobody who took it since."""
    incident = opened(kept, *asking(MEMORY))
    message = chat.post(kept.read(incident), kind)
    first = chat.payload(ANA, message, kind)
    assert chat.send(first).status == 200
    assert "(proven by Slack U0ANA)" in chat.told(ANA)
    assert chat.click(BOB, kind, message).status == 200
    chat.told(BOB)
    assert chat.send(first).status == 200
    assert "it was so already" in chat.told(ANA, 2).lower()
    taken = kept.read(incident).events(event)
    assert [(each.lead, each.by) for each in taken] == [("ana", "ana"), ("bob", "bob")]
    assert taken[0].identity == BY_SLACK


def test_the_lead_is_handed_over_with_a_note_once(chat: Chat, kept: Store) -> None:
    """The dialog offers the people of the settings; sent twice, it is one hand-over and one note."""
    incident = opened(kept, *asking(MEMORY))
    chat.click(ANA, ButtonKind.HAND_OVER, chat.post(kept.read(incident), ButtonKind.HAND_OVER))
    person = chat.dialog(ANA)["blocks"][1]["element"]
    assert [option["value"] for option in person["options"]] == ["ana", "bob"]
    given = {"person": "bob", "note": "the queue is long"}
    sent = chat.workspace.people.submitted(ANA, chat.dialog(ANA), given)
    assert chat.send(sent).body is None
    assert "bob" in chat.told(ANA)
    assert chat.send(sent).body is None
    told = kept.read(incident)
    assert [(each.lead, each.by) for each in told.events(e.LeadAssigned)] == [("bob", "ana")]
    assert [note.text for note in told.events(e.NoteAdded)] == ["On the hand-over to bob: the queue is long"]


def test_the_state_is_said_with_a_reason_once(chat: Chat, kept: Store) -> None:
    """Without one the dialog stays; so it does where the incident is over."""
    incident = opened(kept, *asking(MEMORY))
    chat.click(ANA, ButtonKind.STATE, chat.post(kept.read(incident), ButtonKind.STATE))
    chat.dialog(ANA)
    assert [*chat.submit(ANA, state="MONITORING", reason=" ").body["errors"]] == ["reason"]
    kept.append(incident, e.IncidentResolved(outcome="recovered", because=()), key="end")
    late = chat.submit(ANA, state="MONITORING", reason="they rolled back")
    assert "has ended" in late.body["errors"]["reason"]
    again = opened(kept, *asking(MEMORY))
    chat.click(BOB, ButtonKind.STATE, chat.post(kept.read(again), ButtonKind.STATE))
    chat.dialog(BOB)
    assert chat.submit(BOB, state="MONITORING", reason="they rolled back").body is None
    [said] = kept.read(again).events(e.StateForced)
    assert (said.state, said.because, said.by) == ("MONITORING", "they rolled back", "bob")
    assert said.identity == Identity(name=BOB, how=Proof.SLACK)


@pytest.mark.parametrize(
    "since",
    [e.IncidentReopened(because="again", by="bob", reopened=1), e.IncidentMerged(into="inc-2", by="bob")],
    ids=["reopened", "merged"],
)
def test_a_state_is_said_of_the_incident_that_was_looked_at(since: e.Event, chat: Chat, kept: Store) -> None:
    """Not of what it became after the dialog was opened."""
    ended = e.IncidentResolved(outcome="recovered", because=()), e.IncidentClosed(outcome="recovered")
    incident = opened(kept, *asking(MEMORY))
    chat.click(ANA, ButtonKind.STATE, chat.post(kept.read(incident), ButtonKind.STATE))
    chat.dialog(ANA)
    for number, event in enumerate((*(ended if since.type == "IncidentReopened" else ()), since)):
        kept.append(incident, event, key=f"since-{number}")
    refused = chat.submit(ANA, state="MONITORING", reason="they rolled back").body["errors"]["reason"]
    assert "reopened after" in refused or "has ended" in refused
    assert kept.read(incident).events(e.StateForced) == []


@pytest.mark.parametrize("state", ["RESOLVED", "CLOSED", "MITIGATING", "INVESTIGATING", "\u0406DENTIFIED"])
def test_no_other_state_can_be_said(state: str, chat: Chat, kept: Store) -> None:
    """Whatever a dialog or a command says: that it is over has an act of its own."""
    incident = opened(kept, *asking(MEMORY))
    chat.click(ANA, ButtonKind.STATE, chat.post(kept.read(incident), ButtonKind.STATE))
    view = chat.dialog(ANA)
    sent = chat.workspace.people.submitted(ANA, view, {"state": "MONITORING", "reason": "x"})
    sent["view"]["state"]["values"]["state"]["value"]["selected_option"]["value"] = state
    assert "the state is identified or monitoring" in chat.send(sent).body["errors"]["reason"]
    told = typed(chat, ANA, text=f"state {incident} {state} they say so").body["text"]
    assert "state is identified or monitoring" in told
    assert kept.read(incident).events(e.StateForced) == []


def test_a_hand_over_to_nobody_is_refused_at_its_field(chat: Chat, kept: Store) -> None:
    """The dialog stays."""
    incident = opened(kept, *asking(MEMORY))
    chat.click(ANA, ButtonKind.HAND_OVER, chat.post(kept.read(incident), ButtonKind.HAND_OVER))
    chat.dialog(ANA)
    before = kept.read(incident)
    refused = chat.submit(ANA, note="x")
    assert [*refused.body["errors"]] == ["person"]
    assert kept.read(incident) == before


def test_the_packet_is_shown_to_who_is_listed_alone(chat: Chat, kept: Store) -> None:
    """Nothing is written, and nobody else reads it."""
    incident = opened(kept, *asking(MEMORY), e.NoteAdded(by="bob", text="seen <!here>"))
    message = chat.post(kept.read(incident), ButtonKind.PACKET)
    before = kept.read(incident)
    assert chat.click(ANA, ButtonKind.PACKET, message).status == 200
    assert f"*Hand-over of {incident}" in chat.told(ANA)
    shown = next(each for each in chat.workspace.people.told if each["user"] == ANA)
    assert shown["blocks"][0]["type"] == "section"
    assert "<!here>" not in chat.told(ANA)
    assert chat.click(MALLORY, ButtonKind.PACKET, message).status == 200
    assert "U0MALLORY is not among the logins" in chat.told(MALLORY)
    assert incident not in chat.told(MALLORY)
    assert kept.read(incident) == before


@pytest.mark.parametrize(
    ("text", "event", "fields"),
    [
        ("lead ID", e.LeadAssigned, {"lead": "ana"}),
        ("lead ID <@U0BOB|bob>", e.LeadAssigned, {"lead": "bob"}),
        ("comms ID", e.CommsLeadAssigned, {"lead": "ana"}),
        ("support ID @bob", e.SupportAssigned, {"lead": "bob"}),
        ("note ID they roll back", e.NoteAdded, {"text": "they roll back"}),
        (
            "note ID\n<@U0BOB|bob> says &lt;2 % &amp;amp; falls",
            e.NoteAdded,
            {"text": "@bob says <2 % &amp; falls"},
        ),
        ("update ID", e.UpdateRequested, {}),
        (
            "state ID monitoring they rolled back",
            e.StateForced,
            {"state": "MONITORING", "because": "they rolled back"},
        ),
    ],
)
def test_a_command_is_journalled_once(
    text: str, event: type[e.Event], fields: dict[str, str], chat: Chat, kept: Store
) -> None:
    """As by every other door, with the proof; delivered twice, it is told to be so already."""
    incident = opened(kept, *asking(MEMORY))
    said = {"text": text.replace("ID", incident), "trigger_id": "9.9.same"}
    first = typed(chat, ANA, **said)
    assert (first.status, first.body["response_type"]) == (200, "ephemeral")
    assert "it was so already" in typed(chat, ANA, **said).body["text"].lower()
    (done,) = kept.read(incident).events(event)
    known: dict[str, Any] = done.model_dump()
    assert {name: known[name] for name in fields} == fields
    assert (known["by"], done.model_copy().identity) == ("ana", BY_SLACK)  # type: ignore[union-attr]


def test_a_hand_over_by_command_shows_the_packet(chat: Chat, kept: Store) -> None:
    """With a name the lead goes over first, with the note; without one it is only shown."""
    incident = opened(kept, *asking(MEMORY))
    assert f"*Hand-over of {incident}" in typed(chat, ANA, text=f"handover {incident}").body["text"]
    assert kept.read(incident).events(e.LeadAssigned) == []
    told = typed(chat, ANA, text=f"handover {incident} bob mind the queue", trigger_id="2.2.x").body
    assert "Lead: bob" in told["text"]
    assert "On the hand-over to bob: mind the queue" in told["text"]
    assert told["blocks"]
    assert [each.lead for each in kept.read(incident).events(e.LeadAssigned)] == ["bob"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("help", "/incident note ID TEXT"),
        ("leed latest", "There is no such command."),
        ("lead", "Say which incident"),
        ("lead inc-nowhere", "No incident 'inc-nowhere'"),
    ],
)
def test_a_wrong_command_says_what_there_is(text: str, why: str, chat: Chat) -> None:
    """To its person alone."""
    told = typed(chat, ANA, text=text)
    assert (told.status, told.body["response_type"]) == (200, "ephemeral")
    assert why in told.body["text"]


def test_a_command_of_an_account_that_is_not_listed_does_nothing(chat: Chat, kept: Store) -> None:
    """Whatever the verb."""
    incident = opened(kept, *asking(MEMORY))
    before = kept.read(incident)
    for text in (f"lead {incident}", f"handover {incident}", "help"):
        assert "U0MALLORY is not among the logins" in typed(chat, MALLORY, text=text).body["text"]
    assert kept.read(incident) == before


def test_a_refusal_is_told_to_its_person(chat: Chat, kept: Store) -> None:
    """A closed incident has no lead to take."""
    incident = opened(kept, *asking(MEMORY), e.IncidentClosed(outcome="recovered"))
    before = kept.read(incident)
    assert "is closed" in typed(chat, ANA, text=f"lead {incident}").body["text"]
    assert kept.read(incident) == before
