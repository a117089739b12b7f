"""What is being done right now, as one line for stakeholders."""

from runbook.actions.catalogue import ActionOutcome, ActionResult, PlannedAction
from runbook.actions.outages import open_outage
from runbook.approvals.gates import Choice
from runbook.channels.wording import ACTION_OUTCOMES, OUTCOMES
from runbook.decision.verdict import Verdict
from runbook.incidents import events as e
from runbook.incidents.effects import Effect
from runbook.incidents.incident import Incident

SETTLED_WELL = frozenset(
    {
        ActionOutcome.DONE,
        ActionOutcome.RECOVERED,
        ActionOutcome.ALREADY_IN_PLACE,
        ActionOutcome.BY_HAND,
    }
)


def current_action(incident: Incident) -> str:
    """The newest thing that is under way; total for incidents that ended early."""
    decision, gate = incident.decision, incident.pending_gate
    if incident.outcome is not None:
        return f"none: the response has ended ({OUTCOMES[incident.outcome]})"
    if gate is not None:
        return f"waiting for approval: {_title(incident, gate.action_id)}"
    if decision is None:
        return "running the triage checks"
    if incident.pause is not None:
        return f"waiting for a person: {incident.pause.because}"
    changing = _under_way(incident)
    if changing is not None:
        return changing.summary
    following = _next(incident)
    if following is not None and open_outage(incident, following) is not None:
        return f"waiting for the cluster: {following.spec.title}"
    if following is not None:
        rejected = _is_rejected(incident, following)
        return f"{following.spec.title}: rejected" if rejected else f"next: {following.spec.title}"
    return _after_the_plan(incident)


def _is_rejected(incident: Incident, action: PlannedAction) -> bool:
    """Whether somebody has said no to it, and its run has not come by yet."""
    said = [it for it in incident.events(e.ApprovalAnswered) if it.action_id == action.id]
    return bool(said) and said[-1].answer.choice is Choice.REJECT


def _after_the_plan(incident: Incident) -> str:
    watch = incident.last(e.WatchStarted)
    trouble = [result for result in incident.results.values() if result.outcome not in SETTLED_WELL]
    if watch is not None:
        return f"watching until {', '.join(watch.waiting_for) or 'it is over'}"
    if trouble:
        return _told(trouble[-1])
    if incident.results:
        return _told(list(incident.results.values())[-1])
    verdict = incident.decision.verdict if incident.decision else Verdict.UNKNOWN
    return (
        "waiting for a person: there are not enough facts" if verdict is Verdict.UNKNOWN else verdict.advice
    )


def _told(result: ActionResult) -> str:
    return f"{result.action.spec.title}: {ACTION_OUTCOMES[result.outcome]}"


def _next(incident: Incident) -> PlannedAction | None:
    plan = incident.decision.plan if incident.decision else ()
    return next((action for action in plan if action.id not in incident.results), None)


def _under_way(incident: Incident) -> Effect | None:
    """The newest change that was intended and has not ended. Messages to people do not count."""
    intended = [item for item in incident.effects.values() if item.outcome is None and item.is_change]
    return intended[-1] if intended else None


def _title(incident: Incident, action_id: str) -> str:
    preview = incident.previews.get(action_id)
    planned = incident.decision.plan if incident.decision else ()
    action = preview.action if preview else next((item for item in planned if item.id == action_id), None)
    return action.spec.title if action else action_id
