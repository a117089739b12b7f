"""incident.io's status pages, API v2: creating is idempotent, updating is not.

An incident carries no mark of ours that could be read: its idempotency key is never given back, and its name
may be somebody else's. So an incident is ours only by its id, which creating it once more gives back. The
statuses of components are each incident's own; one that is resolved takes its own back, and no other's.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from blocks.channels.publishing import (
    ComponentSet,
    Connection,
    Namesake,
    OurPage,
    PublishedIncident,
    PublishedUpdate,
    Written,
    is_milder,
    moment,
    require_open,
)
from blocks.transport.errors import having_sent
from runbook.incidents.state import State
from runbook.public.refreshing import OVER
from runbook.public.texts import text_digest

_WELL = "operational"
_INCIDENTS = "/v2/status_page_incidents"
_UPDATES = "/v2/status_page_incident_updates"


class IncidentIoApi:
    """Our page on incident.io."""

    def __init__(self, connection: Connection, page: OurPage) -> None:
        self._connection = connection
        self._page = page

    async def missing_components(self) -> tuple[str, ...] | None:
        """None: the page is asked for its incidents, and its components cannot be listed."""
        await self.may_be_open("runbook doctor", since=datetime.now(UTC))
        return None

    async def find_incident(
        self,
        effect_id: str,
    ) -> None:
        """Nothing shows whose an incident is. Missing it does no harm: it is not created twice."""

    async def create_incident(
        self, name: str, message: str, state: State, *, effect_id: str
    ) -> PublishedIncident:
        """Publish an incident; the effect's id is its idempotency key.

        One that was created as this effect before is given back as it is.
        """
        body: dict[str, JsonValue] = {
            "status_page_id": self._page.id,
            "idempotency_key": effect_id,
            "name": name,
            **self._fields(message, state, dict.fromkeys(self._page.component_ids, self._broken)),
        }
        with having_sent():
            answer = await self._connection.send("POST", _INCIDENTS, body)
            return self._published(self._connection.member(answer, "status_page_incident"))

    async def find_update(
        self,
        incident_id: str,
        *,
        effect_id: str,  # noqa: ARG002 - incident.io has no place for it
        state: State | None,
        digests: Collection[str] = (),
    ) -> PublishedUpdate | None:
        """The incident's update of that text, or to that state."""
        for incident in await self._listed():
            if incident.get("id") != incident_id:
                continue
            for update in self._connection.objects(incident.get("updates", [])):
                said = state is not None and update.get("incident_status") == state.lower()
                if said or text_digest(str(update.get("message") or "")) in digests:
                    return PublishedUpdate(id=self._connection.id_of(update), incident_id=incident_id)
        return None

    async def written(self, incident_id: str) -> tuple[Written, ...]:
        """The incident's updates, oldest first."""
        found = [it for it in await self._listed() if it.get("id") == incident_id]
        return tuple(
            Written(
                id=self._connection.id_of(it),
                status=str(it.get("incident_status") or ""),
                text=str(it.get("message") or ""),
                at=moment(it.get("published_at")),
            )
            for incident in found
            for it in self._connection.objects(incident.get("updates") or [])
        )

    async def post_update(
        self,
        incident_id: str,
        message: str,
        state: State,
        *,
        effect_id: str,  # noqa: ARG002 - incident.io has no place for it
        name: str = "",
    ) -> PublishedUpdate:
        """Add an update to the incident, which keeps its title: an update has none.

        A component that shows in it what we have not set, or not milder than ours, is somebody else's word.
        """
        shown: dict[str, str] = {}
        title = ""
        for incident in await self._listed():
            if incident.get("id") == incident_id:
                title = str(incident.get("name") or "")
                require_open(self._connection.system, str(incident.get("incident_status")), state)
                shown = self._shown(incident)
        wanted = self._wanted(shown)
        body: dict[str, JsonValue] = {
            "status_page_incident_id": incident_id,
            **self._fields(message, state, wanted),
        }
        changes = tuple(
            ComponentSet(id=component, before=shown.get(component, _WELL), set=status)
            for component, status in wanted.items()
            if status != shown.get(component, _WELL) and state is not State.RESOLVED
        )
        with having_sent():
            answer = await self._connection.send("POST", _UPDATES, body)
            update = self._connection.member(answer, "status_page_incident_update")
            return PublishedUpdate(
                id=self._connection.id_of(update),
                incident_id=incident_id,
                components=changes,
                title_kept=bool(name) and name != title,
            )

    async def may_be_open(self, name: str, *, since: datetime) -> bool:
        """Whether an incident of this name is open that was published since then, by whomever."""
        return any(
            incident.get("name") == name
            and incident.get("incident_status") not in OVER
            and (moment(incident.get("published_at")) or since) >= since
            for incident in await self._listed()
        )

    async def namesakes(self, name: str) -> tuple[Namesake, ...]:
        """The open incidents of this name: nothing shows whose they are."""
        return tuple(
            Namesake(id=self._connection.id_of(it), title=name, link=str(it.get("public_url") or ""))
            for it in await self._listed()
            if it.get("name") == name and it.get("incident_status") not in OVER
        )

    async def _listed(self) -> list[dict[str, Any]]:
        answer = await self._connection.send("GET", _INCIDENTS, params={"status_page_id": self._page.id})
        return self._connection.objects(self._connection.member(answer).get("status_page_incidents"))

    @property
    def _broken(self) -> str:
        return self._page.component_status

    def _shown(self, incident: dict[str, Any]) -> dict[str, str]:
        """What the incident itself says of each component that it is about."""
        listed = self._connection.objects(incident.get("component_statuses") or [])
        return {str(it.get("component_id")): str(it.get("component_status")) for it in listed}

    def _wanted(self, shown: dict[str, str]) -> dict[str, str]:
        """What the incident is to say of each component from now on."""
        held = self._page.held
        wanted = {
            component: self._broken
            for component in self._page.component_ids
            if held.get(component, _WELL) == _WELL and is_milder(shown.get(component, _WELL), self._broken)
        }
        over = (it for it, status in held.items() if it not in self._page.component_ids and status != _WELL)
        back = {it: _WELL for it in over if shown.get(it) == held[it]}
        return {**shown, **wanted, **back}

    def _published(self, incident: dict[str, Any]) -> PublishedIncident:
        return PublishedIncident(
            id=self._connection.id_of(incident),
            url=str(incident.get("public_url") or ""),
            status=str(incident.get("incident_status") or ""),
            components=tuple(
                ComponentSet(id=it, before=_WELL, set=self._broken)
                for it, status in self._shown(incident).items()
                if it in self._page.component_ids and status == self._broken
            ),
        )

    def _fields(self, message: str, state: State, components: dict[str, str]) -> dict[str, JsonValue]:
        fields: dict[str, JsonValue] = {
            "message": message,
            "incident_status": state.lower(),
            "notify_subscribers": self._page.notify_subscribers,
        }
        if components and state != "RESOLVED":  # refused together with a resolution
            fields["component_statuses"] = [
                {"component_id": component, "component_status": status}
                for component, status in components.items()
            ]
        return fields
