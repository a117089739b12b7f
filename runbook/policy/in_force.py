"""The policy that holds for one incident: the strictest of the one at its opening and the present one.

An edit that tightens applies at once, one that loosens only to incidents that are opened after it.
"""

from runbook.incidents.events import PolicyChanged, PolicyNoted
from runbook.incidents.incident import Incident
from runbook.policy.permissions import PermissionChange, Permissions, edits, strictest
from runbook.policy.policy import Policy


def policy_in_force(journal: Incident, policy: Policy) -> Policy:
    """The policy for this incident, from the present one.

    A journal of an earlier release in which no policy was noted yet is under the present one.
    """
    opening = permissions_at_opening(journal)
    if opening is None:
        return policy
    return strictest(opening, Permissions.of(policy)).applied_to(policy)


def permissions_at_opening(journal: Incident) -> Permissions | None:
    """What was permitted when the incident was opened, or when its policy was first noted."""
    if journal.opened.permissions is not None:
        return journal.opened.permissions
    noted = next(iter(journal.events(PolicyNoted)), None)
    return noted.permissions if noted else None


def policy_note(journal: Incident, policy: Policy) -> PolicyNoted | PolicyChanged | None:
    """What a journal has to say of the present policy that it does not say yet."""
    opening = permissions_at_opening(journal)
    present = Permissions.of(policy)
    if opening is None:
        return PolicyNoted(permissions=present)
    newest = journal.last(PolicyChanged)
    known = newest.permissions if newest else opening
    if known.digest == present.digest:
        return None
    return PolicyChanged(permissions=present, changes=_changes(opening, known, present))


def policy_edits(journal: Incident) -> tuple[PermissionChange, ...]:
    """What is edited in the newest policy that the journal knows, compared with that of the opening."""
    opening, newest = permissions_at_opening(journal), journal.last(PolicyChanged)
    return edits(opening, newest.permissions) if opening and newest else ()


def _changes(opening: Permissions, known: Permissions, present: Permissions) -> tuple[PermissionChange, ...]:
    """From the policy known so far to the present one; whether it applies, the opening decides."""
    applied = {change.name: change.applied for change in edits(opening, present)}
    return tuple(
        change.model_copy(update={"applied": applied.get(change.name, True)})
        for change in edits(known, present)
    )
