"""What a gate asks and what can be answered."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from runbook.approvals.identity import Identity, Proof, identity_words
from runbook.approvals.names import name_flaw, tidy
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


class Instead(StrEnum):
    """What happens instead of a change that was rejected.

    `by-hand`: people do it themselves, and the runbook watches for the result. `nothing`: nothing for now;
    the runbook asks again later. `wrong-verdict`: the verdict is wrong, so that the runbook decides anew, and
    plans nothing under this verdict.
    """

    BY_HAND = "by-hand"
    NOTHING = "nothing"
    WRONG_VERDICT = "wrong-verdict"


ASK_AGAIN_MINUTES = 60
"""Minutes until the question comes back where a rejection wants nothing for now, and says nothing else."""

SNOOZE_MINUTES = 15
"""Minutes until the reminder where a snooze says nothing else."""

Channel = Literal["prefect-ui", "cli", "api", "slack", "drill", "policy", "approved-with-the-change"]
"""How an answer came in. The last two are no person at that moment: a policy of the configuration said yes
beforehand, or the approval of a change covers its undo.
"""

STANDING = frozenset({"policy", "approved-with-the-change"})
"""Channels of approvals that stood before the question came up; only the runbook itself writes them."""


class InvalidAnswer(ValueError):
    """An answer that cannot be accepted; the text says what is missing."""


class Unproven(InvalidAnswer):
    """An unproven name where a proof is required; the text says how to prove it."""

    def __init__(self, name: str, what: str, proofs: Sequence[Proof]) -> None:
        taken = f" (by {' or '.join(proofs)})" if proofs else ""
        super().__init__(
            f"it is not proven that this is {name}, which is required for {what}{taken}: {HOW_TO_PROVE}"
        )


HOW_TO_PROVE = (
    "answer with `runbook approve` on the receiver's machine, through its local socket; or from anywhere "
    "with RUNBOOK_URL and your RUNBOOK_TOKEN; or sign, with the key that `runbook login` makes"
)


class Answer(Value):
    """What a person said at a gate.

    `approver` is a person of the settings where they know the name. `identity` tells how that is known;
    without one, as from the Prefect UI, it is a claim. `parameters` come with an edit, `snooze_minutes` with
    a snooze or a rejection for now, `instead` with a rejection. `identity_proven` is how earlier releases
    wrote that a name was proven; it counts in their journals only.
    """

    choice: Choice
    approver: OutsideName
    reason: OutsideText = ""
    channel: Channel = "prefect-ui"
    identity: Identity | None = None
    identity_proven: bool = False
    parameters: OutsideTexts = {}
    snooze_minutes: int | None = None
    instead: Instead | None = None

    @property
    def known_by(self) -> str:
        """How it is known who said this, in words; empty if it was not a person."""
        if self.channel in STANDING:
            return ""
        return identity_words(self.identity, of=self.approver, earlier_proof=self.identity_proven)


def is_standing(answer: Answer) -> bool:
    """Whether this is an approval that stood before the question; a standing rejection does not exist."""
    return answer.channel in STANDING and answer.choice is Choice.APPROVE


def complete(answer: Answer) -> Answer:
    """Check that an answer says all that its choice needs, with white space trimmed and the name in one form.

    Prefect's form makes every pre-filled field optional, so the model's own limits do not hold there and
    each answer is checked again here.

    Raises:
        InvalidAnswer: no approver, one whose name hides what it is, a rejection without a reason, an edit
            without parameters, or a snooze of no length; or something other than a rejection that says what
            happens instead.
    """
    approver, reason = tidy(answer.approver), answer.reason.strip()
    if not approver:
        raise InvalidAnswer("the approver is empty: say who decides")
    if flaw := name_flaw(answer.approver):
        raise InvalidAnswer(f"nobody can answer as {ascii(approver)[1:-1]}: {flaw}")
    if answer.choice is Choice.REJECT and not reason:
        raise InvalidAnswer("a rejection needs a reason: the next person must know why")
    if answer.instead is not None and answer.choice is not Choice.REJECT:
        raise InvalidAnswer("what happens instead is said with a rejection only")
    if answer.choice is Choice.EDIT and not answer.parameters:
        raise InvalidAnswer("an edit needs a parameter with its new value")
    if answer.choice is Choice.SNOOZE and answer.snooze_minutes is not None and answer.snooze_minutes < 1:
        raise InvalidAnswer("a snooze takes at least a minute")
    return answer.model_copy(update={"approver": approver, "reason": reason})


class PendingGate(Value):
    """A question that waits for a person. Times are aware UTC; `remind_at` is what someone asked for.

    `bound` is true where its form names the plan, too.
    """

    gate: str
    action_id: str
    plan_digest: str
    question: str
    flow_run_id: str
    asked_at: datetime
    remind_at: datetime | None = None
    bound: bool = False
