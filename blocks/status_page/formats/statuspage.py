"""Atlassian's summary."""

from collections.abc import Mapping
from typing import Any

from blocks.status_page.formats.affected import Affected, by_region
from blocks.status_page.formats.documents import moment, objects, regions, text
from blocks.status_page.formats.listing import Component, Listing, banner_of, completed
from runbook.checks.readings import ListedIncident
from runbook.checks.status_page_words import State, impact_in, impact_of, state_in

_TO_COME = (State.OVER, State.SCHEDULED)


def read_statuspage(document: Mapping[str, Any]) -> Listing:
    """The open incidents and running maintenances, with the components that none of them explains.

    Raises:
        UnknownFormat: there is no list of incidents.
    """
    items = objects(document, "components", required=False)
    names = {text(item, "id"): text(item, "name") for item in items if item.get("group")}
    listing = Listing(
        incidents=tuple(
            part
            for item in objects(document, "incidents")
            if _is_open(item)
            for part in by_region(_listed(item, names), _affected(item, names))
        ),
        maintenances=tuple(
            _listed(item, names)
            for item in objects(document, "scheduled_maintenances", required=False)
            if state_in(item.get("status")) not in _TO_COME
        ),
    )
    return completed(listing, _components(items, names), banner_of(document))


def _is_open(item: Mapping[str, Any]) -> bool:
    """An incident is open unless its state says otherwise; one without a state, unless it has an end."""
    state = state_in(item.get("status"))
    return state not in _TO_COME and not (state is None and item.get("resolved_at"))


def _components(items: list[Mapping[str, Any]], group_names: Mapping[str, str]) -> list[Component]:
    """The components that are no groups, and the groups of which none is listed."""
    parents = {text(item, "group_id") for item in items}
    return [
        Component(
            id=text(item, "id"),
            name=text(item, "name"),
            region=text(item, "name")
            if item.get("group")
            else group_names.get(text(item, "group_id"), text(item, "group_id")),
            word=text(item, "status"),
            group=bool(item.get("group")),
        )
        for item in items
        if not item.get("group") or text(item, "id") not in parents
    ]


def _affected(item: Mapping[str, Any], group_names: Mapping[str, str]) -> list[Affected]:
    return [
        Affected(
            text(component, "name"),
            group_names.get(text(component, "group_id"), text(component, "group_id")),
            impact_in(component.get("status")),
        )
        for component in objects(item, "components", required=False)
    ]


def _listed(item: Mapping[str, Any], group_names: Mapping[str, str]) -> ListedIncident:
    components = objects(item, "components", required=False)
    updates = objects(item, "incident_updates", required=False)
    group_ids = [text(component, "group_id") for component in components]
    return ListedIncident(
        id=text(item, "id"),
        name=text(item, "name"),
        status=text(item, "status"),
        impact=impact_of(item.get("impact")),
        url=text(item, "shortlink"),
        components=tuple(text(component, "name") for component in components),
        regions=regions(group_names.get(group, group) for group in group_ids),
        updated_at=moment(item.get("updated_at")),
        message=text(updates[0], "body") if updates else "",  # newest first
    )
