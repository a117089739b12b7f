"""The texts for the public that a person was asked about, and what became of each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from runbook.channels.local_time import stamp
from runbook.incidents.effects import SUCCEEDED
from runbook.incidents.events import (
    EffectSettled,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
    PublicTextApproved,
    PublicTextProposed,
    PublicTextWithheld,
    StatusAnnounced,
)
from runbook.incidents.incident import Incident
from runbook.incidents.state import State

PublicAnswer = PublicTextApproved | PublicTextWithheld


@dataclass
class Proposal:
    """A text that a person was asked about at `at`; times are aware UTC.

    `ended` says why it is not asked about any more, other than by an answer or since it is published; it is
    `announced` once the journal says that the public was told.
    """

    text: PublicTextProposed
    at: datetime
    answer: PublicAnswer | None = None
    answered_at: datetime | None = None
    published: bool = False
    announced: bool = False
    ended: str = ""

    @property
    def waits(self) -> bool:
        """Whether it can be answered now."""
        return self.answer is None and not self.published and not self.ended

    @property
    def approved(self) -> bool:
        """Whether a person lets it be published."""
        return isinstance(self.answer, PublicTextApproved)

    @property
    def body(self) -> str:
        """Its words, in those of the person who approved it where they have changed them."""
        return (self.answer.body if isinstance(self.answer, PublicTextApproved) else "") or self.text.body

    @property
    def new_title(self) -> str:
        """The title of the person who approved it, where they have changed it."""
        return self.answer.title if isinstance(self.answer, PublicTextApproved) else ""

    @property
    def title(self) -> str:
        """Its title, likewise."""
        return self.new_title or self.text.title

    def told_at(self, now: datetime, time_zone: str, *, again: bool) -> str:
        """Its words with the present time in the place of the one at which they were proposed.

        A text that is told `again` says when, also where a person has left the time out: it would look like
        the one before.
        """
        then, at = stamp(self.text.worded_at, time_zone), stamp(now, time_zone)
        if then in self.body:
            return self.body.replace(then, at)
        return f"{self.body}\nLast updated: {at}" if again else self.body


def every_answer(_answer: PublicAnswer) -> bool:
    """Takes any."""
    return True


def proposals(
    incident: Incident, takes: Callable[[PublicAnswer], bool] = every_answer
) -> tuple[Proposal, ...]:
    """All texts that were proposed, oldest first; of the answers those that `takes` lets count.

    The first answer counts, and none to a text that another one has replaced.
    """
    found: list[Proposal] = []
    for item in incident.journal:
        match item.event:
            case PublicTextProposed() as text:
                _end(found, "another text has replaced it", channel=text.channel)
                found.append(Proposal(text, item.at))
            case PublicTextApproved() | PublicTextWithheld() as answer if takes(answer):
                for each in found:
                    if each.waits and each.text.digest == answer.proposal:
                        each.answer, each.answered_at = answer, item.at
            case EffectSettled() as settled if settled.effect.outcome in SUCCEEDED:
                for each in found:
                    its = (each.text.channel, each.text.message)
                    if its == (settled.effect.kind, settled.effect.message):
                        each.published = True
            case StatusAnnounced() as told:
                for each in found:
                    said = (each.text.channel, each.text.state) == (told.channel, told.state)
                    each.announced = each.announced or (said and each.published)
            case IncidentReopened():
                _end(found, "the incident was reopened")
            case IncidentResolved() | IncidentMerged():
                _end(found, "the incident has ended", but=State.RESOLVED)
            case _:
                pass
    return tuple(found)


def _end(found: list[Proposal], because: str, *, channel: str = "", but: State | None = None) -> None:
    """End what is not published yet, in that channel, but for a text of that state."""
    for each in found:
        if not (each.published or each.ended) and channel in ("", each.text.channel):
            each.ended = "" if each.text.state == but else because
