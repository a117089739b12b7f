"""Ids of effects and keys of events have the form that journals have, and are read as they were built."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.incidents.effect_ids import EffectId, MessageName, change_id
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import EVENT, IncidentEscalated, StatusAnnounced

RECORDED = Path(__file__).parents[2] / "data" / "journals" / "told-0004.jsonl"
PARTS = st.from_regex(r"[A-Za-z0-9-]{1,20}", fullmatch=True)

NAMES = (
    (MessageName.announcement("IDENTIFIED"), "identified"),
    (MessageName.announcement("IDENTIFIED", 2), "identified-2"),
    (MessageName.opening(), "opened"),
    (MessageName.opening().end, "opened-resolved"),
    (MessageName.opening().acknowledgement, "opened-acknowledged"),
    (MessageName.escalation(3), "escalated-3"),
    (MessageName.escalation(3).end, "escalated-3-resolved"),
    (MessageName.hand_off("4-hand-off"), "4-hand-off"),
    (MessageName.reminder("1-restart-1-ab"), "reminder-1-restart-1-ab"),
    (MessageName.switch_left_on("1-enable-fallback", 2), "1-enable-fallback-left-on-2"),
    (MessageName.outage("1-restart", 1), "outage-1-restart-1"),
    (MessageName.question("1-restart-1-ab"), "question-1-restart-1-ab"),
    (MessageName.edit(MessageName.announcement("IDENTIFIED", 2), 3), "edit-3-of-identified-2"),
    (MessageName.refused_answers(), "answers-refused"),
    (MessageName.unwritten_file("0a1b"), "not-written-0a1b"),
)


@pytest.mark.parametrize(("name", "text"), NAMES, ids=[text for _, text in NAMES])
def test_a_message_has_the_name_that_journals_have(name: MessageName, text: str) -> None:
    """Another one would be another message, which people would get a second time."""
    assert name == text
    assert EffectId.of_message("inc-1", "slack", name) == f"inc-1/slack/{text}"


@given(incident=PARTS, owner=PARTS, name=PARTS)
def test_an_id_is_read_as_it_was_built(incident: str, owner: str, name: str) -> None:
    """Of a step and of a message alike."""
    step = EffectId.of_step(change_id(incident, owner), name)
    assert (step.incident_id, step.owner, step.name) == (incident, owner, name)
    assert step.change == change_id(incident, owner)
    assert EffectId.of_message(incident, owner, MessageName(name)) == step


@given(text=st.text())
def test_any_text_is_read_as_an_id(text: str) -> None:
    """A journal may hold an id of any form; reading it raises nothing."""
    read = EffectId(text)
    assert isinstance(f"{read.incident_id}{read.owner}{read.name}{read.message.announced_state}", str)
    assert read.message.is_page in (True, False)


@given(number=st.integers(min_value=1, max_value=10_000))
def test_the_number_of_an_escalation_is_read_from_its_name(number: int) -> None:
    """But not from its end or its acknowledgement, which are other messages."""
    name = MessageName.escalation(number)
    assert (name.escalation_number, name.is_page) == (number, True)
    assert (name.end.escalation_number, name.end.is_page) == (None, False)
    acked = name.acknowledgement
    assert (acked.escalation_number, acked.is_page, acked.is_for_severity) == (None, False, False)


@given(name=PARTS, number=st.integers(min_value=1, max_value=10_000))
def test_a_change_of_a_message_names_the_message(name: str, number: int) -> None:
    """And is never taken for the announcement, or for the page, that it changes."""
    edit = MessageName.edit(MessageName(name), number)
    assert edit.edited == name
    assert (edit.announced_state, edit.escalation_number, edit.is_for_severity) == ("EDIT", None, False)
    assert MessageName.question(name).edited is None


@pytest.mark.parametrize(
    "text", ["", "edit-", "edit-1", "edit-1-of-", "edit-x-of-y", "identified-2", "edit-1-of"]
)
def test_another_message_changes_none(text: str) -> None:
    """Whatever it is called."""
    assert MessageName(text).edited is None


def test_events_are_written_under_the_keys_that_journals_have() -> None:
    """Under another key, what was written once would be written again."""
    rows = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    keyed = [(EVENT.validate_python(row["event"]), row["key"]) for row in rows]
    owned = {
        key: event.journal_key
        for event, key in keyed
        if not key.startswith("seq-") and not isinstance(event, IncidentEscalated | StatusAnnounced)
    }
    assert len(owned) == 5
    assert owned == {key: key for key in owned}
    assert {event.journal_key for event, key in keyed if key.startswith("seq-")} == {None}


def test_an_escalation_is_known_by_what_it_is_for() -> None:
    """Its words do not count, but for one of an earlier release, which has nothing else."""
    what = Escalation(kind=EscalationKind.ACTION, subject="1-restart")
    one = IncidentEscalated(because="it failed", what=what)
    reworded = IncidentEscalated(because="it was not possible", what=what)
    other = IncidentEscalated(because="it failed", what=Escalation(kind=EscalationKind.NOT_OVER))
    earlier = IncidentEscalated(because="it failed. By hand:\nkubectl get pods")

    assert (one.is_for(reworded), one.journal_key) == (True, reworded.journal_key)
    assert not one.is_for(other)
    assert one.journal_key != other.journal_key
    assert (earlier.is_for(one), earlier.is_for(reworded), earlier.journal_key) == (True, False, None)
