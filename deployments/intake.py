"""What happens to an alert that was let in: it opens an incident, joins one, or is ignored with a reason."""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from blocks.store import IncidentStore
from deployments.json_log import log_event
from runbook.alert import Alert, AlertStatus
from runbook.events import AlertJoined
from runbook.incident_ids import new_incident_id

log = logging.getLogger("runbook.receiver")


@dataclass
class Taken:
    """What became of the alerts of one request: incidents by id (whether new), and alerts ignored."""

    incidents: dict[str, bool] = field(default_factory=dict)
    ignored: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The receiver's answer."""
        incidents = [{"id": incident_id, "new": new} for incident_id, new in self.incidents.items()]
        return {"incidents": incidents, "ignored": self.ignored}


class Intake:
    """Writes alerts to the store; `opened` is told the id of each incident that is new."""

    def __init__(self, store: IncidentStore, *, environment: str, opened: Callable[[str], None]) -> None:
        self._store = store
        self._environment = environment
        self._opened = opened

    async def take(self, alerts: Sequence[Alert]) -> Taken:
        """Make the alerts durable, the firing ones first: a resolved one may belong to what they open.

        Raises:
            Unavailable: the store cannot be reached; some of the alerts may have been written.
        """
        taken = Taken()
        for alert in sorted(alerts, key=lambda alert: alert.status is not AlertStatus.FIRING):
            if alert.status is AlertStatus.FIRING:
                await self._open_or_join(alert, taken)
            else:
                await self._join(alert, taken)
        return taken

    async def _open_or_join(self, alert: Alert, taken: Taken) -> None:
        at = datetime.now(UTC)
        incident, new = await self._store.open_incident(
            alert,
            incident_id=new_incident_id(at, secrets.token_hex(2)),
            at=at,
            environment=self._environment,
        )
        taken.incidents[incident.id] = taken.incidents.get(incident.id, False) or new
        if new:
            self._opened(incident.id)
        _log(alert, "incident opened" if new else "alert joined", incident=incident.id)

    async def _join(self, alert: Alert, taken: Taken) -> None:
        known = await self._store.incidents(only_open=True, limit=1000)
        found = next((incident for incident in known if incident.service == alert.service), None)
        if found is None:
            reason = f"resolved, and {alert.service} has no open incident"
            taken.ignored.append({"service": alert.service, "name": alert.name, "reason": reason})
            _log(alert, "alert ignored", reason=reason)
            return
        await self._store.append(found.id, AlertJoined(alert=alert), at=datetime.now(UTC))
        taken.incidents.setdefault(found.id, False)
        _log(alert, "alert joined", incident=found.id)


def _log(alert: Alert, event: str, *, incident: str | None = None, reason: str | None = None) -> None:
    log_event(
        log,
        event,
        source=alert.source,
        service=alert.service,
        alert=alert.name,
        status=alert.status,
        incident=incident,
        reason=reason,
    )
