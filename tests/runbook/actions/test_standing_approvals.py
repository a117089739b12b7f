"""Some approvals stand before anybody is asked: a policy's, and that of the change which is undone."""

from datetime import UTC, datetime
from typing import Any

import pytest

from runbook.actions.catalogue import (
    CATALOGUE,
    ActionOutcome,
    ActionResult,
    ChangePlan,
    PlannedAction,
    undo_of,
)
from runbook.actions.spec import ActionKind, ActionName, Risk
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.approvals.approvals import decided, standing_approval
from runbook.approvals.gates import Channel
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.rules import ActRule, ApprovalRule
from runbook.checks.catalogue import CHECKS
from runbook.checks.findings import Status
from runbook.decision.decide import decide
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.approvals_samples import (
    MEMORY,
    OF_RISK,
    RESTART,
    ROLL_BACK,
    YES,
    answered,
    outcome,
    policy,
    said,
)
from tests.runbook.journals import decided as decision_made
from tests.runbook.journals import decision, findings, incident


def at_severity(severity: Severity, *more: e.Event) -> Incident:
    """An incident that was assessed."""
    return answered(decision_made(decision(severity=severity)), *more)


COVERED: Channel = "approved-with-the-change"
PREAPPROVED = Policy(preapproved={RESTART_DEPLOYMENT.name: (Severity.P3, Severity.P4)})


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


def overridden(severity: Severity, identity: Identity | None, by: str = "ana") -> e.SeverityOverridden:
    """A person's word on the severity."""
    assessment = SeverityAssessment(severity=severity, because="checkout", by=by)
    return e.SeverityOverridden(assessment=assessment, identity=identity)


def known_as(name: str) -> Identity:
    """An account that the receiver has seen."""
    return Identity(name=name, how=Proof.OS_PEER)


ANA = known_as("ana")
CLAIMED = Identity(name="ana")


@pytest.mark.parametrize("identity", [None, CLAIMED, ANA], ids=["nobody knows", "claimed", "proven"])
def test_anybody_can_take_a_pre_approval_away(identity: Identity | None) -> None:
    """A person who says that it is worse has people asked; without a severity there is no pre-approval."""
    told = at_severity(Severity.P3, overridden(Severity.P1, identity))
    assert standing_approval(told, RESTART, PREAPPROVED) is None
    assert standing_approval(incident(), RESTART, PREAPPROVED) is None


@pytest.mark.parametrize(
    ("identity", "by", "rules", "runs"),
    [
        (None, "ana", {}, False),
        (CLAIMED, "ana", {}, False),
        (known_as("bob"), "ana", {}, False),  # bob is proven, and says that he is ana
        (ANA, "ana", {}, True),
        (ANA, "Ana", {}, True),
        (ANA, "ana", {"approvals": {Risk.LOW: ApprovalRule(approvers=("bob",))}}, False),
        (ANA, "ana", {"approvals": {Risk.LOW: ApprovalRule(approvers=("ana",))}}, True),
        (ANA, "ana", {"approvals": {Risk.HIGH: ApprovalRule(approvers=("bob",))}}, True),
        (ANA, "ana", {"approvals": {Risk.LOW: ApprovalRule(proofs=(Proof.SIGNING_KEY,))}}, False),
        (ANA, "ana", {"acts": ActRule(approvers=("bob",))}, False),
        (ANA, "ana", {"acts": ActRule(proofs=(Proof.API_TOKEN,))}, False),
    ],
)
def test_only_a_proven_person_who_may_approve_the_change_brings_a_pre_approval_about(
    identity: Identity | None, by: str, rules: dict[str, Any], runs: bool
) -> None:
    """Else anybody could have a change made by saying that it is P3."""
    told = at_severity(Severity.P1, overridden(Severity.P3, identity, by))
    found = standing_approval(told, RESTART, PREAPPROVED.model_copy(update=rules))
    assert (found is not None) is runs


def test_a_claim_after_a_proven_word_takes_away_and_gives_nothing() -> None:
    """Each later word is weighed by itself."""
    worse, better = overridden(Severity.P1, ANA), overridden(Severity.P3, CLAIMED)
    assert standing_approval(at_severity(Severity.P3, worse, better), RESTART, PREAPPROVED) is None
    worse, better = overridden(Severity.P1, CLAIMED), overridden(Severity.P3, ANA)
    assert standing_approval(at_severity(Severity.P3, worse, better), RESTART, PREAPPROVED) is not None


NOTHING_KNOWN = findings(**dict.fromkeys(CHECKS, Status.UNKNOWN))


def test_a_sender_s_own_severity_approves_nothing() -> None:
    """An alert, or who starts a response, may say P1; where that decided, a person is asked."""
    at_p1 = Policy(preapproved={RESTART_DEPLOYMENT.name: (Severity.P1, Severity.P2)})
    unknown = decide(NOTHING_KNOWN, claimed=Severity.P1, policy=at_p1)
    assert (unknown.severity.severity, unknown.severity.claimed) == (Severity.P1, True)
    assert standing_approval(incident(decision_made(unknown)), RESTART, at_p1) is None
    for claimed in (None, Severity.P2, Severity.P4):
        unknown = decide(NOTHING_KNOWN, claimed=claimed, policy=at_p1)
        assert (unknown.severity.severity, unknown.severity.claimed) == (Severity.P2, False)
        assert standing_approval(incident(decision_made(unknown)), RESTART, at_p1) is not None


