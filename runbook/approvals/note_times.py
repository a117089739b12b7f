"""When something happened that a person notes: read from what they typed, and bounded."""

import re
from datetime import UTC, date, datetime, time, timedelta

from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.channels.local_time import in_zone, stamp
from runbook.channels.local_time import zone as zone_of
from runbook.incidents.events import NoteAdded
from runbook.incidents.incident import Incident
from runbook.outside_text import MAX_TEXT

AHEAD = timedelta(minutes=1)
"""How far ahead of our clock a person's may be."""

BEFORE = timedelta(days=1)
"""How long before the incident's opening something may have happened that belongs to it."""

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_LONGEST = 40
_FORM = "write it as 14:05, or in full with its zone, as 2026-11-22T14:05+01:00"


def note_of(
    incident: Incident, *, text: str, at: str, by: str, identity: Identity, zone: str, now: datetime
) -> NoteAdded:
    """What a person's note is in the journal; `at` is read on the clocks of `zone`, empty for `now`.

    Raises:
        InvalidAnswer: it is empty or too long, or its time cannot be.
    """
    if len(text) > MAX_TEXT:
        raise InvalidAnswer(f"a note has at most {MAX_TEXT} characters: write it as several notes")
    moment = time_of_note(at, now=now, opened_at=incident.opened_at, time_zone=zone) if at else None
    note = NoteAdded(by=by, text=text.strip(), identity=identity, happened_at=moment)
    if not note.text.strip():
        raise InvalidAnswer("the note is empty: say what happened")
    return note


def time_of_note(said: str, *, now: datetime, opened_at: datetime, time_zone: str) -> datetime:
    """The moment (aware UTC) that is meant: ISO 8601 with a zone, or HH:MM on the clocks of `time_zone`.

    HH:MM is today's; where that is still to come, yesterday's, if the incident was open then. `now` and
    `opened_at` are aware UTC.

    Raises:
        InvalidAnswer: it cannot be read, is ahead of `now` or a day before the incident, or was no moment or
            two on that zone's clocks.
    """
    said = said.strip()
    moment = _on_the_clock(said, now=now, opened_at=opened_at, time_zone=time_zone) or _in_full(said)
    if moment > now + AHEAD:
        raise InvalidAnswer(
            f"the time {stamp(moment, time_zone)} is still to come: give the time it happened"
        )
    if moment < opened_at - BEFORE:
        early = f"the time {stamp(moment, time_zone)} is more than a day before the incident was opened"
        raise InvalidAnswer(f"{early}: give a later time, and write the earlier one into the text")
    return moment


def _in_full(said: str) -> datetime:
    try:
        moment = datetime.fromisoformat(said if len(said) <= _LONGEST else "")
        if moment.tzinfo is None:
            raise InvalidAnswer(f"the time {said} has no zone: {_FORM}")
        return moment.astimezone(UTC)
    except InvalidAnswer:
        raise
    except (ValueError, OverflowError):
        raise InvalidAnswer(f"the time cannot be read: {_FORM}") from None


def _on_the_clock(said: str, *, now: datetime, opened_at: datetime, time_zone: str) -> datetime | None:
    found = _CLOCK.fullmatch(said)
    if found is None:
        return None
    at, today = time(int(found[1]), int(found[2])), in_zone(now, time_zone).date()
    moment = _moment(today, at, time_zone)
    if moment <= now + AHEAD:
        return moment
    yesterdays = _moment(today - timedelta(days=1), at, time_zone)
    return yesterdays if yesterdays >= opened_at else moment


def _moment(day: date, at: time, time_zone: str) -> datetime:
    """That time of that day, where clocks that are changed show it exactly once."""
    local = datetime.combine(day, at, tzinfo=zone_of(time_zone))
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first != second:
        raise InvalidAnswer(
            f"the clocks of {time_zone} were changed, so {at:%H:%M} is not one moment: write it in full with "
            "its zone, as 2026-11-22T14:05+01:00"
        )
    return first
