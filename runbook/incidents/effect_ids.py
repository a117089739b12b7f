"""Ids of effects: the one place that builds them and reads them.

An effect's id is its incident, what it belongs to (an action, or a channel) and its name there. Its text is
stored in journals and carried to targets, so its form never changes.
"""

import re
from datetime import datetime


def change_id(incident_id: str, action_id: str) -> str:
    """The id of an action as a whole: what the objects that it changes are marked with."""
    return f"{incident_id}/{action_id}"


class MessageName(str):
    """What a message is about, the same in every channel. Within a channel it is told once."""

    __slots__ = ()

    @classmethod
    def announcement(cls, state: str, number: int | None = None) -> "MessageName":
        """The incident's state is announced; `number` if a channel may get the same state again."""
        return cls(state.lower() if number is None else f"{state.lower()}-{number}")

    @classmethod
    def refreshed(cls, state: str, number: int) -> "MessageName":
        """The public hears of the state again; the number is that of all it was told, from 1."""
        return cls(f"{state.lower()}-{_REFRESHED}-{number}")

    @classmethod
    def opening(cls) -> "MessageName":
        """A person is paged because the incident is severe."""
        return cls(_OPENED)

    @classmethod
    def reopening(cls, number: int) -> "MessageName":
        """A person is paged because the incident is severe and goes on again; reopenings count from 1."""
        return cls(f"{_REOPENED}-{number}")

    @classmethod
    def raised(cls, severity: str, reopened: int = 0) -> "MessageName":
        """A person is paged because the incident is more severe than was paged since it began to go on."""
        return cls(_again(f"{_RAISED}-{severity.lower()}", reopened))

    @classmethod
    def merged(cls, reopened: int = 0) -> "MessageName":
        """The response goes on in another incident."""
        return cls(_again("merged", reopened))

    @classmethod
    def escalation(cls, number: int) -> "MessageName":
        """A person is paged because the runbook cannot go on; escalations are counted from 1."""
        return cls(f"{_ESCALATED}{number}")

    @classmethod
    def hand_off(cls, action_id: str) -> "MessageName":
        """What only a person can do."""
        return cls(action_id)

    @classmethod
    def reminder(cls, gate: str) -> "MessageName":
        """Nobody has answered a gate."""
        return cls(f"reminder-{gate}")

    @classmethod
    def clock(cls, clock: str, due_at: datetime, again: int = 0) -> "MessageName":
        """A clock nears its end; `due_at` (aware UTC) tells one promise from the next.

        `again` is how often its reminder was put off.
        """
        name = f"clock-{clock.replace(' ', '-')}-{due_at:%Y%m%d%H%M%S}"
        return cls(f"{name}-again-{again}" if again else name)

    @classmethod
    def question(cls, gate: str) -> "MessageName":
        """People are asked about a change; the gate is the first one that asks about it."""
        return cls(f"question-{gate}")

    @classmethod
    def edit(cls, of: "MessageName", number: int) -> "MessageName":
        """A message is changed where it stands; the number counts its changes, from 1."""
        return cls(f"{_EDIT}{number}{_OF}{of}")

    @classmethod
    def file(cls, kind: str, of: "MessageName") -> "MessageName":
        """A file goes with a message; the kind tells it from the other files of that one."""
        return cls(f"{_FILE}{kind}{_OF}{of}")

    @classmethod
    def switch_left_on(cls, action_id: str, number: int) -> "MessageName":
        """The switch of an action may still be on; the number is that of the check, from 1."""
        return cls(f"{action_id}-left-on-{number}")

    @classmethod
    def outage(cls, action_id: str, number: int) -> "MessageName":
        """An action waits for a cluster that does not answer; the number is that of the outage, from 1."""
        return cls(f"outage-{action_id}-{number}")

    @classmethod
    def lead(cls, number: int) -> "MessageName":
        """Somebody leads the incident; the number is that of the assignment, from 1."""
        return cls(f"lead-{number}")

    @classmethod
    def new_verdict(cls, round: int) -> "MessageName":
        """The plan is outdated, and the verdict of that round follows."""
        return cls(f"anew-{round}")

    @classmethod
    def refused_answers(cls) -> "MessageName":
        """Somebody has written an answer that belongs to no question."""
        return cls("answers-refused")

    @classmethod
    def seen_on_page(cls, digest: str) -> "MessageName":
        """Somebody else has written on our status page; the digest is that of what was seen."""
        return cls(f"page-seen-{digest}")

    @classmethod
    def refused_public(cls, digest: str) -> "MessageName":
        """A text was not published; the digest is that of the refusal."""
        return cls(f"not-published-{digest}")

    @classmethod
    def public_text(cls, channel: str, message: str, number: int) -> "MessageName":
        """People are asked about the text of a message in a public channel, the number counts, from 1."""
        return cls(f"public-text-{channel}-{message}-{number}")

    @classmethod
    def unwritten_file(cls, digest: str) -> "MessageName":
        """A file of the runbook could not be written; the digest is that of the file and the cause."""
        return cls(f"not-written-{digest}")

    @property
    def end(self) -> "MessageName":
        """The end of this page."""
        return MessageName(f"{self}{_ENDED}")

    @property
    def acknowledgement(self) -> "MessageName":
        """That somebody has this page."""
        return MessageName(f"{self}{_ACKNOWLEDGED}")

    @property
    def edited(self) -> "MessageName | None":
        """Which message this changes where it stands; `None` where it is a message of its own."""
        number, _, name = self.removeprefix(_EDIT).partition(_OF)
        is_one = self.startswith(_EDIT) and number.isdecimal() and bool(name)
        return MessageName(name) if is_one else None

    @property
    def is_file(self) -> bool:
        """Whether it is a file beside a message, whose failure says nothing of the messages."""
        return self.startswith(_FILE) and _OF in self

    @property
    def is_page(self) -> bool:
        """Whether, where it is for a pager, it pages a person, rather than says what became of a page."""
        return not self.endswith((_ENDED, _ACKNOWLEDGED))

    @property
    def is_for_severity(self) -> bool:
        """Whether it pages a person because the incident is severe, rather than for a reason of its own."""
        return self.is_page and self.partition("-")[0] in (_OPENED, _REOPENED, _RAISED)

    @property
    def announced_state(self) -> str:
        """The state that an announcement has, in capitals; of another message, not the name of a state."""
        return self.partition("-")[0].upper()

    @property
    def is_refresh(self) -> bool:
        """Whether it says again what was announced."""
        return f"-{_REFRESHED}-" in self

    @property
    def escalation_number(self) -> int | None:
        """Which escalation it pages a person for; `None` for any other message."""
        found = _ESCALATION.fullmatch(self)
        return int(found["number"]) if found else None


