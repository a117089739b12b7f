"""When a plan counts as approved: by whom, by how many, and where the policy has approved it beforehand.

The journal is the only evidence; it is evaluated with the people and rules as they are now. An answer to
another plan, however similar, never counts. Two people are two that `[policy.people]` lists, see
`runbook.approvals.people`. Each function takes the present policy and goes by the one in force for the
incident, see `runbook.policy.in_force`.
"""

from datetime import datetime

from runbook.actions.catalogue import ActionOutcome, ChangePlan, PlannedAction
from runbook.actions.parameters import edited
from runbook.actions.specs.undo import UNDO
from runbook.approvals.authority import answer_is_proven, may, vouched_severity
from runbook.approvals.awaited import Awaited, too_few, who_may
from runbook.approvals.gates import Answer, Choice, InvalidAnswer, Unproven, complete, is_standing
from runbook.approvals.identity import Proof
from runbook.approvals.names import name_flaw
from runbook.approvals.people import certain_number, counted_as, is_listed
from runbook.approvals.requesters import (
    may_be_who_asked,
    names_of_requesters,
    needed_others,
    needed_people,
    requesters,
)
from runbook.approvals.rules import ApprovalRule
from runbook.decision.severity import Severity
from runbook.incidents.events import ApprovalAnswered, ApprovalExpired, ApprovalRequested, SeverityOverridden
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy


def decided(journal: Incident, plan: ChangePlan, policy: Policy) -> ApprovalAnswered | None:
    """The answer that decides about a plan: the first rejection, or the approval that completes the number.

    A later snooze or edit takes back what was said about this plan before.
    """
    return _weighed(journal, plan, policy)[1]


def _weighed(
    journal: Incident, plan: ChangePlan, policy: Policy
) -> tuple[dict[str, ApprovalAnswered], ApprovalAnswered | None]:
    """The approvals that count and were not taken back, each by what its name counts as; and what decides."""
    policy = policy_in_force(journal, policy)
    approvals: dict[str, ApprovalAnswered] = {}
    for event in answers_to(journal, plan):
        match event.answer.choice:
            case Choice.REJECT:
                return approvals, event
            case Choice.APPROVE if _counts(event, journal, plan, policy):
                _add(event, approvals, policy)
                if _suffices(journal, plan, policy, approvals):
                    return approvals, event
            case Choice.SNOOZE | Choice.EDIT:
                approvals.clear()
            case Choice.APPROVE:  # written past this policy, by another program or under an older one
                continue
    return approvals, None


def _add(event: ApprovalAnswered, approvals: dict[str, ApprovalAnswered], policy: Policy) -> None:
    """A person's approval; one under a look-alike name does not replace it."""
    person = counted_as(event.answer.approver, policy.people)
    if person not in approvals or is_listed(event.answer.approver, policy.people):
        approvals[person] = event


def _counts(event: ApprovalAnswered, journal: Incident, plan: ChangePlan, policy: Policy) -> bool:
    answer = event.answer
    if is_standing(answer):  # only as long as the policy, or the change that is undone, still says so
        standing = standing_approval(journal, plan, policy)
        return standing is not None and standing.channel == answer.channel
    rule = policy.rule_for(plan.action.spec.risk)
    if not may(answer.approver, rule, policy) or name_flaw(answer.approver):
        return False
    if may_be_who_asked(journal, plan, policy) and not _is_account(event, journal, rule, policy):
        return False
    return rule.accept_unverified or answer_is_proven(journal, event, rule, policy)


def _is_account(event: ApprovalAnswered, journal: Incident, rule: ApprovalRule, policy: Policy) -> bool:
    """Whether an answer comes from an account that the receiver has seen."""
    identity = event.answer.identity
    is_account = identity is not None and identity.how is Proof.OS_PEER
    return is_account and answer_is_proven(journal, event, rule, policy)


