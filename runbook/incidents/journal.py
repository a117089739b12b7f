"""The journal of an incident: its events in order, its beginning and its ends."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self, TypeVar

from runbook.approvals.gates import is_standing
from runbook.incidents import events as e
from runbook.incidents.state import IncidentOutcome
from runbook.value import Value

EventT = TypeVar("EventT", bound=Value)

_ENDS = (e.IncidentResolved, e.IncidentMerged)


class Journal(Value):
    """What was written about an incident. Build it with `from_events`."""

    id: str
    journal: tuple[e.Recorded, ...]

    @classmethod
    def from_events(cls, incident_id: str, journal: Iterable[e.Recorded]) -> Self:
        """Fold a journal.

        Raises:
            ValueError: the journal does not begin with `IncidentOpened`.
        """
        recorded = tuple(sorted(journal, key=lambda item: item.seq))
        if not recorded or not isinstance(recorded[0].event, e.IncidentOpened):
            raise ValueError(f"the journal of {incident_id} does not begin with IncidentOpened")
        return cls(id=incident_id, journal=recorded)

    def events(self, kind: type[EventT]) -> list[EventT]:
        """The events of one kind, oldest first."""
        return [item.event for item in self.journal if isinstance(item.event, kind)]

    def last(self, kind: type[EventT]) -> EventT | None:
        """The newest event of one kind."""
        found = self.events(kind)
        return found[-1] if found else None

    def time_of(self, kind: type[EventT]) -> datetime | None:
        """When the first event of one kind was written."""
        return next((item.at for item in self.journal if isinstance(item.event, kind)), None)

    def writer_of(self, event: Value) -> str | None:
        """The database's role that wrote this very event of the journal; `None` where it is not in it."""
        return next((item.writer for item in self.journal if item.event is event), None)

    @property
    def answers(self) -> tuple[e.ApprovalAnswered, ...]:
        """The answers to questions of the runbook, and the approvals that stood without one, oldest first.

        An answer at a gate that had asked nothing by then is a line that somebody has written into the store.
        """
        asked: set[str] = set()
        found = []
        for item in self.journal:
            match item.event:
                case e.ApprovalRequested() as event:
                    asked.add(event.gate)
                case e.ApprovalAnswered() as event if event.gate in asked or is_standing(event.answer):
                    found.append(event)
        return tuple(found)

    @property
    def opened(self) -> e.IncidentOpened:
        """The first event."""
        first = self.journal[0].event
        if not isinstance(first, e.IncidentOpened):  # from_events has checked it; this tells the type checker
            raise TypeError("journal without an opening")
        return first

    @property
    def opened_at(self) -> datetime:
        """When the incident was opened."""
        return self.journal[0].at

    @property
    def begun_at(self) -> datetime:
        """When the incident was opened, or reopened last."""
        times = (item.at for item in reversed(self.journal) if isinstance(item.event, e.IncidentReopened))
        return next(times, self.opened_at)

    def since(self, kind: type[Value]) -> tuple[e.Recorded, ...]:
        """What was written after the newest event of a kind; everything where there is none."""
        for place in range(len(self.journal) - 1, -1, -1):
            if isinstance(self.journal[place].event, kind):
                return self.journal[place + 1 :]
        return self.journal

    @property
    def reopened(self) -> int:
        """How often the incident was reopened."""
        return len(self.events(e.IncidentReopened))

    @property
    def end(self) -> e.Recorded | None:
        """The event that ended the response, `None` while it goes on."""
        ends = (item for item in self.since(e.IncidentReopened) if isinstance(item.event, _ENDS))
        return next(ends, None)

    @property
    def resolved(self) -> bool:
        """Whether the response has ended."""
        return self.end is not None

    @property
    def closed(self) -> bool:
        """Whether nothing is left to do."""
        return any(isinstance(item.event, e.IncidentClosed) for item in self.since(e.IncidentReopened))

    @property
    def outcome(self) -> IncidentOutcome | None:
        """How the response ended, `None` while it goes on."""
        end = self.end.event if self.end else None
        if isinstance(end, e.IncidentMerged):
            return IncidentOutcome.MERGED
        return IncidentOutcome(end.outcome) if isinstance(end, e.IncidentResolved) else None

    @property
    def ended_by(self) -> str:
        """The person on whose word the response ended; empty where nobody has said so."""
        end = self.end.event if self.end else None
        return end.by if isinstance(end, _ENDS) else ""

    @property
    def resolved_at(self) -> datetime | None:
        """When the response ended."""
        return self.end.at if self.end else None

    @property
    def duration(self) -> timedelta | None:
        """From opening to the end of the response."""
        return self.resolved_at - self.opened_at if self.resolved_at else None
