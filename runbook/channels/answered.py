"""What a question in a chat shows once it is answered: who answered what, when, and how that is known.

The receiver shows it at once where somebody clicked, the run later wherever the question was posted. Both
take their words from here.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from runbook.approvals.gates import SNOOZE_MINUTES, STANDING, Answer, Choice
from runbook.approvals.identity import identity_words
from runbook.channels.cards.slack_blocks import MOST_BLOCKS
from runbook.channels.wording import ANSWERED, INSTEAD
from runbook.outside_text import let_in_line
from runbook.outside_text.slack import SlackText, slack

ANSWERED_ID = "runbook.answered"
"""The id of the block that says who answered."""

_LONGEST_REASON = 500

Block = Mapping[str, Any]
"""A block of Block Kit."""


def answered_words(answer: Answer, at: datetime) -> str:
    """`ana approved at 14:05 UTC (proven by Slack)`, with what a rejection, an edit or a snooze adds.

    `at` is when the journal took it (aware). The name of the account that proves a person is left out: it is
    in the timeline.
    """
    said = f"{answer.approver} {ANSWERED[answer.choice]} at {at.astimezone(UTC):%H:%M} UTC{_known_by(answer)}"
    more = _more(answer, at)
    return f"{said}: {more}" if more else said


def _known_by(answer: Answer) -> str:
    if answer.channel in STANDING:
        return ""
    own = answer.identity.name if answer.identity is not None else answer.approver
    return f" ({identity_words(answer.identity, of=own, earlier_proof=answer.identity_proven)})"


def _more(answer: Answer, at: datetime) -> str:
    match answer.choice:
        case Choice.REJECT:
            instead = INSTEAD[answer.instead] if answer.instead else ""
            return "; ".join(filter(None, (let_in_line(answer.reason, _LONGEST_REASON), instead)))
        case Choice.EDIT:
            return ", ".join(f"{name} = {value}" for name, value in answer.parameters.items())
        case Choice.SNOOZE:
            again = at.astimezone(UTC) + timedelta(minutes=answer.snooze_minutes or SNOOZE_MINUTES)
            return f"not before {again:%H:%M} UTC"
        case _:
            return let_in_line(answer.reason, _LONGEST_REASON)


def answered_line(answer: Answer, at: datetime) -> SlackText:
    """The same in Slack's markup: what people wrote is escaped and masked."""
    return slack(answered_words(answer, at))


def answered_blocks(blocks: Sequence[Block], line: SlackText) -> list[Block]:
    """The blocks of an answered question: as they were, with this line in the place of the buttons.

    Of blocks that have such a line already it is exchanged.
    """
    kept = [
        block for block in blocks if block.get("type") != "actions" and block.get("block_id") != ANSWERED_ID
    ]
    text = {"type": "mrkdwn", "text": str(line), "verbatim": True}
    context: Block = {"type": "context", "block_id": ANSWERED_ID, "elements": [text]}
    return [*kept[: MOST_BLOCKS - 1], context]
