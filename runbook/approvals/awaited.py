"""What approvals a question still waits for, in values and in words."""

from runbook.actions.catalogue import ChangePlan
from runbook.approvals.gates import Answer
from runbook.approvals.people import is_listed
from runbook.approvals.requesters import may_be_who_asked
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from runbook.value import Value


class Awaited(Value):
    """How many different people have to approve, who has, and who may; `who_may` is empty for anybody."""

    needed: int
    approved: tuple[Answer, ...]
    who_may: tuple[str, ...]

    @property
    def progress(self) -> str:
        """`1 of 2: ana (proven by API token)`."""
        return f"{len(self.approved)} of {self.needed}{f': {self.names}' if self.approved else ''}"

    @property
    def names(self) -> str:
        """Who has approved, each with how that is known."""
        return ", ".join(f"{answer.approver} ({answer.known_by})" for answer in self.approved)


def who_may(journal: Incident, plan: ChangePlan, policy: Policy) -> tuple[str, ...]:
    """Who may approve a plan under this policy, which is the one in force, and with which proof."""
    rule = policy.rule_for(plan.action.spec.risk)
    words = []
    if rule.approvers:
        words.append(f"who may: {rule.who_may}")
    if may_be_who_asked(journal, plan, policy):
        words.append(
            "since [policy.people] lists nobody, the yes of an account on the receiver's machine is enough, "
            "also of who asked for this (`runbook approve` there)"
        )
    elif not rule.accept_unverified:
        by = f" by {' or '.join(rule.proofs)}" if rule.proofs else ""
        words.append(f"only with a proven identity{by} (`runbook approve`)")
    return tuple(words)


def too_few(number: int, policy: Policy) -> str:
    """Who is listed, if they are fewer than this."""
    names = [name for name in policy.people if is_listed(name, policy.people)]
    if len(names) >= number:
        return ""
    return (
        f", which lists {' and '.join(names) or 'nobody'} for this incident: go on by hand (`runbook paper`)"
    )
