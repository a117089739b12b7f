"""A planned action with all that it takes to carry it out."""

from datetime import datetime

from runbook.actions.catalogue import PlannedAction
from runbook.incidents.effect_ids import change_id
from runbook.incidents.events import (
    ActionPreviewed,
)
from runbook.incidents.incident import Incident
from runbook.incidents.loose_ends import switched_on_by
from tasks.actions.changes.base import Change
from tasks.incident import OpenIncident, now


def change_of(incident: OpenIncident, journal: Incident, action: PlannedAction) -> Change:
    """The action with all that it takes to carry it out."""
    return Change(
        action=action,
        environment=incident.environment,
        effect_id=change_id(incident.id, action.id),
        since=_first_seen(journal, action) or now(),
        policy=incident.policy_in_force(journal),
        done=journal.previews.get(action.parameters.get("undoes") or switched_on_by(journal, action)),
    )


def _first_seen(journal: Incident, action: PlannedAction) -> datetime | None:
    previews = (event for event in journal.events(ActionPreviewed) if event.plan.action.id == action.id)
    return next((event.since for event in previews), None)
