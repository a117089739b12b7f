"""Plans, and what people answer to them, in sentences."""

from runbook.channels.wording import ANSWERED, INSTEAD, count
from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.ApprovalWithdrawn) -> str:
    return f"The question about {event.action_id} was withdrawn: {event.because}"


@sentence.register
def _(event: e.ActionPreviewed) -> str:
    plan = event.plan
    outcome = f"not possible, {plan.blocked}" if plan.blocked else "the exact change is known"
    if plan.in_place:
        outcome = f"nothing to do, {plan.in_place}"
    return f"Previewed: {plan.action.spec.title} on {plan.action.target}: {outcome}"


@sentence.register
def _(event: e.PlanDrifted) -> str:
    void = f"; the approval of {', '.join(event.voided)} is void" if event.voided else ""
    return f"The plan of {event.action_id} is no longer valid: {'; '.join(event.because)}{void}"


@sentence.register
def _(event: e.ApprovalReminded) -> str:
    return f"{'A person was paged' if event.escalated else 'Reminded'}: {event.gate} is unanswered"


@sentence.register
def _(event: e.ApprovalRequested) -> str:
    asked = event.question.strip().splitlines()
    return f"Approval requested: {asked[0].lstrip('# ') if asked else event.action_id}"


@sentence.register
def _(event: e.ApprovalAnswered) -> str:
    answer = event.answer
    reason = f": {answer.reason}" if answer.reason else ""
    edits = "".join(f", {name} = {value}" for name, value in answer.parameters.items())
    how = f"{answer.channel}, {answer.known_by}" if answer.known_by else answer.channel
    instead = f"; {INSTEAD[answer.instead]}" if answer.instead else ""
    return f"{answer.approver} {ANSWERED[answer.choice]} {event.action_id}{edits} ({how}){reason}{instead}"


@sentence.register
def _(event: e.ApprovalLapsed) -> str:
    return (
        f"The approval of {event.action_id} by {', '.join(event.by)} is no longer valid: they are no "
        "longer allowed to approve it"
    )


@sentence.register
def _(event: e.ApprovalExpired) -> str:
    by = f" by {', '.join(event.by)}" if event.by else ""
    return f"The approval of {event.action_id}{by} has expired: the cluster was unavailable for too long"


@sentence.register
def _(event: e.ApprovalRefused) -> str:
    return f"An answer for {event.action_id} could not be accepted: {event.because}"


@sentence.register
def _(event: e.AnswerPlanted) -> str:
    return f"{count(event.answers, 'answer')} did not belong to a question of the runbook; none was accepted"
