"""What people were told."""

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Literal

from runbook.incidents.effect_ids import MessageName
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events.base import JournalEvent, numbered
from runbook.outside_text import OutsideLine, OutsideText


class StatusAnnounced(JournalEvent):
    """Stakeholders were told. `channel` is the kind of a channel, such as `slack` or `status-page`.

    `by_word`: colleagues were told a state that a person had said before it was proved.
    """

    type: Literal["StatusAnnounced"] = "StatusAnnounced"
    channel: str
    state: str
    reference: OutsideLine = ""
    next_update_at: datetime | None = None
    by_word: bool = False

    def key_of(self, name: MessageName) -> str:
        """The key of the announcement that was sent as that message."""
        return f"announced:{self.channel}:{name}"


class ClockName(StrEnum):
    """The clocks that people are held to."""

    RESPONSE = "response"
    TEAM_UPDATE = "team update"
    PUBLIC_UPDATE = "public update"
    PUBLIC_TEXT = "public text"
    """Of a text for the public that waits for a yes."""


class ClockReminded(JournalEvent):
    """People were told that a clock nears its end at `due_at` (aware UTC), or one was paged for it.

    `again` is how often a person had put the reminder off by then.
    """

    type: Literal["ClockReminded"] = "ClockReminded"
    clock: ClockName
    due_at: datetime
    missed: bool = False
    again: int = 0

    @property
    def promise(self) -> str:
        """What tells one promise from the next: the response is one, whatever the severity."""
        return promise_of(self.clock, self.due_at)

    @property
    def journal_key(self) -> str:
        """Once for each step: of the response, whatever the severity; of an update, for each promise."""
        step = "missed" if self.missed else "nearing"
        return f"clock:{self.promise}:{step}{f':{self.again}' if self.again and not self.missed else ''}"


def promise_of(clock: ClockName, due_at: datetime) -> str:
    """What tells one promise of a clock from the next."""
    return clock.value if clock is ClockName.RESPONSE else f"{clock}:{due_at.isoformat()}"


class IncidentEscalated(JournalEvent):
    """A person was paged. `commands` are what they may type by hand.

    `about` is the id of the action that it is about; empty where it is about the response as a whole, and in
    journals of earlier releases. In a rehearsal (`rehearsed`) nobody was paged, but somebody would have been.
    `what` says what the page is for, whatever its words; `in_doubt` are the ids of the changes of which it
    says that they may or may not have been made. Earlier releases have both in the words alone. A page that
    `outlasts` the incident is about what stays as it is although the checks are well. `reopened` is how often
    the incident had been reopened by then.
    """

    type: Literal["IncidentEscalated"] = "IncidentEscalated"
    because: OutsideText
    commands: tuple[OutsideText, ...] = ()
    rehearsed: bool = False
    about: str = ""
    outlasts: bool = False
    what: Escalation | None = None
    in_doubt: tuple[str, ...] = ()
    reopened: int = 0

    @property
    def journal_key(self) -> str | None:
        """Once for what it is about, until it is reopened; an earlier release's has none."""
        if self.what is None:
            return None
        subject = sha256(self.what.subject.encode()).hexdigest()
        return numbered(f"escalated:{self.what.kind}:{subject}", self.reopened)

    def is_for(self, other: "IncidentEscalated") -> bool:
        """Whether both are about the same; an event of an earlier release is known by its words.

        Releases before that had the commands in them.
        """
        if self.what is not None and other.what is not None:
            return self.what == other.what
        if (
            self.what is None
            and other.what is not None
            and self.because.startswith(_earlier_words(other.what))
        ):
            return True
        return _reason(self) == _reason(other)


_EARLIER_WORDS = {
    EscalationKind.NO_DECISION: ("the facts do not suffice for a decision",),
    EscalationKind.NO_RECOVERY_AFTER_ALERTS: ("no alert fires any more, but the checks do not show",),
    EscalationKind.NOT_STARTED: ("Prefect does not answer, so the response has not been started",),
}
"""How earlier releases began a page of a kind without a subject."""


def _earlier_words(what: Escalation) -> tuple[str, ...]:
    """How releases without `what` began a page whose words have changed since."""
    if what.kind is EscalationKind.UNANSWERED_GATE:
        return (f"nobody has answered {what.subject} since ",)
    return _EARLIER_WORDS.get(what.kind, ())


def _reason(event: IncidentEscalated) -> str:
    return event.because.partition(". By hand:\n")[0]
