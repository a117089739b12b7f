"""The circuit breaker: after a number of changes of the cluster, only people make more."""

from collections.abc import Iterable
from datetime import timedelta

from runbook.channels.wording import count
from runbook.incidents.effect_ids import EffectId
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy

WINDOW = timedelta(hours=1)


def tripped(incident: Incident, recent: Iterable[Effect], *, policy: Policy) -> str | None:
    """Why no further change may be made, `None` while it may.

    `recent` are the effects of all incidents within the last `WINDOW`. An action counts once, however many
    requests it takes; one that certainly was not made does not count. Undoing counts too. `policy` is the
    present one; the limits are those in force for the incident.
    """
    policy = policy_in_force(incident, policy)
    own = _changes(incident.effects.values())
    if len(own) >= policy.changes_per_incident:
        limit = f"[policy] changes_per_incident = {policy.changes_per_incident}"
        return f"this incident has had {count(len(own), 'change')} already ({limit})"
    lately = _changes(recent)
    if len(lately) >= policy.changes_per_hour:
        limit = f"[policy] changes_per_hour = {policy.changes_per_hour}"
        return f"{count(len(lately), 'change')} within an hour ({limit})"
    return None


def _changes(effects: Iterable[Effect]) -> set[str]:
    """The actions of incidents that have changed the cluster, or may have."""
    return {
        EffectId(effect.id).change
        for effect in effects
        if effect.is_change and effect.outcome is not EffectOutcome.FAILED
    }
