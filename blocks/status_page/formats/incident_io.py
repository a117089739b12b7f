"""incident.io's widget summary, and the summaries of others that have its lists, such as Flashduty's."""

from collections.abc import Mapping
from typing import Any

from blocks.status_page.formats.affected import Affected, by_region
from blocks.status_page.formats.documents import UnknownFormat, moment, objects, regions, text
from blocks.status_page.formats.listing import Listing, banner_of, completed
from runbook.checks.readings import Impact, ListedIncident
from runbook.checks.status_page_words import State, impact_in, impact_of, state_in


def read_incident_io(document: Mapping[str, Any]) -> Listing:
    """Three lists, empty when all is well, or how many each of them would have.

    Raises:
        UnknownFormat: there is neither a list nor a number of ongoing incidents.
    """
    incidents = _listed(document, "ongoing_incidents")
    if incidents is None:
        raise UnknownFormat("ongoing_incidents is not a list")
    listing = Listing(
        incidents=tuple(incidents),
        maintenances=tuple(_listed(document, "in_progress_maintenances", Impact.MAINTENANCE) or ()),
    )
    return completed(listing, (), banner_of(document))


def _listed(
    document: Mapping[str, Any], name: str, impact: Impact | None = None
) -> list[ListedIncident] | None:
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        what = name.replace("_", " ")
        return [_counted(f"{value} {what}", impact or Impact.DEGRADED)] if value else []
    items = [part for item in objects(document, name) for part in _parts(item, impact)]
    return [item for item in items if state_in(item.status) is not State.OVER]


def _parts(item: Mapping[str, Any], impact: Impact | None) -> list[ListedIncident]:
    incident = _incident(item, impact)
    if impact is not None:
        return [incident]
    affected = [
        Affected(
            text(component, "name"), text(component, "group_name"), impact_in(component["current_status"])
        )
        for component in objects(item, "affected_components", "components", required=False)
        if component.get("current_status") is not None
    ]
    complete = len(affected) == len(incident.components)
    return by_region(incident, affected) if complete else [incident]


def _counted(name: str, impact: Impact) -> ListedIncident:
    return ListedIncident(id="counted", name=name, status="not named", impact=impact)


def _incident(item: Mapping[str, Any], impact: Impact | None) -> ListedIncident:
    components = objects(item, "affected_components", "components", required=False)
    groups = [text(component, "group_name") for component in components]
    said = item.get("current_worst_impact") or item.get("impact") or item.get("severity")
    return ListedIncident(
        id=text(item, "id"),
        name=text(item, "name", "title"),
        status=text(item, "status", "phase"),
        impact=impact or impact_of(said),
        url=text(item, "url"),
        components=tuple(text(component, "name") for component in components),
        regions=regions(groups),
        updated_at=moment(item.get("last_update_at") or item.get("updated_at")),
        message=text(item, "last_update_message", "message"),
    )
