"""An answer to the made-up question, as a command gives it and as a journal holds it."""

from runbook.approvals.gates import Answer, Choice
from runbook.incidents.events import ApprovalAnswered, Event
from tests.deployments.journal_samples import FALLBACK, GATE, PLAN
from tests.deployments.sleeping_run import ASKING

SEEN = ("--plan", PLAN.digest[:12])


def answered(choice: Choice, approver: str) -> ApprovalAnswered:
    """The gate's answer as it stands in a journal."""
    return ApprovalAnswered(
        gate=GATE,
        action_id=FALLBACK.id,
        plan_digest=PLAN.digest,
        answer=Answer(choice=choice, approver=approver, reason="seen", channel="prefect-ui"),
    )


def opened(**fields: object) -> tuple[Event, ...]:
    """The incident that asks, opened otherwise."""
    return (ASKING[0].model_copy(update=fields), *ASKING[1:])
