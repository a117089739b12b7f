"""A person may end an incident at any time: the run finds out before it begins anything else."""

from runbook.actions.catalogue import PlannedAction
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome


class Ended(Exception):
    """The incident has ended while its run was at work: nothing else is begun."""

    def __init__(self, outcome: IncidentOutcome) -> None:
        super().__init__(f"the incident has ended: {outcome}")
        self.outcome = outcome


def require_open(journal: Incident, action: PlannedAction | None = None) -> Incident:
    """The same incident, once it is sure that the response goes on; or that this action has begun.

    What has begun comes to its end: a change that is half made, or not proved, helps nobody.

    Raises:
        Ended: somebody has ended it.
    """
    begun = action is not None and journal.has_begun(action) and action.id not in journal.results
    if journal.outcome is not None and not begun:
        raise Ended(journal.outcome)
    return journal
