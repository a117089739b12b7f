"""Every event is readable for as long as the journal is kept."""

from datetime import UTC
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runbook.checks.facts import RecordedFacts
from runbook.checks.findings import Finding
from runbook.checks.specs.logs import LOGS
from runbook.incidents import events as e
from runbook.value import Value
from tests.deployments.journal_samples import EVENTS
from tests.runbook.findings_samples import TYPICAL, triage
from tests.runbook.journals import ALERT, LIFE, decided, decision, every_event

KINDS: tuple[type[Value], ...] = get_args(get_args(e.Event)[0])
SAMPLES = (*EVENTS, *every_event(), *LIFE, e.TriageCompleted(round=1, findings=triage(*TYPICAL.values())))


def test_samples_hold_every_kind_of_event() -> None:
    """A kind that nobody makes an example of would go untested below."""
    assert {type(event) for event in SAMPLES} == set(KINDS)


def test_each_kind_names_itself() -> None:
    """The name in the journal is the name of the class, so that no two kinds can be mixed up."""
    assert [kind.model_fields["type"].default for kind in KINDS] == [kind.__name__ for kind in KINDS]


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_event_comes_back_from_the_journal_as_it_was(event: e.Event) -> None:
    """Written as JSON and read again, an event equals itself and has its own class."""
    read = e.EVENT.validate_json(e.EVENT.dump_json(event))
    assert read == event
    assert type(read) is type(event)


TEXTS = st.text(st.characters(codec="utf-8"))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(
    facts=st.dictionaries(TEXTS, JSON, max_size=4),
    summary=TEXTS,
    at=st.datetimes(timezones=st.just(UTC)),
    seconds=st.floats(0, 1e9),
)
def test_any_facts_survive_the_journal(facts: dict[str, Any], summary: str, at: Any, seconds: float) -> None:
    """Whatever outside systems say, in any script and with any nesting, is read back unchanged."""
    finding = Finding.unknown(LOGS.name, summary, observed_at=at, seconds=seconds)
    finding = finding.model_copy(update={"facts": RecordedFacts(facts)})
    event = e.TriageCompleted(round=1, findings=triage(finding))
    assert e.EVENT.validate_json(e.EVENT.dump_json(event)) == event


@given(approver=TEXTS, reason=TEXTS)
def test_any_words_of_people_survive_the_journal(approver: str, reason: str) -> None:
    """Notes and alerts hold free text."""
    for event in (
        e.NoteAdded(by=approver, text=reason),
        e.AlertJoined(alert=ALERT.model_copy(update={"summary": reason})),
    ):
        assert e.EVENT.validate_json(e.EVENT.dump_json(event)) == event


@pytest.mark.parametrize(
    "body",
    [
        '{"type": "SomethingHappened"}',
        '{"by": "ana", "text": "no type"}',
        '{"type": "NoteAdded", "by": "ana", "text": "x", "colour": "red"}',
        '{"type": "NoteAdded", "by": "ana"}',
        "null",
    ],
    ids=["unknown type", "no type", "unknown field", "missing field", "no event"],
)
def test_what_is_no_event_is_refused(body: str) -> None:
    """A journal that this version cannot read fails loudly; nothing is skipped or guessed."""
    with pytest.raises(ValidationError):
        e.EVENT.validate_json(body)


def test_event_cannot_be_changed_once_written() -> None:
    """Events are values: nobody edits the past."""
    event = decided()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(event, "round", 2)  # noqa: B010  # the type checker would stop the plain form
    assert event == decided(decision())
