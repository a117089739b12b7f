"""Effects on the outside world, as the journal knows them.

Every change, message and page is one effect: its intent is written before it, its outcome after it. An
intent without an outcome is what a crash leaves behind; reading the target tells what happened.
"""

from datetime import datetime
from enum import StrEnum

from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.outside_text import OutsideFields, OutsideLine, OutsideName, OutsideText
from runbook.value import Value


class Authority(Value):
    """Who allowed an effect: an answered gate, or a policy of the configuration."""

    kind: str
    reference: str
    by: OutsideName

    @classmethod
    def approval(cls, gate: str, approver: str) -> "Authority":
        """A person approved at a gate."""
        return cls(kind="approval", reference=gate, by=approver)

    @classmethod
    def policy(cls, name: str) -> "Authority":
        """The configuration allows this kind of effect without asking."""
        return cls(kind="policy", reference=name, by=f"policy:{name}")


class EffectOutcome(StrEnum):
    """How an effect ended. `unsettled`: in doubt, so a person must check whether it happened."""

    APPLIED = "applied"
    ALREADY_IN_PLACE = "already_in_place"
    FAILED = "failed"
    UNSETTLED = "unsettled"


SUCCEEDED = (EffectOutcome.APPLIED, EffectOutcome.ALREADY_IN_PLACE)
"""How an effect ends that has happened: the change is made, the message has arrived."""

CHANGE = "kubernetes"
"""The kind of effect that changes the cluster. All other kinds are channels, in which people are told."""


NOT_REACHED = "not_reached"
"""In the receipt of a message: which readers the channel has refused beside others whom it took, and why.

The message counts as sent, since it must not come twice to those who have it.
"""


TITLE_KEPT = "title_kept"
"""In the receipt of a public text: that the entry has not taken a person's title, and what to do."""


class Effect(Value):
    """One effect, as recorded.

    `id` is stable across retries and crashes, and carried to the target where the target can carry one.
    `digest` is that of a public text, by which it is known again. `not_before` (aware UTC) is when the target
    wants to be asked again at the earliest, where it said so.
    """

    id: str
    kind: str
    target: OutsideLine
    summary: OutsideText
    authority: Authority
    outcome: EffectOutcome | None = None
    detail: OutsideText = ""
    receipt: OutsideFields = {}
    not_before: datetime | None = None
    digest: str = ""

    @property
    def is_change(self) -> bool:
        """Whether it changes the cluster; otherwise it is a message to people."""
        return self.kind == CHANGE

    @property
    def in_doubt(self) -> bool:
        """Whether it is in doubt: it may or may not have happened."""
        return self.outcome in (None, EffectOutcome.UNSETTLED)

    @property
    def not_reached(self) -> str:
        """Whom a message has not reached that others have got, and why; empty where it reached everybody."""
        return str(self.receipt.get(NOT_REACHED, ""))

    @property
    def title_kept(self) -> str:
        """That a public entry has not taken its new title; empty where it has, or was given none."""
        return str(self.receipt.get(TITLE_KEPT, ""))

    @property
    def owner(self) -> str:
        """The id of the action that it is a step of; of a message, its channel."""
        return EffectId(self.id).owner

    @property
    def message(self) -> MessageName:
        """The name of the message, where it is one."""
        return EffectId(self.id).message
