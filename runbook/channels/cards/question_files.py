"""The files of a question: the whole diff where the message shows fewer lines, and the error rate's chart.

A question waits for none of them: they come after it. A file that Slack may have shared is not shared again,
and one that it refuses is not tried again in the incident, nor is any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from runbook.actions.essence import decisive_lines, folded
from runbook.channels.cards.questions import Question, plan_of, questions
from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.effects import SUCCEEDED, Effect, EffectOutcome
from runbook.incidents.incident import Incident

LINK = "link"
"""In a receipt: the address of the file."""

MOST_TRIES = 3
"""How often a file is tried that the channel, or what it is made of, could not be reached for."""

MOST_IN_MESSAGE = 2_000
"""Characters of a diff without a changed line that a message has room for."""

_LETTERS = 12


class FileKind(StrEnum):
    """What a file is."""

    DIFF = "diff"
    CHART = "chart"


_NAMES = {FileKind.DIFF: "whole-diff-{}.diff", FileKind.CHART: "error-rate-{}.png"}


@dataclass(frozen=True)
class QuestionFile:
    """A file of an open question, in one channel: what the journal has of it, and how often it was tried."""

    question: Question
    kind: FileKind
    effect_id: EffectId
    known: Effect | None
    tries: int

    @property
    def file_name(self) -> str:
        """A name that no other file of the thread has."""
        return _NAMES[self.kind].format(sha256(self.effect_id.encode()).hexdigest()[:_LETTERS])

    @property
    def in_doubt(self) -> bool:
        """Whether it may be there: it is looked for once, and never shared again."""
        return self.known is not None and self.known.in_doubt


def due_files(incident: Incident, channel: str, *, now: datetime) -> list[QuestionFile]:
    """The files that the newest question lacks at `now` (aware UTC), once it is in the channel.

    One that was answered before they came has them too: whoever follows the thread sees what was decided on.
    Not one that was withdrawn, nor any once the response has ended.
    """
    asked = questions(incident)
    if not asked or asked[-1].ended or incident.end is not None or _refused(incident, channel):
        return []
    sent = incident.effects.get(EffectId.of_message(incident.id, channel, asked[-1].name))
    if sent is None or sent.outcome not in SUCCEEDED:
        return []
    return [file for file in _files(incident, channel, asked[-1]) if _is_due(file, now)]


def diff_is_shared(incident: Incident, channel: str, question: Question) -> str | None:
    """The address of the whole diff in the channel, empty where it has none; `None` where it is not there."""
    effect = incident.effects.get(_id(incident, channel, question, FileKind.DIFF))
    if effect is None or effect.outcome not in SUCCEEDED:
        return None
    return str(effect.receipt.get(LINK, ""))


def _files(incident: Incident, channel: str, question: Question) -> Iterator[QuestionFile]:
    plan = plan_of(incident, question)
    kinds = [FileKind.CHART]
    if plan is not None and not _is_shown_whole(plan.diff):
        kinds.insert(0, FileKind.DIFF)
    for kind in kinds:
        effect_id = _id(incident, channel, question, kind)
        tries = len(incident.outcomes_of(effect_id))
        yield QuestionFile(question, kind, effect_id, incident.effects.get(effect_id), tries)


def _is_shown_whole(diff: str) -> bool:
    """Whether the message shows every line: it leaves out those around a change, and cuts what is long."""
    decisive = decisive_lines(diff)
    if not decisive.text:
        return folded(diff) == diff and len(diff) <= MOST_IN_MESSAGE
    return decisive.complete and len(decisive.text.splitlines()) >= len(diff.splitlines())


def _id(incident: Incident, channel: str, question: Question, kind: FileKind) -> EffectId:
    return EffectId.of_message(incident.id, channel, MessageName.file(kind, question.name))


def _is_due(file: QuestionFile, now: datetime) -> bool:
    known = file.known
    if known is None or known.outcome is None:
        return True
    if known.outcome is not EffectOutcome.FAILED or known.not_before is None:
        return False
    return file.tries < MOST_TRIES and now >= known.not_before


def _refused(incident: Incident, channel: str) -> bool:
    """Whether the channel has refused a file of this incident: what may heal has a time to try it again."""
    return any(
        effect.message.is_file and effect.outcome is EffectOutcome.FAILED and effect.not_before is None
        for effect in incident.messages_in(channel)
    )
