"""Some approvals stand before anybody is asked: a policy's, and that of the change which is undone."""

import pytest

from runbook import events as e
from runbook.actions import (
    CATALOGUE,
    ActionKind,
    ActionName,
    ActionOutcome,
    ActionResult,
    ChangePlan,
    PlannedAction,
    Risk,
    undo_of,
)
from runbook.approvals import decided, standing_approval
from runbook.gates import Channel
from runbook.incident import Incident
from runbook.policy import Policy
from runbook.severity import Severity, SeverityAssessment
from tests.runbook.approvals_samples import MEMORY, OF_RISK, RESTART, ROLL_BACK, YES, outcome, policy, said
from tests.runbook.journals import decided as decision_made
from tests.runbook.journals import decision, incident


def at_severity(severity: Severity, *more: e.Event) -> Incident:
    """An incident that was assessed."""
    return incident(decision_made(decision(severity=severity)), *more)


PREAPPROVED = Policy(preapproved={ActionName.RESTART_DEPLOYMENT: (Severity.P3, Severity.P4)})


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("plan", OF_RISK.values(), ids=lambda plan: plan.action.name)
def test_policy_approves_what_it_names_at_its_severities_only(plan: ChangePlan, severity: Severity) -> None:
    """A restart at P3 and P4, as configured; nothing else and never at another severity."""
    answer = standing_approval(at_severity(severity), plan, PREAPPROVED)
    expected = plan is RESTART and severity in (Severity.P3, Severity.P4)
    assert (answer is not None) is expected
    if answer:
        assert (answer.approver, answer.channel) == ("policy:preapproved", "policy")
        assert answer.reason == f"[policy] preapproved: restart_deployment at {severity}"


def test_severity_that_counts_for_the_policy_is_the_one_in_force() -> None:
    """A person who says that it is worse takes the pre-approval away; without a severity there is none."""
    worse = e.SeverityOverridden(
        assessment=SeverityAssessment(severity=Severity.P1, because="checkout", by="ana")
    )
    assert standing_approval(at_severity(Severity.P3, worse), RESTART, PREAPPROVED) is None
    assert standing_approval(incident(), RESTART, PREAPPROVED) is None


@pytest.mark.parametrize("name", ActionName)
def test_only_a_low_risk_change_can_be_preapproved(name: ActionName) -> None:
    """The configuration cannot say yes beforehand to what does much harm when it is wrong."""
    spec = CATALOGUE[name]
    if (spec.kind, spec.risk) == (ActionKind.CHANGE, Risk.LOW):
        assert Policy(preapproved={name: (Severity.P4,)}).preapproved == {name: (Severity.P4,)}
    else:
        with pytest.raises(ValueError, match=f"{name.value} is not a low-risk change"):
            Policy(preapproved={name: (Severity.P4,)})


UNDO = ChangePlan(action=undo_of(MEMORY.action), diff="-a: 1")


def ended(
    outcome: ActionOutcome, approved_by: str, action: PlannedAction = MEMORY.action
) -> e.ActionFinished:
    """The change, ended."""
    return e.ActionFinished(
        result=ActionResult(action=action, outcome=outcome, detail="", approved_by=approved_by)
    )


@pytest.mark.parametrize(
    ("results", "approver"),
    [
        ((ended(ActionOutcome.NOT_RECOVERED, "ana"),), "ana"),
        ((ended(ActionOutcome.NOT_RECOVERED, "policy:preapproved"),), "policy:preapproved"),
        ((), None),
        ((ended(ActionOutcome.ALREADY_IN_PLACE, ""),), None),
        ((ended(ActionOutcome.REJECTED, "ana"),), None),  # who said no has approved nothing
        ((ended(ActionOutcome.NOT_RECOVERED, "ana", ROLL_BACK.action),), None),
    ],
)
def test_undo_is_covered_by_the_approval_of_the_change(
    results: tuple[e.ActionFinished, ...], approver: str | None
) -> None:
    """Whoever approved the change was shown its undo; where nobody did, or policy says so, it is asked."""
    told = incident(*results)
    answer = standing_approval(told, UNDO, Policy())
    assert (answer.approver if answer else None) == approver
    assert standing_approval(told, UNDO, Policy(undo_needs_approval=True)) is None


@pytest.mark.parametrize("channel", ["policy", "approved-with-the-change"])
def test_standing_approval_counts_without_people(channel: Channel) -> None:
    """Once journalled it decides, whatever the rule asks of people; in any other channel it does not."""
    strict = policy(Risk.LOW, count=2, approvers=("bob",), accept_unverified=False)
    assert outcome(decided(incident(said("ana?", plan=RESTART, channel=channel)), RESTART, strict)) == (
        "ana",
        YES,
    )
    assert decided(incident(said("ana?", plan=RESTART, channel="prefect-ui")), RESTART, strict) is None
