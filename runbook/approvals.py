"""When a plan counts as approved: by whom, by how many, and where policy has said yes beforehand.

The journal is the only witness. An answer to another plan, however similar, never counts. Each function takes
the present policy and goes by the one in force for the incident, see `runbook.policy_in_force`.
"""

from runbook.actions import ActionName, ActionOutcome, ChangePlan, Risk
from runbook.events import ApprovalAnswered
from runbook.gates import Answer, Choice, InvalidAnswer, complete
from runbook.incident import Incident
from runbook.parameters import edited
from runbook.policy import Policy
from runbook.policy_in_force import policy_in_force

STANDING = frozenset({"policy", "approved-with-the-change"})
"""Channels of approvals that stood before the question came up; only the runbook itself writes them."""


def decided(journal: Incident, plan: ChangePlan, policy: Policy) -> ApprovalAnswered | None:
    """The answer that decides about a plan: the first rejection, or the approval that completes the number.

    A later snooze or edit takes back what was said about this plan before.
    """
    return _weighed(journal, plan, policy)[1]


def _weighed(
    journal: Incident, plan: ChangePlan, policy: Policy
) -> tuple[dict[str, ApprovalAnswered], ApprovalAnswered | None]:
    """The approvals that count and were not taken back, by name in lower case; and the deciding answer."""
    policy = policy_in_force(journal, policy)
    approvals: dict[str, ApprovalAnswered] = {}
    for event in answers_to(journal, plan):
        match event.answer.choice:
            case Choice.REJECT:
                return approvals, event
            case Choice.APPROVE if _counts(event.answer, plan, policy):
                approvals[event.answer.approver.casefold()] = event
                if _suffices(journal, plan, policy, approvals):
                    return approvals, event
            case Choice.SNOOZE | Choice.EDIT:
                approvals.clear()
            case Choice.APPROVE:  # written past this policy, by another program or under an older one
                continue
    return approvals, None


def _counts(answer: Answer, plan: ChangePlan, policy: Policy) -> bool:
    if answer.channel in STANDING:
        return True
    rule = policy.rule_for(plan.action.spec.risk)
    known = {name.casefold() for name in rule.approvers}
    named = not known or answer.approver.casefold() in known
    return named and (rule.accept_unverified or answer.identity_proven)


def answers_to(journal: Incident, plan: ChangePlan) -> list[ApprovalAnswered]:
    """What was answered to exactly this plan, oldest first."""
    return [
        event
        for event in journal.events(ApprovalAnswered)
        if event.action_id == plan.action.id and plan.known_as(event.plan_digest)
    ]


def _suffices(
    journal: Incident, plan: ChangePlan, policy: Policy, approvals: dict[str, ApprovalAnswered]
) -> bool:
    if any(event.answer.channel in STANDING for event in approvals.values()):
        return True
    if len(approvals) < policy.rule_for(plan.action.spec.risk).count:
        return False
    return plan.action.spec.risk is not Risk.HIGH or bool(approvals.keys() - requesters(journal, plan))


def acceptable(answer: Answer, journal: Incident, plan: ChangePlan, policy: Policy) -> Answer:
    """Check an answer to a plan against the policy; edited parameters come back as they will be stored.

    Raises:
        InvalidAnswer: it is incomplete, comes from someone who may not approve this, has an approver whom
            nobody proved where that is needed, or edits what cannot be edited.
    """
    answer, policy = complete(answer), policy_in_force(journal, policy)
    if answer.choice is Choice.EDIT:
        values = edited(plan.action, answer.parameters, policy=policy).parameters
        answer = answer.model_copy(update={"parameters": {name: values[name] for name in answer.parameters}})
    if answer.choice is not Choice.APPROVE:
        return answer
    risk, name = plan.action.spec.risk, answer.approver
    rule = policy.rule_for(risk)
    if rule.approvers and name.casefold() not in {known.casefold() for known in rule.approvers}:
        raise InvalidAnswer(f"{name} may not approve {risk}-risk changes; who may: {rule.who_may}")
    if not rule.accept_unverified and not answer.identity_proven:
        raise InvalidAnswer(
            f"nobody has proved that this is {name}, and {risk}-risk changes need that: "
            f"answer with `runbook approve {journal.id}` under your own login"
        )
    known = _weighed(journal, plan, policy)[0].keys()
    if rule.count > 1 and name.casefold() in known:
        raise InvalidAnswer(f"{name} has approved this already; it takes {rule.count} different people")
    alone = known | {name.casefold()} <= requesters(journal, plan)
    if risk is Risk.HIGH and alone and len(known) + 1 >= rule.count:
        raise InvalidAnswer(f"{name} asked for this high-risk change: somebody else has to approve it")
    return answer


def requesters(journal: Incident, plan: ChangePlan) -> frozenset[str]:
    """Who asked for a change, in lower case: who started the response by hand, and who edited the change."""
    people = {journal.alert.requested_by}
    people |= {
        event.answer.approver
        for event in journal.events(ApprovalAnswered)
        if event.action_id == plan.action.id and event.answer.choice is Choice.EDIT
    }
    return frozenset(name.strip().casefold() for name in people if name.strip())


def standing_approval(journal: Incident, plan: ChangePlan, policy: Policy) -> Answer | None:
    """The approval that a plan has without asking: a policy's, or that of the change which it undoes."""
    action, policy = plan.action, policy_in_force(journal, policy)
    if action.name is ActionName.UNDO:
        return None if policy.undo_needs_approval else _covered(journal, action.parameters["undoes"])
    severity = journal.severity.severity if journal.severity else None
    if severity is not None and severity in policy.preapproved.get(action.name, ()):
        reason = f"[policy] preapproved: {action.name.value} at {severity.value}"
        return Answer(
            choice=Choice.APPROVE,
            approver="policy:preapproved",
            reason=reason,
            channel="policy",
            identity_proven=True,
        )
    return None


def _covered(journal: Incident, undone: str) -> Answer | None:
    result = journal.results.get(undone)
    if result is None or not result.approved_by or result.outcome is ActionOutcome.REJECTED:
        return None
    return Answer(
        choice=Choice.APPROVE,
        approver=result.approved_by,
        reason="the approval of the change covers its undo, as its plan said",
        channel="approved-with-the-change",
    )


def still_needed(journal: Incident, plan: ChangePlan, policy: Policy) -> str:
    """What an approver should know about who else has to say yes; empty where one yes is enough."""
    rule = policy_in_force(journal, policy).rule_for(plan.action.spec.risk)
    said = [event.answer.approver for event in _weighed(journal, plan, policy)[0].values()]
    words = []
    if rule.count > 1:
        so_far = f"; so far: {', '.join(said)}" if said else ""
        words.append(f"{rule.count} different people have to approve{so_far}")
    if rule.approvers:
        words.append(f"who may: {rule.who_may}")
    if not rule.accept_unverified:
        words.append("only with a proven identity (`runbook approve`)")
    return "; ".join(words)


def approval_words(journal: Incident, plan: ChangePlan, policy: Policy) -> str:
    """Whose approval a plan takes, or has already, for people."""
    standing = standing_approval(journal, plan, policy)
    if standing is not None:
        return f"given beforehand: {standing.reason}"
    return still_needed(journal, plan, policy) or "one person's yes"
