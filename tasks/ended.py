"""A person may end an incident at any time: the run finds out before it begins anything else."""

from runbook.incidents.incident import Incident
from runbook.incidents.state import Outcome


class Ended(Exception):
    """The incident has ended while its run was at work: nothing else is begun."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"the incident has ended: {outcome}")
        self.outcome = outcome


def require_open(journal: Incident) -> Incident:
    """The same incident, once it is sure that the response goes on.

    Raises:
        Ended: somebody has ended it.
    """
    if journal.outcome is not None:
        raise Ended(journal.outcome)
    return journal
