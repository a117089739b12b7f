"""What people do about an incident beside answering its questions: lead it, acknowledge it, write in it."""

from datetime import UTC, datetime
from typing import ClassVar, Literal

from pydantic import field_validator

from runbook.approvals.gates import STANDING
from runbook.approvals.identity import Identity
from runbook.incidents.events.approvals import ApprovalAnswered
from runbook.incidents.events.assessment import SeverityOverridden
from runbook.incidents.events.base import JournalEvent
from runbook.incidents.events.ending import (
    IncidentAbsorbed,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
    StateForced,
)
from runbook.incidents.events.messages import ClockName, promise_of
from runbook.incidents.events.public import PublicTextApproved, PublicTextWithheld
from runbook.incidents.events.runs import ResponseResumed
from runbook.outside_text import OutsideName, OutsideText
from runbook.value import Value


class LeadAssigned(JournalEvent):
    """A person leads the incident from now on; `by` is who said so, the same person where they took it.

    `identity` tells how it is known who that was.
    """

    type: Literal["LeadAssigned"] = "LeadAssigned"
    lead: OutsideName
    by: OutsideName
    identity: Identity | None = None


class CommsLeadAssigned(JournalEvent):
    """A person leads the communication with customers from now on; the fields are those of the lead."""

    type: Literal["CommsLeadAssigned"] = "CommsLeadAssigned"
    lead: OutsideName
    by: OutsideName
    identity: Identity | None = None


class SupportAssigned(JournalEvent):
    """A person follows the incident for support from now on: what customers report and are told."""

    type: Literal["SupportAssigned"] = "SupportAssigned"
    lead: OutsideName
    by: OutsideName
    identity: Identity | None = None


class IncidentAcknowledged(JournalEvent):
    """A person has seen the incident and works on it: what was asked or paged until now is not repeated."""

    type: Literal["IncidentAcknowledged"] = "IncidentAcknowledged"
    by: OutsideName
    identity: Identity | None = None


class UpdateRequested(JournalEvent):
    """A person wants the team to be told now where things stand."""

    type: Literal["UpdateRequested"] = "UpdateRequested"
    by: OutsideName
    identity: Identity | None = None


class ReminderSnoozed(JournalEvent):
    """A person wants to be reminded of that clock again at `until`, and not before; times are aware UTC.

    It is no act in the sense of `is_act_of_a_person`: who says "later" has done nothing yet, so that the
    clock runs on. `until` is never after `due_at`, at which the clock runs out.
    """

    type: Literal["ReminderSnoozed"] = "ReminderSnoozed"
    clock: ClockName
    due_at: datetime
    until: datetime
    by: OutsideName
    identity: Identity | None = None

    @property
    def promise(self) -> str:
        """The promise whose reminder it is, as `ClockReminded` has it."""
        return promise_of(self.clock, self.due_at)


class NoteAdded(JournalEvent):
    """Somebody wrote something into the timeline.

    `happened_at` (aware UTC) is when it happened, `None` where that is when it was written. A note without an
    `identity` is the runbook's own, or in a journal of an earlier release.
    """

    type: Literal["NoteAdded"] = "NoteAdded"
    by: OutsideName
    text: OutsideText
    identity: Identity | None = None
    happened_at: datetime | None = None

    EVIDENCE_REMOVED: ClassVar[str] = "evidence-removed"
    """The key of the note that the evidence was removed."""

    @field_validator("happened_at")
    @classmethod
    def _in_utc(cls, at: datetime | None) -> datetime | None:
        if at is not None and at.tzinfo is None:
            raise ValueError("the time needs a time zone")
        return at.astimezone(UTC) if at else None


_ACTS = (
    LeadAssigned,
    CommsLeadAssigned,
    SupportAssigned,
    IncidentAcknowledged,
    UpdateRequested,
    SeverityOverridden,
    StateForced,
    ResponseResumed,
    IncidentMerged,
    IncidentAbsorbed,
    PublicTextApproved,
    PublicTextWithheld,
)


def is_act_of_a_person(event: Value) -> bool:
    """Whether a person did this at that moment; a standing approval and the runbook's own notes are none."""
    match event:
        case ApprovalAnswered():
            return event.answer.channel not in STANDING
        case NoteAdded():
            return event.identity is not None
        case IncidentResolved() | IncidentReopened():
            return bool(event.by)
        case _:
            return isinstance(event, _ACTS)


def actor(event: Value) -> str:
    """Who did it; empty for what is not a person's doing."""
    match event:
        case ApprovalAnswered():
            return event.answer.approver
        case SeverityOverridden():
            return event.assessment.by
        case _:
            return str(getattr(event, "by", ""))