def answers_to(journal: Incident, plan: ChangePlan) -> list[ApprovalAnswered]:
    """What was answered to exactly this plan, oldest first; to each gate only the first answer.

    An answer counts at a gate that had asked about this plan before; elsewhere it is a line that somebody
    has written into the store. A standing approval answers no question. An approval that has expired no
    longer counts.
    """
    gates: dict[str, ApprovalAnswered | None] = {}
    asked: set[str] = set()
    for item in journal.journal:
        match item.event:
            case ApprovalRequested(action_id=plan.action.id) as event if plan.known_as(event.plan_digest):
                asked.add(event.gate)
            case ApprovalAnswered(action_id=plan.action.id) as event if plan.known_as(event.plan_digest):
                if event.gate in asked or is_standing(event.answer):
                    gates.setdefault(event.gate, event)
            case ApprovalExpired(action_id=plan.action.id):
                gates = dict.fromkeys(gates)  # a gate that was answered takes no second answer
    return [event for event in gates.values() if event is not None]


def begun_with(journal: Incident, plan: ChangePlan) -> ApprovalAnswered | None:
    """The newest approval of a change that has begun: nobody is asked about it again.

    Whether the approval still counts is checked before anything more is applied.
    """
    if not journal.has_begun(plan.action):
        return None
    given = [event for event in answers_to(journal, plan) if event.answer.choice is Choice.APPROVE]
    return given[-1] if given else None


def _suffices(
    journal: Incident, plan: ChangePlan, policy: Policy, approvals: dict[str, ApprovalAnswered]
) -> bool:
    if any(is_standing(event.answer) for event in approvals.values()):
        return True
    names, people = [event.answer.approver for event in approvals.values()], policy.people
    if certain_number(names, people) < policy.rule_for(plan.action.spec.risk).count:
        return False
    asked = names_of_requesters(journal, plan, policy)
    return certain_number(names, people, besides=asked) >= needed_others(journal, plan, policy)


def acceptable(answer: Answer, journal: Incident, plan: ChangePlan, policy: Policy) -> Answer:
    """Check an answer to a plan against the policy; edited parameters come back as they will be stored.

    Raises:
        InvalidAnswer: it is incomplete, comes from someone who may not approve this, has an approver whom
            nobody proved where that is needed, or edits what cannot be edited.
    """
    policy = policy_in_force(journal, policy)
    answer = as_stored(answer, plan, policy)
    if answer.choice is not Choice.APPROVE:
        return answer
    risk, name = plan.action.spec.risk, answer.approver
    rule = policy.rule_for(risk)
    if not may(name, rule, policy):
        raise InvalidAnswer(f"{name} may not approve {risk}-risk changes; who may: {rule.who_may}")
    gate = journal.pending_gate.gate if journal.pending_gate else ""
    event = ApprovalAnswered(gate=gate, action_id=plan.action.id, plan_digest=plan.digest, answer=answer)
    if not rule.accept_unverified and not answer_is_proven(journal, event, rule, policy):
        raise Unproven(name, f"{risk}-risk changes", rule.proofs)
    if may_be_who_asked(journal, plan, policy) and not _is_account(event, journal, rule, policy):
        raise InvalidAnswer(
            f"a {risk}-risk change that was asked for by hand takes an account on the receiver's "
            "machine (`runbook approve` there), as long as [policy.people] lists nobody: list who you are "
            "and who else may approve, or go on by hand (`runbook paper`)"
        )
    known = _weighed(journal, plan, policy)[0].keys()
    others, me = needed_others(journal, plan, policy), counted_as(name, policy.people)
    number = needed_people(journal, plan, policy)
    if me in known and number > 1:
        raise InvalidAnswer(f"{name} has already approved this; {number} different people must approve")
    asked = requesters(journal, plan, policy)
    if (number > 1 or (others and asked)) and not is_listed(name, policy.people):
        takes = f"{number} different people must approve" if number > 1 else "somebody else must approve"
        raise InvalidAnswer(
            f"{name} is not in [policy.people]: {takes}, and a person who is not listed could be one of them "
            "under another account; let listed people approve, or go on by hand (`runbook paper`)"
        )
    if others and me in asked and len(known & asked) >= rule.count - others:
        raise InvalidAnswer(f"{name} asked for this high-risk change: somebody else has to approve it")
    return answer


def as_stored(answer: Answer, plan: ChangePlan, policy: Policy) -> Answer:
    """The answer as it will stand in the journal, which is how it is signed; the same again if it is already.

    Raises:
        InvalidAnswer: it is incomplete, or edits what cannot be edited.
    """
    answer = complete(answer)
    if answer.choice is not Choice.EDIT:
        return answer
    values = edited(plan.action, answer.parameters, policy=policy).parameters
    return answer.model_copy(update={"parameters": {name: values[name] for name in answer.parameters}})


