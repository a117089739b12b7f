"""Who asked for a change, how surely that is known, and how many others have to approve it."""

from runbook.actions.catalogue import ChangePlan
from runbook.actions.spec import Risk
from runbook.approvals.authority import answer_is_proven
from runbook.approvals.gates import Choice
from runbook.approvals.identity import Proof
from runbook.approvals.people import counted_as, is_listed
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import PERSON, Incident
from runbook.policy.policy import Policy


def requesters(journal: Incident, plan: ChangePlan, policy: Policy) -> frozenset[str]:
    """Who is proven to have asked for a change, by editing it: what their names count as."""
    return frozenset(counted_as(name, policy.people) for name in names_of_requesters(journal, plan, policy))


def names_of_requesters(journal: Incident, plan: ChangePlan, policy: Policy) -> list[str]:
    """The names under which people are proven to have asked for a change, one for each edit."""
    rule = policy.rule_for(plan.action.spec.risk)
    return [
        event.answer.approver
        for event in _edits(journal, plan)
        if answer_is_proven(journal, event, rule, policy)
    ]


def needed_people(journal: Incident, plan: ChangePlan, policy: Policy) -> int:
    """How many people have to approve; a requester with an unknown name could be one of them."""
    others = needed_others(journal, plan, policy)
    asked = {
        name for name in names_of_requesters(journal, plan, policy) if not is_listed(name, policy.people)
    }
    unknown = {counted_as(name, policy.people) for name in asked}
    return max(policy.rule_for(plan.action.spec.risk).count, others + len(unknown) if others else 0)


def asked_by_a_claim(journal: Incident, plan: ChangePlan, policy: Policy) -> bool:
    """Whether it is not known who asked for a change: who started the response by hand, or edited the change.

    Such a name is anybody's to choose: one's own approval would pass under another's request, and naming a
    colleague would keep them from approving.
    """
    rule = policy.rule_for(plan.action.spec.risk)
    by_hand = journal.alert.source == PERSON or bool(journal.alert.requested_by)
    return by_hand or any(
        not answer_is_proven(journal, event, rule, policy) for event in _edits(journal, plan)
    )


def _edits(journal: Incident, plan: ChangePlan) -> list[ApprovalAnswered]:
    return [
        event
        for event in journal.answers
        if event.action_id == plan.action.id and event.answer.choice is Choice.EDIT
    ]


def may_be_who_asked(journal: Incident, plan: ChangePlan, policy: Policy) -> bool:
    """Whether who asked for a high-risk change may approve it, since the policy knows of nobody else.

    So it is where `[policy.people]` is empty and the rule neither names several approvers, takes two nor
    refuses an account: for a person who is alone, another one's yes does not exist. It takes an account that
    the receiver has seen, since who may use its socket has its files as well.
    """
    rule = policy.rule_for(plan.action.spec.risk)
    is_alone = not policy.people and len(rule.approvers) < 2 and rule.count == 1
    takes_account = not rule.proofs or Proof.OS_PEER in rule.proofs
    is_asked_for = asked_by_a_claim(journal, plan, policy) or bool(_edits(journal, plan))
    return plan.action.spec.risk is Risk.HIGH and is_alone and takes_account and is_asked_for


def needed_others(journal: Incident, plan: ChangePlan, policy: Policy) -> int:
    """How many people have to approve a high-risk change who are not proven to have asked for it.

    One, and two if it is not known who asked: one of the two did not. None if there is nobody else.
    """
    if plan.action.spec.risk is not Risk.HIGH or may_be_who_asked(journal, plan, policy):
        return 0
    return 2 if asked_by_a_claim(journal, plan, policy) else 1