@pytest.mark.parametrize("name", CATALOGUE)
def test_only_a_low_risk_change_can_be_preapproved(name: ActionName) -> None:
    """The configuration cannot say yes beforehand to what does much harm when it is wrong."""
    spec = CATALOGUE[name]
    if (spec.kind, spec.risk) == (ActionKind.CHANGE, Risk.LOW):
        assert Policy(preapproved={name: (Severity.P4,)}).preapproved == {name: (Severity.P4,)}
    else:
        with pytest.raises(ValueError, match=f"{name} is not a low-risk change"):
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
        ((ended(ActionOutcome.BY_HAND, "ana"),), None),  # nor has who did it by hand
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


UNDO_ROLL_BACK = ChangePlan(action=undo_of(ROLL_BACK.action), diff="-a: 1")
PREVIEWED = e.ActionPreviewed(plan=ROLL_BACK, since=datetime(2026, 11, 22, tzinfo=UTC))
NOT_RECOVERED = ended(ActionOutcome.NOT_RECOVERED, "ana", ROLL_BACK.action)


@pytest.mark.parametrize(
    ("events", "covered"),
    [
        ((PREVIEWED, said("ana", YES), NOT_RECOVERED), True),
        ((PREVIEWED, NOT_RECOVERED), False),
        ((said("ana", YES), NOT_RECOVERED), False),
        ((PREVIEWED, said("ana?", YES), NOT_RECOVERED), False),
        ((PREVIEWED, said("ana", YES, MEMORY), NOT_RECOVERED), False),
        (
            (
                PREVIEWED,
                said("ana", YES),
                PREVIEWED.model_copy(update={"plan": ROLL_BACK.model_copy(update={"diff": "+a: evil"})}),
                NOT_RECOVERED,
            ),
            False,
        ),
    ],
    ids=["approved", "a line in the store", "no plan", "a claim", "another plan", "a plan to go back to"],
)
def test_the_undo_of_a_high_risk_change_is_covered_by_an_approval_that_holds(
    events: tuple[e.Event, ...], covered: bool
) -> None:
    """A result that was written past every door has the undo asked about, and not made."""
    assert (standing_approval(answered(*events), UNDO_ROLL_BACK, Policy()) is not None) is covered


STRICT = {Risk.LOW: ApprovalRule(count=2, approvers=("bob",), accept_unverified=False)}
PREAPPROVED_BUT_STRICT = PREAPPROVED.model_copy(update={"approvals": STRICT})


def test_standing_approval_counts_without_people() -> None:
    """Once journalled it decides, whatever the rule asks of people; in any other channel it does not."""
    standing = said("ana?", plan=RESTART, channel="policy")
    told = at_severity(Severity.P3, standing)
    assert outcome(decided(told, RESTART, PREAPPROVED_BUT_STRICT)) == ("ana", YES)
    told = at_severity(Severity.P3, said("ana?", plan=RESTART, channel="prefect-ui"))
    assert decided(told, RESTART, PREAPPROVED_BUT_STRICT) is None
    both = said("ana", plan=MEMORY), said("bob", plan=MEMORY)
    change = PREVIEWED.model_copy(update={"plan": MEMORY}), *both, ended(ActionOutcome.NOT_RECOVERED, "bob")
    covered = answered(*change, said("ana", plan=UNDO, channel=COVERED))
    assert outcome(decided(covered, UNDO, policy(Risk.MEDIUM, count=2))) == ("ana", YES)


@pytest.mark.parametrize(
    ("told", "plan", "configured"),
    [
        (at_severity(Severity.P3, said("ana", plan=RESTART, channel="policy")), RESTART, Policy()),
        (at_severity(Severity.P1, said("ana", plan=RESTART, channel="policy")), RESTART, PREAPPROVED),
        (at_severity(Severity.P3, said("ana", plan=ROLL_BACK, channel="policy")), ROLL_BACK, PREAPPROVED),
        (at_severity(Severity.P3, said("ana", plan=RESTART, channel=COVERED)), RESTART, PREAPPROVED),
        (answered(said("ana", plan=UNDO, channel=COVERED)), UNDO, Policy()),
        (
            answered(ended(ActionOutcome.DONE, "ana"), said("ana", plan=UNDO, channel=COVERED)),
            UNDO,
            Policy(undo_needs_approval=True),
        ),
    ],
)
def test_standing_approval_counts_only_while_it_stands(
    told: Incident, plan: ChangePlan, configured: Policy
) -> None:
    """A line in the journal that says so is not enough: the policy has to say it now."""
    assert decided(told, plan, configured) is None
