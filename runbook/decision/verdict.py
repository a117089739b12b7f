"""The words of a decision: questions, answers, verdicts, error types, and the decision itself."""

from enum import StrEnum

from runbook.actions.catalogue import PlannedAction
from runbook.decision.leaves import Verdict
from runbook.decision.severity import SeverityAssessment
from runbook.outside_text import OutsideText
from runbook.value import Value

__all__ = ["Branch", "Counterfactual", "Decision", "ErrorType", "Question", "Reply", "Verdict"]


class Question(StrEnum):
    """The three questions of the runbook's decision tree."""

    POSTHOG_RETURNING_ERRORS = "posthog_returning_errors"
    STATUS_PAGE_INCIDENT = "status_page_incident"
    SERVICE_HEALTHY = "service_healthy"

    @property
    def text(self) -> str:
        """The question as the runbook asks it."""
        return QUESTION_TEXTS[self]


QUESTION_TEXTS = {
    Question.POSTHOG_RETURNING_ERRORS: "PostHog API returning errors?",
    Question.STATUS_PAGE_INCIDENT: "Is status.posthog.com showing incident?",
    Question.SERVICE_HEALTHY: "Is our service healthy?",
}


class Reply(StrEnum):
    """How a question of the tree is answered; `unknown` where the facts do not suffice."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class ErrorType(StrEnum):
    """The error types of the runbook's "Immediate Actions"."""

    AUTHENTICATION = "authentication"
    RATE_LIMITED = "rate_limited"
    POSTHOG_ERRORS = "posthog_errors"
    INFRASTRUCTURE = "infrastructure"
    NONE = "none"
    UNKNOWN = "unknown"

    @property
    def heading(self) -> str:
        """As the runbook heads it."""
        return ERROR_HEADINGS[self]


ERROR_HEADINGS = {
    ErrorType.AUTHENTICATION: "401/403 - Authentication",
    ErrorType.RATE_LIMITED: "429 - Rate Limited",
    ErrorType.POSTHOG_ERRORS: "500/503 - PostHog Errors",
    ErrorType.INFRASTRUCTURE: "Infrastructure",
    ErrorType.NONE: "No errors",
    ErrorType.UNKNOWN: "Unknown",
}


class Branch(Value):
    """A question of the tree with its answer and the facts that gave it."""

    question: Question
    reply: Reply
    because: tuple[OutsideText, ...]

    @property
    def label(self) -> str:
        """The branch as one word pair: `status_page_incident: no`."""
        return f"{self.question}: {self.reply}"


class Counterfactual(Value):
    """A single fact that would lead to another verdict if it were different."""

    change: OutsideText
    verdict: Verdict


class Decision(Value):
    """What the runbook concludes from the findings, and why.

    `mix` is each error type's share of the errors seen, 0 to 1, with more than one entry when errors of
    several types come together; `error_type` is the largest.
    """

    verdict: Verdict
    error_type: ErrorType
    mix: dict[ErrorType, float]
    path: tuple[Branch, ...]
    severity: SeverityAssessment
    plan: tuple[PlannedAction, ...]
    would_flip: tuple[Counterfactual, ...] = ()

    @property
    def because(self) -> tuple[str, ...]:
        """The facts along the path, in order."""
        return tuple(reason for branch in self.path for reason in branch.because)
