"""Atlassian Statuspage, API v1.

It has no idempotency key, so each incident's metadata keeps the ids of its effects, and what we have set the
components to. Only what carries this mark is ours: a status that somebody else has set is left alone.
"""

from datetime import datetime
from typing import Any

from pydantic import JsonValue

from blocks.channels.publishing import (
    Connection,
    Namesake,
    OurPage,
    PublishedIncident,
    PublishedUpdate,
    require_open,
)
from blocks.transport.errors import NotFound, having_sent
from runbook.incidents.state import State

_METADATA = "runbook"  # Statuspage wants an object under each of the metadata's keys
_WELL = "operational"


class StatuspageApi:
    """Our page on Atlassian Statuspage."""

    def __init__(self, connection: Connection, page: OurPage) -> None:
        self._connection = connection
        self._page = page
        self._incidents = f"/pages/{page.id}/incidents"

    async def missing_components(self) -> tuple[str, ...] | None:
        """The configured components that the page does not have."""
        listed = self._connection.objects(
            await self._connection.send("GET", f"/pages/{self._page.id}/components")
        )
        known = {self._connection.id_of(component) for component in listed}
        return tuple(each for each in self._page.component_ids if each not in known)

    async def find_incident(self, effect_id: str) -> PublishedIncident | None:
        """The unresolved incident with the effect's id in its metadata."""
        answer = await self._connection.send("GET", f"{self._incidents}/unresolved")
        for incident in self._connection.objects(answer):
            if _marks(incident).get("effect_id") == effect_id:
                return self._published(incident)
        return None

    async def create_incident(
        self, name: str, message: str, state: State, *, effect_id: str
    ) -> PublishedIncident:
        """Publish an incident with the effect's id in its metadata.

        Components that are not operational are somebody else's word already, and stay as they are.
        """
        well = [it for it in self._page.component_ids if await self._component_status(it) == _WELL]
        components = dict.fromkeys(well, self._broken)
        marks = {"effect_id": effect_id, "updates": [], "components": components}
        incident = {"name": name, **self._fields(message, state, marks)}
        if components:
            incident["components"] = dict(components)
        with having_sent():
            answer = await self._connection.send("POST", self._incidents, {"incident": incident})
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
        """Change the incident, which adds an update, and note the effect's id in its metadata.

        Its end makes those components operational that we had set, and that nobody has set since.
        """
        path = f"{self._incidents}/{incident_id}"
        incident = self._connection.member(await self._connection.send("GET", path))
        require_open(self._connection.system, str(incident.get("status")), state)
        marks = _marks(incident)
        marks = {**marks, "updates": [*marks.get("updates", []), effect_id]}  # a PATCH replaces the metadata
        fields = self._fields(message, state, marks)
        if state is State.RESOLVED and (ours := await self._still_ours(incident_id, marks)):
            fields["components"] = dict.fromkeys(ours, _WELL)
        with having_sent():
            changed = await self._connection.send("PATCH", path, {"incident": fields})
            self._connection.id_of(self._connection.member(changed))
        return PublishedUpdate(id=effect_id, incident_id=incident_id)

    async def may_be_open(self, name: str, *, since: datetime) -> bool:  # noqa: ARG002 - the name is enough
        """Whether an unresolved incident has this name."""
        answer = await self._connection.send("GET", f"{self._incidents}/unresolved")
        return any(incident.get("name") == name for incident in self._connection.objects(answer))

    async def namesakes(self, name: str) -> tuple[Namesake, ...]:
        """The unresolved incidents of this name without the runbook's mark."""
        answer = await self._connection.send("GET", f"{self._incidents}/unresolved")
        return tuple(
            Namesake(id=self._connection.id_of(it), title=name, link=str(it.get("shortlink") or ""))
            for it in self._connection.objects(answer)
            if it.get("name") == name and not _marks(it).get("effect_id")
        )

    @property
    def _broken(self) -> str:
        status = self._page.component_status
        return "major_outage" if status == "full_outage" else status  # Atlassian's word for it

    async def _still_ours(self, incident_id: str, marks: dict[str, Any]) -> list[str]:
        """The components that show what we have set, and that no other open incident is about.

        An earlier release set all of them, and left no mark of it.
        """
        unmarked = dict.fromkeys(self._page.component_ids, self._broken)
        set_by_us: dict[str, str] = marks.get("components", unmarked)
        answer = await self._connection.send("GET", f"{self._incidents}/unresolved")
        others = {
            component.get("id")
            for incident in self._connection.objects(answer)
            if incident.get("id") != incident_id
            for component in self._connection.objects(incident.get("components") or [])
        }
        return [
            component
            for component, status in set_by_us.items()
            if component not in others and await self._component_status(component) == status
        ]

    async def _component_status(self, component_id: str) -> str | None:
        """What the page shows; `None` for a component that it does not have."""
        path = f"/pages/{self._page.id}/components/{component_id}"
        try:
            component = self._connection.member(await self._connection.send("GET", path))
        except NotFound:
            return None
        return str(component.get("status"))

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
            fields["component_ids"] = list(self._page.component_ids)
        return fields


def _marks(incident: dict[str, Any]) -> dict[str, Any]:
    marks: dict[str, Any] = (incident.get("metadata") or {}).get(_METADATA) or {}
    return marks
