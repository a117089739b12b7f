"""Plans, the questions about them, and the answers."""

from datetime import datetime
from typing import ClassVar, Literal

from runbook.actions.catalogue import ChangePlan
from runbook.approvals.gates import Answer
from runbook.incidents.events.base import JournalEvent
from runbook.outside_text import OutsideName, OutsideText


class ActionPreviewed(JournalEvent):
    """A change was dry-run; this is what would happen.

    `since` (aware UTC) is the time that goes into the change's requests, the same in every later preview.
    """

    type: Literal["ActionPreviewed"] = "ActionPreviewed"
    plan: ChangePlan
    since: datetime


class PlanDrifted(JournalEvent):
    """A plan that people were asked about is no longer valid; `because` says what has changed.

    `voided` are the people whose approval no longer counts.
    """

    type: Literal["PlanDrifted"] = "PlanDrifted"
    action_id: str
    old_digest: str
    new_digest: str
    because: tuple[OutsideText, ...]
    voided: tuple[OutsideName, ...] = ()


class ApprovalRequested(JournalEvent):
    """The run is suspended until someone answers. `gate` is unique for each time of asking.

    `remind_at` (aware UTC) is when someone who asked for a later time wants to be reminded. `bound` is true
    where the form has to name the plan beside the gate; those of earlier releases name the gate only.
    """

    type: Literal["ApprovalRequested"] = "ApprovalRequested"
    gate: str
    action_id: str
    plan_digest: str
    question: OutsideText
    flow_run_id: str
    remind_at: datetime | None = None
    bound: bool = False

    KEYS: ClassVar[str] = "ask:"
    """How its keys begin; the gate follows."""

    @property
    def journal_key(self) -> str:
        """Once for each gate."""
        return f"{self.KEYS}{self.gate}"


class ApprovalReminded(JournalEvent):
    """People were reminded of an unanswered gate; `escalated` if a person was paged about it."""

    type: Literal["ApprovalReminded"] = "ApprovalReminded"
    gate: str
    escalated: bool = False

    @property
    def journal_key(self) -> str:
        """A reminder and an escalation for each gate."""
        return f"{'escalated' if self.escalated else 'reminded'}:{self.gate}"


class ApprovalAnswered(JournalEvent):
    """Someone answered a gate."""

    type: Literal["ApprovalAnswered"] = "ApprovalAnswered"
    gate: str
    action_id: str
    plan_digest: str
    answer: Answer

    KEYS: ClassVar[str] = "answer:"
    """How its keys begin; the gate follows."""

    @classmethod
    def key_of(cls, gate: str) -> str:
        """The key of a gate."""
        return f"{cls.KEYS}{gate}"

    @property
    def journal_key(self) -> str:
        """Once for each gate."""
        return self.key_of(self.gate)


class ApprovalLapsed(JournalEvent):
    """Just before the change its approval was no longer valid: the approver is no longer allowed or proven.

    `by` are the people whose approval that was.
    """

    type: Literal["ApprovalLapsed"] = "ApprovalLapsed"
    action_id: str
    plan_digest: str
    by: tuple[OutsideName, ...]


class ApprovalExpired(JournalEvent):
    """The cluster was away for longer than an approval holds: it has expired, and is asked for again.

    `by` are the people whose approval that was.
    """

    type: Literal["ApprovalExpired"] = "ApprovalExpired"
    action_id: str
    plan_digest: str
    by: tuple[OutsideName, ...]


class ApprovalRefused(JournalEvent):
    """An answer could not be accepted; the gate asks again."""

    type: Literal["ApprovalRefused"] = "ApprovalRefused"
    gate: str
    action_id: str
    because: OutsideText

    KEYS: ClassVar[str] = "refused:"
    """How its keys begin; the gate follows."""

    @classmethod
    def key_of(cls, gate: str) -> str:
        """The key of a gate whose answer was refused."""
        return f"{cls.KEYS}{gate}"

    @property
    def journal_key(self) -> str:
        """Once for each gate."""
        return self.key_of(self.gate)


class ApprovalWithdrawn(JournalEvent):
    """A question that nobody had answered was withdrawn; `because` says why."""

    type: Literal["ApprovalWithdrawn"] = "ApprovalWithdrawn"
    gate: str
    action_id: str
    because: OutsideText

    KEYS: ClassVar[str] = "withdrawn:"
    """How its keys begin; the gate follows."""

    @classmethod
    def key_of(cls, gate: str) -> str:
        """The key of a gate that was withdrawn."""
        return f"{cls.KEYS}{gate}"

    @property
    def journal_key(self) -> str:
        """Once for each gate."""
        return self.key_of(self.gate)


class AnswerPlanted(JournalEvent):
    """Somebody has written answers that belong to no question into Prefect or the store: none counts."""

    type: Literal["AnswerPlanted"] = "AnswerPlanted"
    flow_run_id: str
    answers: int

    @property
    def journal_key(self) -> str:
        """Once for each flow run."""
        return f"planted:{self.flow_run_id}"
