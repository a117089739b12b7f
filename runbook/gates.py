"""What a gate asks and what can be answered."""

from enum import StrEnum
from typing import Literal

from runbook.outside_text import OutsideName, OutsideText, OutsideTexts
from runbook.value import Value


class Choice(StrEnum):
    """The answers to a gate.

    `edit` changes parameters and leads to a new preview; `snooze` is "not yet": the question stays open.
    """

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    SNOOZE = "snooze"


Channel = Literal["prefect-ui", "cli", "drill", "policy", "approved-with-the-change"]
"""How an answer came in. The last two are no person at that moment: a policy of the configuration said yes
beforehand, or the approval of a change covers its undo.
"""


class InvalidAnswer(ValueError):
    """An answer that cannot be accepted; the text says what is missing."""


class Answer(Value):
    """What a person said at a gate. An approver typed into the Prefect UI is a claim, not a proof.

    `parameters` come with an edit, `snooze_minutes` with a snooze.
    """

    choice: Choice
    approver: OutsideName
    reason: OutsideText = ""
    channel: Channel = "prefect-ui"
    identity_proven: bool = False
    parameters: OutsideTexts = {}
    snooze_minutes: int | None = None


def complete(answer: Answer) -> Answer:
    """Check that an answer says all that its choice needs, with white space trimmed.

    Prefect's form makes every pre-filled field optional, so the model's own limits do not hold there and
    each answer is checked again here.

    Raises:
        InvalidAnswer: no approver, a rejection without a reason, an edit without parameters, or a snooze of
            no length.
    """
    approver, reason = answer.approver.strip(), answer.reason.strip()
    if not approver:
        raise InvalidAnswer("the approver is empty: say who decides")
    if answer.choice is Choice.REJECT and not reason:
        raise InvalidAnswer("a rejection needs a reason: the next person must know why")
    if answer.choice is Choice.EDIT and not answer.parameters:
        raise InvalidAnswer("an edit needs a parameter with its new value")
    if answer.choice is Choice.SNOOZE and answer.snooze_minutes is not None and answer.snooze_minutes < 1:
        raise InvalidAnswer("a snooze takes at least a minute")
    return answer.model_copy(update={"approver": approver, "reason": reason})
