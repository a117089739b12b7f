"""Atlassian Statuspage, API v1.

It has no idempotency key, so each incident's metadata keeps the ids of its effects, and what we have set the
components to. Only what carries this mark is ours: a status that somebody else has set is left alone.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
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
from blocks.transport.errors import NotFound, having_sent
from runbook.incidents.state import State
from runbook.public.texts import text_digest

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

        Components that show ours already, or worse, are somebody else's word, and stay as they are.
        """
        changes = await self._to_set(self._page.component_ids)
        marks = _holding({"effect_id": effect_id, "updates": []}, changes)
        incident = {"name": name, **self._fields(message, state, marks)}
        if changes:
            incident["components"] = {it.id: it.set for it in changes}
        with having_sent():
            answer = await self._connection.send("POST", self._incidents, {"incident": incident})
            return self._published(self._connection.member(answer))

    async def find_update(
        self, incident_id: str, *, effect_id: str, state: State | None, digests: Collection[str] = ()
    ) -> PublishedUpdate | None:
        """The update whose effect's id is in the incident's metadata, or else one of that text, or state."""
        incident = self._connection.member(
            await self._connection.send("GET", f"{self._incidents}/{incident_id}")
        )
        if effect_id in _marks(incident).get("updates", []):
            held = self._held({"components": {}, **_marks(incident)})
            return PublishedUpdate(id=effect_id, incident_id=incident_id, components=held)
        for update in self._connection.objects(incident.get("incident_updates", [])):
            said = state is not None and update.get("status") == state.lower()
            if said or text_digest(str(update.get("body") or "")) in digests:
                return PublishedUpdate(id=self._connection.id_of(update), incident_id=incident_id)
        return None

    async def written(self, incident_id: str) -> tuple[Written, ...]:
        """The incident's updates, oldest first."""
        answer = await self._connection.send("GET", f"{self._incidents}/{incident_id}")
        listed = self._connection.objects(self._connection.member(answer).get("incident_updates", []))
        return tuple(
            Written(
                id=self._connection.id_of(it),
                status=str(it.get("status") or ""),
                text=str(it.get("body") or ""),
                at=moment(it.get("created_at")),
            )
            for it in reversed(listed)
        )

    async def post_update(
        self, incident_id: str, message: str, state: State, *, effect_id: str, name: str = ""
    ) -> PublishedUpdate:
        """Change the incident, which adds an update, and note the effect's id in its metadata.

        What is affected now is set. What is not any more, or at the end all that we had set, is put back to
        what it was before; but only where it shows ours, and nobody has set it since.
        """
        path = f"{self._incidents}/{incident_id}"
        incident = self._connection.member(await self._connection.send("GET", path))
        require_open(self._connection.system, str(incident.get("status")), state)
        marks = _marks(incident)
        held = self._held(marks)
        affected = () if state is State.RESOLVED else self._page.component_ids
        over = [it for it in held if it.id not in affected]
        back = await self._to_put_back(incident_id, over)
        new = await self._to_set([it for it in affected if it not in {one.id for one in held}])
        changes = (*back, *new)
        marks = {**marks, "updates": [*marks.get("updates", []), effect_id]}  # a PATCH replaces the metadata
        if over or new:
            kept = () if state is State.RESOLVED else (it for it in held if it.id in affected)
            marks = _holding(marks, (*kept, *new))
        fields = self._fields(message, state, marks) | ({"name": name} if name else {})
        if changes:
            fields["components"] = {it.id: it.set for it in changes}
        with having_sent():
            changed = await self._connection.send("PATCH", path, {"incident": fields})
            self._connection.id_of(self._connection.member(changed))
        return PublishedUpdate(id=effect_id, incident_id=incident_id, components=changes)

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

    def _held(self, marks: dict[str, Any]) -> tuple[ComponentSet, ...]:
        """What we have set by the mark. An earlier release set all of them, and left no mark of it."""
        unmarked = dict.fromkeys(self._page.component_ids, self._broken)
        set_by_us: dict[str, str] = marks.get("components", unmarked)
        before: dict[str, str] = marks.get("before", {})
        return tuple(
            ComponentSet(id=component, before=before.get(component, _WELL), set=status)
            for component, status in set_by_us.items()
        )

    async def _to_set(self, components: Iterable[str]) -> tuple[ComponentSet, ...]:
        """The components that show something milder than ours, each with what that is."""
        shown = [(component, await self._component_status(component)) for component in components]
        return tuple(
            ComponentSet(id=component, before=status or "", set=self._broken)
            for component, status in shown
            if is_milder(status, self._broken)
        )

    async def _to_put_back(self, incident_id: str, held: Sequence[ComponentSet]) -> tuple[ComponentSet, ...]:
        """Those that still show what we have set, and of which no other open incident tells."""
        if not held:
            return ()
        answer = await self._connection.send("GET", f"{self._incidents}/unresolved")
        others = {
            component.get("id")
            for incident in self._connection.objects(answer)
            if incident.get("id") != incident_id
            for component in self._connection.objects(incident.get("components") or [])
        }
        ours = [it for it in held if it.id not in others and await self._component_status(it.id) == it.set]
        return tuple(ComponentSet(id=it.id, before=it.set, set=it.before) for it in ours)

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
            id=self._connection.id_of(incident),
            url=str(incident.get("shortlink") or ""),
            components=self._held({"components": {}, **_marks(incident)}),
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


def _holding(marks: dict[str, Any], held: Iterable[ComponentSet]) -> dict[str, Any]:
    """The marks with what we have set, and what that was before where it was not operational."""
    held = tuple(held)
    bare = {name: mark for name, mark in marks.items() if name != "before"}
    before = {it.id: it.before for it in held if it.before != _WELL}
    return {**bare, "components": {it.id: it.set for it in held}, **({"before": before} if before else {})}


def _marks(incident: dict[str, Any]) -> dict[str, Any]:
    marks: dict[str, Any] = (incident.get("metadata") or {}).get(_METADATA) or {}
    return marks
