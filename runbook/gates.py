"""What a gate asks and what can be answered."""

from enum import StrEnum
from typing import Literal

from runbook.value import Value


class Choice(StrEnum):
    """The answers to a gate. `not yet` keeps the question open."""

    APPROVE = "approve"
    REJECT = "reject"
    NOT_YET = "not yet"


Channel = Literal["prefect-ui", "cli", "drill"]
"""How an answer came in."""


class InvalidAnswer(ValueError):
    """An answer that cannot be accepted; the text says what is missing."""


class Answer(Value):
    """What a person said at a gate. An approver typed into the Prefect UI is a claim, not a proof."""

    choice: Choice
    approver: str
    reason: str = ""
    channel: Channel = "prefect-ui"
    identity_proven: bool = False


def accept(answer: Answer) -> Answer:
    """Check an answer, with white space trimmed.

    Prefect's form makes every pre-filled field optional, so the model's own limits do not hold there and
    each answer is checked again here.

    Raises:
        InvalidAnswer: no approver, or a rejection without a reason.
    """
    approver, reason = answer.approver.strip(), answer.reason.strip()
    if not approver:
        raise InvalidAnswer("the approver is empty: say who decides")
    if answer.choice is Choice.REJECT and not reason:
        raise InvalidAnswer("a rejection needs a reason: the next person must know why")
    return answer.model_copy(update={"approver": approver, "reason": reason})
