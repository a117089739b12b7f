"""Log lines about what stays wrong: one when it begins or is another thing, not one for each attempt."""

import logging
from collections.abc import Collection

from deployments.processes.json_log import log_event


class ToldOnce:
    """Writes that something is wrong with a subject, as an incident, until it has been well in between."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._told: dict[tuple[str, str], str] = {}

    def wrong(self, event: str, *, error: str, level: int = logging.WARNING, incident: str = "") -> None:
        """Write the event, unless it was written with the same error before."""
        subject = incident, event
        if self._told.get(subject) != error:
            self._told[subject] = error
            log_event(self._log, event, level=level, incident=incident or None, error=error)

    def well(self, event: str, *, incident: str = "") -> None:
        """Forget it: what goes wrong from now on is new."""
        self._told.pop((incident, event), None)

    def keep(self, incidents: Collection[str]) -> None:
        """Forget all other incidents."""
        self._told = {
            subject: error
            for subject, error in self._told.items()
            if not subject[0] or subject[0] in incidents
        }
