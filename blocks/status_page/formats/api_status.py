"""The `/api/status` form, and Instatus' summary: a banner, active incidents, components in groups."""

from collections.abc import Mapping
from typing import Any

from blocks.status_page.formats.documents import UnknownFormat, moment, objects, regions, text
from blocks.status_page.formats.listing import Component, Listing, banner_of, completed
from runbook.checks.readings import Impact, ListedIncident
from runbook.checks.status_page_words import State, impact_of, state_in

_INCIDENTS = ("active_incidents", "activeIncidents")
_MAINTENANCES = ("active_maintenances", "activeMaintenances")
_TO_COME = (State.OVER, State.SCHEDULED)


def read_api_status(document: Mapping[str, Any]) -> Listing:
    """The active incidents, with the components and the banner that none of them explains.

    Raises:
        UnknownFormat: there is neither an overall status nor a list of active incidents.
    """
    page = document.get("page")
    has_banner = "overall_status" in document or (isinstance(page, Mapping) and "status" in page)
    if not has_banner and not any(name in document for name in _INCIDENTS):
        raise UnknownFormat("neither overall_status nor active_incidents")
    listing = Listing(
        incidents=tuple(
            _active(item)
            for item in objects(document, *_INCIDENTS, required=False)
            if state_in(item.get("status")) not in _TO_COME
        ),
        maintenances=tuple(
            _active(item, Impact.MAINTENANCE)
            for item in objects(document, *_MAINTENANCES, required=False)
            if state_in(item.get("status")) not in _TO_COME
        ),
    )
    return completed(listing, _components(document), banner_of(document))


def _components(document: Mapping[str, Any]) -> list[Component]:
    grouped = [
        (text(group, "name"), component)
        for group in objects(document, "component_groups", required=False)
        for component in objects(group, "components", required=False)
    ]
    alone = [
        (text(component, "group_name"), component)
        for component in objects(document, "components", required=False)
    ]
    return [
        Component(
            id=text(component, "id"),
            name=text(component, "name"),
            region=region,
            word=text(component, "status", "current_status"),
        )
        for region, component in (*grouped, *alone)
    ]


def _active(item: Mapping[str, Any], impact: Impact | None = None) -> ListedIncident:
    components = objects(item, "affected_components", "components", required=False)
    said = item.get("impact") or item.get("current_worst_impact") or item.get("severity")
    return ListedIncident(
        id=text(item, "id"),
        name=text(item, "name", "title"),
        status=text(item, "status"),
        impact=impact or impact_of(said),
        url=text(item, "url", "shortlink"),
        components=tuple(text(component, "name") for component in components),
        regions=regions(text(component, "group_name") for component in components),
        updated_at=moment(item.get("updated_at") or item.get("last_update_at") or item.get("updatedAt")),
        message=text(item, "message", "last_update_message"),
    )
