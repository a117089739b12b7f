"""Atlassian Statuspage, API v1.

It has no idempotency key, so each incident's metadata keeps the ids of its effects.
"""

from typing import Any

from pydantic import JsonValue

from blocks.errors import having_sent
from blocks.publishing import Connection, Page, PublishedIncident, PublishedUpdate
from runbook.incident import State

_METADATA = "runbook"  # Statuspage wants an object under each of the metadata's keys


class StatuspageApi:
    """Our page on Atlassian Statuspage."""

    def __init__(self, connection: Connection, page: Page) -> None:
        self._connection = connection
        self._page = page
        self._incidents = f"/pages/{page.id}/incidents"

    async def find_incident(
        self,
        effect_id: str,
        *,
        name: str,  # noqa: ARG002 - the id says it all
    ) -> PublishedIncident | None:
        """The unresolved incident with the effect's id in its metadata."""
        answer = await self._connection.send("GET", f"{self._incidents}/unresolved")
        for incident in self._connection.objects(answer):
            if _marks(incident).get("effect_id") == effect_id:
                return self._published(incident)
        return None

    async def create_incident(
        self, name: str, message: str, state: State, *, effect_id: str
    ) -> PublishedIncident:
        """Publish an incident with the effect's id in its metadata."""
        incident = self._fields(message, state, {"effect_id": effect_id, "updates": []})
        with having_sent():
            answer = await self._connection.send(
                "POST", self._incidents, {"incident": {"name": name, **incident}}
            )
            return self._published(self._connection.member(answer))

    async def find_update(self, incident_id: str, *, effect_id: str, state: State) -> PublishedUpdate | None:
        """The update whose effect's id is in the incident's metadata, or else one to the same state."""
        incident = self._connection.member(
            await self._connection.send("GET", f"{self._incidents}/{incident_id}")
        )
        if effect_id in _marks(incident).get("updates", []):
            return PublishedUpdate(id=effect_id, incident_id=incident_id)
        for update in self._connection.objects(incident.get("incident_updates", [])):
            if update.get("status") == state.lower():
                return PublishedUpdate(id=self._connection.id_of(update), incident_id=incident_id)
        return None

    async def post_update(
        self, incident_id: str, message: str, state: State, *, effect_id: str
    ) -> PublishedUpdate:
        """Change the incident, which adds an update, and note the effect's id in its metadata."""
        path = f"{self._incidents}/{incident_id}"
        marks = _marks(self._connection.member(await self._connection.send("GET", path)))
        marks = {**marks, "updates": [*marks.get("updates", []), effect_id]}  # a PATCH replaces the metadata
        with having_sent():
            changed = await self._connection.send(
                "PATCH", path, {"incident": self._fields(message, state, marks)}
            )
            self._connection.id_of(self._connection.member(changed))
        return PublishedUpdate(id=effect_id, incident_id=incident_id)

    def _published(self, incident: dict[str, Any]) -> PublishedIncident:
        return PublishedIncident(
            id=self._connection.id_of(incident), url=str(incident.get("shortlink") or "")
        )

    def _fields(self, message: str, state: State, marks: dict[str, Any]) -> dict[str, JsonValue]:
        fields: dict[str, JsonValue] = {
            "status": state.lower(),
            "body": message,
            "deliver_notifications": self._page.notify_subscribers,
            "metadata": {_METADATA: marks},
        }
        if self._page.component_ids:
            broken = self._page.component_status
            status = "major_outage" if broken == "full_outage" else broken  # Atlassian's word for it
            wanted = "operational" if state == "RESOLVED" else status
            fields["component_ids"] = list(self._page.component_ids)
            fields["components"] = dict.fromkeys(self._page.component_ids, wanted)
        return fields


def _marks(incident: dict[str, Any]) -> dict[str, Any]:
    marks: dict[str, Any] = (incident.get("metadata") or {}).get(_METADATA) or {}
    return marks
