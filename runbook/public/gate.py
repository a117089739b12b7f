"""The gate for public text: what may go out, by a person's word or by the policy of its severity."""

from collections.abc import Collection, Iterable
from datetime import datetime

from runbook.approvals.authority import counting, may, vouched_severity
from runbook.channels.reminders import is_time
from runbook.incidents.effects import Effect
from runbook.incidents.events import PublicTextProposed, SeverityOverridden
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.public.proposals import Proposal, proposals
from runbook.public.publishing import is_public
from runbook.value import Value


def gated(incident: Incident, policy: Policy) -> tuple[Proposal, ...]:
    """The texts that people were asked about, oldest first, with the answers of those who may."""
    return proposals(incident, counting(incident, policy))


def waiting(incident: Incident, policy: Policy) -> tuple[Proposal, ...]:
    """The texts that wait for a person's yes now, one for each page; none that goes out without one."""
    if needs_nobody(incident, policy):
        return ()
    return tuple(
        it for it in gated(incident, policy) if it.waits and is_public(incident, it.text.channel, policy)
    )


def needs_nobody(incident: Incident, policy: Policy) -> bool:
    """Whether the incident's texts go out without a person: by its severity now, and the policy in force.

    A person's word on the severity opens the gate only where they might publish the text as well.
    """
    severity, in_force = incident.severity, policy_in_force(incident, policy)
    if severity is None or severity.severity not in in_force.publish_without_asking:
        return False
    said = incident.last(SeverityOverridden)
    if said is None or in_force.acts.accept_unverified:
        return said is None or may(said.assessment.by, in_force.acts, in_force)
    return vouched_severity(incident, said, in_force.acts, in_force) is not None


def refreshed_at(incident: Incident, channel: str, told_at: datetime, policy: Policy) -> datetime | None:
    """From when on the page's next refresh counts (aware UTC); `None` while a text waits or is to go out.

    A person who has withheld a refresh has said that nothing is to be told for now.
    """
    known = [it for it in gated(incident, policy) if it.text.channel == channel]
    newest = known[-1] if known else None
    if newest is None or newest.announced or newest.ended:
        return told_at
    if newest.answered_at is None or newest.approved:
        return None
    return max(told_at, newest.answered_at)


class DuePublication(Value):
    """A text, by its channel and digest, that is to be published since `since` (aware UTC)."""

    channel: str
    proposal: str
    since: datetime


def due_publications(
    incident: Incident, *, channels: Collection[str], policy: Policy, now: datetime
) -> tuple[DuePublication, ...]:
    """The texts that may go out and have not; a page that is away is tried ever later."""
    unasked = needs_nobody(incident, policy)
    due = []
    for each in gated(incident, policy):
        channel, open_yet = each.text.channel, not (each.announced or each.ended)
        may = each.approved or (unasked and each.answer is None)
        if not (open_yet and may and channel in channels and is_public(incident, channel, policy)):
            continue
        since = each.answered_at or each.at
        if is_time(incident, since, now):
            due.append(DuePublication(channel=channel, proposal=each.text.digest, since=since))
    return tuple(due)


def is_approved_text(incident: Incident, effect: Effect, policy: Policy) -> bool:
    """Whether the effect is the publication of a text that the person whom it names lets be published."""
    return any(
        it.approved
        and it.answer is not None
        and (it.text.digest, it.answer.by) == (effect.authority.reference, effect.authority.by)
        and (it.text.channel, it.text.message) == (effect.kind, effect.message)
        for it in gated(incident, policy)
    )


def approved_last(known: Iterable[Proposal], state: str) -> Proposal | None:
    """The newest of these texts that a person has let be published of that state."""
    of_state = [it for it in known if it.approved and it.text.state == state]
    return of_state[-1] if of_state else None


def says_the_same(one: PublicTextProposed, other: PublicTextProposed) -> bool:
    """Whether two texts say and show the same."""
    return _said(one) == _said(other)


def _said(text: PublicTextProposed) -> tuple[object, ...]:
    return text.state, text.title, text.body, text.areas