class EffectId(str):
    """The id of an effect; any text of a journal can be read as one."""

    __slots__ = ()

    @classmethod
    def of_step(cls, change: str, name: str) -> "EffectId":
        """A step of the change with that `change_id`."""
        return cls(f"{change}/{name}")

    @classmethod
    def of_message(cls, incident_id: str, channel: str, name: MessageName) -> "EffectId":
        """A message in a channel."""
        return cls(f"{incident_id}/{channel}/{name}")

    @property
    def incident_id(self) -> str:
        """The incident."""
        return self.partition("/")[0]

    @property
    def change(self) -> str:
        """The `change_id` of the action that it is a step of."""
        return self.rpartition("/")[0]

    @property
    def owner(self) -> str:
        """The id of the action, or the channel; empty in a text that names none."""
        return self.partition("/")[2].rpartition("/")[0]

    @property
    def name(self) -> str:
        """The step of the action, or the name of the message in the channel."""
        return self.rpartition("/")[2]

    @property
    def message(self) -> MessageName:
        """The name, where it is that of a message."""
        return MessageName(self.name)


def _again(name: str, reopened: int) -> str:
    """The name of what may be told once more after each reopening."""
    return f"{name}-{reopened + 1}" if reopened else name


_OPENED, _REOPENED, _RAISED = "opened", "reopened", "raised"
_EDIT, _FILE, _OF = "edit-", "file-", "-of-"
_REFRESHED = "refreshed"
_ESCALATED, _ENDED, _ACKNOWLEDGED = "escalated-", "-resolved", "-acknowledged"
_ESCALATION = re.compile(rf"{_ESCALATED}(?P<number>[1-9]\d*)")
