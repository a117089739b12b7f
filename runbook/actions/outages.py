"""What happens to an approval while the cluster does not answer: it holds for a time, then it expires.

The journal is the only clock, so a crash restarts no deadline.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from runbook.actions.catalogue import ActionOutcome, ChangePlan, PlannedAction
from runbook.actions.specs.undo import UNDO
from runbook.approvals.approvals import answers_to, decided, standing_approval
from runbook.approvals.gates import Choice
from runbook.channels.local_time import clock, hours_and_minutes
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import ApprovalExpired, OutageEnded, OutageNoted
from runbook.incidents.incident import Incident
from runbook.outside_text import OutsideText
from runbook.policy.policy import Policy
from runbook.value import Value


class Wait(StrEnum):
    """Whether an action waits on for a cluster that does not answer."""

    GOES_ON = "goes on"
    """Its approval holds."""

    EXPIRES = "expires"
    """The time of its approval is over: it is waited for only to ask about it again."""

    IS_OVER = "is over"


class Outage(Value):
    """An outage that an approved action waits for. `number` counts the action's, from 1; `since` is UTC.

    `expired` says whether the approval expired during it.
    """

    number: int
    since: datetime
    because: OutsideText
    expired: bool = False


def open_outage(journal: Incident, action: PlannedAction) -> Outage | None:
    """The outage that the action waits for now."""
    number, found = 0, None
    for item in journal.journal:
        match item.event:
            case OutageNoted(action_id=action.id, because=because):
                number += 1
                found = Outage(number=number, since=item.at, because=because)
            case OutageEnded(action_id=action.id):
                found = None
            case ApprovalExpired(action_id=action.id) if found is not None:
                found = found.model_copy(update={"expired": True})
    return found


def has_a_yes(journal: Incident, action: PlannedAction, policy: Policy) -> bool:
    """Whether the action, as it was previewed last, is approved; or was beforehand."""
    plan = journal.previews.get(action.id) or ChangePlan(action=action)
    found = decided(journal, plan, policy)
    if found is not None:
        return found.answer.choice is Choice.APPROVE
    return standing_approval(journal, plan, policy) is not None


def expires(journal: Incident, action: PlannedAction) -> bool:
    """Whether an approval of the action may end, and be asked for again.

    What has begun, and what is taken back, is brought to an end or to a person instead.
    """
    return action.name != UNDO.name and not journal.has_begun(action)


def wait_in(
    outage: Outage, journal: Incident, action: PlannedAction, *, policy: Policy, now: datetime
) -> Wait:
    """Whether the action waits on in an outage at that time (aware UTC)."""
    away = now - outage.since
    if away < timedelta(seconds=policy.approval_outage_seconds):
        return Wait.GOES_ON
    if expires(journal, action) and away < timedelta(seconds=policy.watch_limit_seconds):
        return Wait.EXPIRES
    return Wait.IS_OVER


def end_of_wait(journal: Incident, action: PlannedAction, why: str) -> tuple[ActionOutcome, str]:
    """The end of an action that is no longer waited for."""
    effects = journal.steps_of(action.id)
    doubted = [effect for effect in effects if effect.in_doubt]
    made = [effect.summary for effect in effects if effect.outcome is EffectOutcome.APPLIED]
    outcome = ActionOutcome.UNKNOWN if doubted else ActionOutcome.FAILED
    return outcome, f"only a part was applied ({'; '.join(made)}), then: {why}" if made else why


def expired_approval(journal: Incident, action: PlannedAction) -> ApprovalExpired:
    """The end of all approvals of the action as it was previewed last."""
    plan = journal.previews.get(action.id) or ChangePlan(action=action)
    by = {event.answer.approver for event in answers_to(journal, plan)}
    return ApprovalExpired(action_id=action.id, plan_digest=plan.digest, by=tuple(sorted(by)))


def waiting_words(journal: Incident, action: PlannedAction, outage: Outage, policy: Policy) -> str:
    """What the channel is told at the beginning of an outage."""
    until = clock(outage.since + timedelta(seconds=policy.approval_outage_seconds), policy.calendar.time_zone)
    if journal.has_begun(action):
        held = (
            f"{action.spec.title} has started. When the cluster answers again, the runbook checks it "
            "and continues"
        )
    else:
        held = (
            f"{action.spec.title} is approved but not applied. The approval is valid until "
            f"{until} if the plan "
            "stays the same; nobody has to answer again"
        )
    return f"The cluster is not available: {outage.because}. {held}"


def expired_words(action: PlannedAction, outage: Outage, policy: Policy) -> str:
    """Why a person is paged after that time."""
    length = hours_and_minutes(timedelta(seconds=policy.approval_outage_seconds))
    return (
        f"{action.spec.title}: approved but not applied, because the cluster has been unavailable "
        f"for {length} "
        f"({outage.because}). The approval has expired; you are asked again when the cluster answers"
    )
