"""What became of each reminder of a clock, and how a person puts one off.

A snooze says "later": it answers nothing and stops no clock, so that the page comes when it would have come.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.incidents import events as e
from runbook.incidents.incident import Incident

SNOOZE_MINUTES = 10
"""Minutes until the next reminder where a snooze says nothing else."""

MOST_MINUTES = 24 * 60

Counts = Callable[[e.Event], bool]
"""Whether an event of the journal is by somebody who may, as far as it is an act of a person."""


@dataclass
class Reminder:
    """A reminder that people were given; `over` says why it is of no use any more, empty while it is."""

    event: e.ClockReminded
    snoozed: e.ReminderSnoozed | None = None
    over: str = ""


def reminders(incident: Incident, counts: Counts) -> tuple[Reminder, ...]:
    """The reminders that clocks near their end, oldest first."""
    found: list[Reminder] = []
    for item in incident.journal if incident.last(e.ClockReminded) else ():
        match item.event:
            case e.ClockReminded() as event:
                again = "a person was paged" if event.missed else "it came once more"
                _end(found, again, lambda it, event=event: it.promise == event.promise)  # type: ignore[misc]
                found += [] if event.missed else [Reminder(event)]
            case e.ReminderSnoozed() as event if counts(event):
                for each in found:
                    if not each.over and each.event.promise == event.promise:
                        each.snoozed = event
            case e.StatusAnnounced() as event if event.next_update_at is not None:
                _end(found, "an update was sent", lambda it: it.clock is e.ClockName.TEAM_UPDATE)
            case e.PublicTextProposed():
                _end(
                    found,
                    "another text has replaced that one",
                    lambda it: it.clock is e.ClockName.PUBLIC_TEXT,
                )
            case e.IncidentResolved() | e.IncidentMerged() | e.IncidentReopened():
                _end(found, "the incident has ended")
            case event if e.is_act_of_a_person(event) and counts(event):
                _end(found, f"{e.actor(event)} has acted")
            case _:
                pass
    return tuple(found)


def snoozing(
    incident: Incident,
    *,
    reminder: str,
    minutes: int | None,
    by: str,
    identity: Identity,
    now: datetime,
    counts: Counts,
    response_due: datetime,
) -> e.ReminderSnoozed:
    """What a person's "later" is in the journal: never later than the moment at which the clock runs out.

    `reminder` is the key of the one that they have read, empty for the newest that is of use. `response_due`
    (aware UTC) is when the response is due by now: another severity moves that after the reminder.

    Raises:
        InvalidAnswer: there is no such reminder now, or the minutes are out of bounds.
    """
    asked = SNOOZE_MINUTES if minutes is None else minutes
    if not 1 <= asked <= MOST_MINUTES:
        raise InvalidAnswer(f"a snooze takes from 1 to {MOST_MINUTES} minutes")
    known = reminders(incident, counts)
    named = [it for it in known if reminder in ("", it.event.journal_key)]
    if reminder and not named:
        raise InvalidAnswer("there is no such reminder")
    ends = ((it, ends_at(it.event, response_due)) for it in named)
    of_use = [(it.event, at) for it, at in ends if not it.over and now < at]
    if not of_use:
        because = (named[-1].over or "its time is up") if named else "no clock has been reminded of"
        raise InvalidAnswer(f"there is no reminder to snooze: {because}")
    event, due_at = of_use[-1]
    return e.ReminderSnoozed(
        clock=event.clock,
        due_at=due_at,
        until=min(now + timedelta(minutes=asked), due_at),
        by=by,
        identity=identity,
    )


def ends_at(reminded: e.ClockReminded, response_due: datetime) -> datetime:
    """When the clock runs out (aware UTC); `response_due` is when the response is due by now."""
    return response_due if reminded.clock is e.ClockName.RESPONSE else reminded.due_at


def _end(
    found: list[Reminder], because: str, of: Callable[[e.ClockReminded], bool] = lambda _event: True
) -> None:
    for each in found:
        if of(each.event):
            each.over = each.over or because