def standing_approval(journal: Incident, plan: ChangePlan, policy: Policy) -> Answer | None:
    """The approval that a plan has without asking: a policy's, or that of the change which it undoes."""
    action, policy = plan.action, policy_in_force(journal, policy)
    if action.name == UNDO.name:
        return None if policy.undo_needs_approval else _covered(journal, action.parameters["undoes"], policy)
    severity, named = _severity(journal, plan, policy), policy.preapproved.get(action.name, ())
    if severity is not None and severity in named and journal.severity and journal.severity.severity in named:
        reason = f"[policy] preapproved: {action.name} at {severity.value}"
        return Answer(
            choice=Choice.APPROVE,
            approver="policy:preapproved",
            reason=reason,
            channel="policy",
        )
    return None


def _severity(journal: Incident, plan: ChangePlan, policy: Policy) -> Severity | None:
    """The severity that a pre-approval goes by: the rules' own, or a proven person's who may approve this.

    What a sender or an unproven person says can take a pre-approval away, and never gives one. A signed
    statement counts once, so an old one that somebody writes again moves nothing.
    """
    assessed = journal.decision.severity if journal.decision else None
    severity = assessed.severity if assessed and not assessed.claimed else None
    rule = policy.rule_for(plan.action.spec.risk)
    seen: set[tuple[datetime, str]] = set()
    for event in journal.events(SeverityOverridden):
        vouched = vouched_severity(journal, event, rule, policy)
        if vouched is None:
            continue
        if vouched.signed_at is not None:
            said = (vouched.signed_at, event.assessment.model_dump_json())
            if said in seen:
                continue
            seen.add(said)
        severity = event.assessment.severity
    return severity


def _covered(journal: Incident, undone: str, policy: Policy) -> Answer | None:
    result = journal.results.get(undone)
    if result is None or not result.approved_by or result.outcome in _NOT_APPROVED:
        return None
    if not _was_approved(journal, result.action, policy):
        return None
    return Answer(
        choice=Choice.APPROVE,
        approver=result.approved_by,
        reason="the approval of the change covers its undo, as its plan said",
        channel="approved-with-the-change",
    )


def _was_approved(journal: Incident, action: PlannedAction, policy: Policy) -> bool:
    """Whether the approval that a result names holds, where one takes a proof.

    A result that somebody has written into the store, with their own plan to return to, is not an approval.
    """
    if policy.rule_for(action.spec.risk).accept_unverified or action.name in policy.preapproved:
        return True
    plan = journal.previews.get(action.id)
    found = decided(journal, plan, policy) if plan is not None else None
    return found is not None and found.answer.choice is Choice.APPROVE


_NOT_APPROVED = (ActionOutcome.REJECTED, ActionOutcome.BY_HAND)
"""Ends of an action that name a person who has not approved a change of ours."""


def awaited(journal: Incident, plan: ChangePlan, policy: Policy) -> Awaited:
    """How many people have to approve a plan, who already has, and who may."""
    policy = policy_in_force(journal, policy)
    return Awaited(
        needed=max(needed_people(journal, plan, policy), 1),
        approved=tuple(event.answer for event in _weighed(journal, plan, policy)[0].values()),
        who_may=who_may(journal, plan, policy),
    )


def still_needed(journal: Incident, plan: ChangePlan, policy: Policy) -> str:
    """What an approver should know about who else must approve; empty if one approval is enough."""
    policy = policy_in_force(journal, policy)
    asked = awaited(journal, plan, policy)
    words = []
    if asked.needed > 1:
        so_far = f"; so far: {asked.names}" if asked.approved else ""
        alone = policy.rule_for(plan.action.spec.risk).count == 1
        why = ", because it is not proven who asked for this" if alone else ""
        listed = f", each of [policy.people]{too_few(asked.needed, policy)}"
        words.append(f"{asked.needed} different people must approve{why}{listed}{so_far}")
    return "; ".join((*words, *asked.who_may))


def approval_words(journal: Incident, plan: ChangePlan, policy: Policy) -> str:
    """Whose approval a plan needs, or already has, in words."""
    standing = standing_approval(journal, plan, policy)
    if standing is not None:
        return f"pre-approved: {standing.reason}"
    return still_needed(journal, plan, policy) or "one person's approval"
