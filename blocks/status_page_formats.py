"""The formats of public status pages, each read into what it lists. Unknown fields are ignored.

Sources: incident.io's widget API, Atlassian's "Statuspage status API", RSS 2.0 and Atom.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree

from runbook.readings import Impact, ListedIncident
from runbook.value import Value

_IMPACTS = {
    "none": Impact.NONE,
    "operational": Impact.NONE,
    "maintenance": Impact.MAINTENANCE,
    "under_maintenance": Impact.MAINTENANCE,
    "maintenance_in_progress": Impact.MAINTENANCE,
    "minor": Impact.DEGRADED,
    "degraded": Impact.DEGRADED,
    "degraded_performance": Impact.DEGRADED,
    "major": Impact.PARTIAL_OUTAGE,
    "partial_outage": Impact.PARTIAL_OUTAGE,
    "critical": Impact.FULL_OUTAGE,
    "major_outage": Impact.FULL_OUTAGE,
    "full_outage": Impact.FULL_OUTAGE,
}
_OVER = frozenset({"resolved", "postmortem", "completed"})
_UNDER_WAY = frozenset({"in_progress", "verifying", "maintenance_in_progress"})
_ORDER = tuple(Impact)


class UnknownFormat(ValueError):
    """The document is not in the format that it was read as; the text says what is missing."""


class Listing(Value):
    """What a page lists as not over."""

    incidents: tuple[ListedIncident, ...] = ()
    maintenances: tuple[ListedIncident, ...] = ()


def impact_of(word: object) -> Impact:
    """A vendor's word on our scale. A word that nobody knows is degraded, never none."""
    if not isinstance(word, str):
        return Impact.DEGRADED
    return _IMPACTS.get(word.strip().lower().replace(" ", "_"), Impact.DEGRADED)


def read_incident_io(document: Mapping[str, Any]) -> Listing:
    """incident.io's widget summary: three lists, empty when all is well.

    Raises:
        UnknownFormat: there is no list of ongoing incidents.
    """
    return Listing(
        incidents=tuple(_incident_io(item) for item in _objects(document, "ongoing_incidents")),
        maintenances=tuple(
            _incident_io(item, Impact.MAINTENANCE)
            for item in _objects(document, "in_progress_maintenances", required=False)
        ),
    )


def _incident_io(item: Mapping[str, Any], impact: Impact | None = None) -> ListedIncident:
    components = _objects(item, "affected_components", required=False)
    groups = [_text(component, "group_name") for component in components]
    return ListedIncident(
        id=_text(item, "id"),
        name=_text(item, "name"),
        status=_text(item, "status"),
        impact=impact or impact_of(item.get("current_worst_impact")),
        url=_text(item, "url"),
        components=tuple(_text(component, "name") for component in components),
        regions=_regions(groups),
        updated_at=_moment(item.get("last_update_at")),
        message=_text(item, "last_update_message"),
    )


def read_statuspage(document: Mapping[str, Any]) -> Listing:
    """Atlassian's summary. Broken components that no incident explains are listed as one of their own.

    Raises:
        UnknownFormat: there is no list of incidents.
    """
    components = _objects(document, "components", required=False)
    names = {_text(item, "id"): _text(item, "name") for item in components if item.get("group")}
    incidents = [
        _statuspage(item, names)
        for item in _objects(document, "incidents")
        if _text(item, "status") not in _OVER
    ]
    maintenances = [
        _statuspage(item, names)
        for item in _objects(document, "scheduled_maintenances", required=False)
        if _text(item, "status") in _UNDER_WAY
    ]
    if not incidents:
        overall = document.get("status")
        incidents = _unexplained(
            [item for item in components if not item.get("group")],
            overall=overall if isinstance(overall, Mapping) else {},
            group_of=lambda item: names.get(_text(item, "group_id"), _text(item, "group_id")),
        )
    return Listing(incidents=tuple(incidents), maintenances=tuple(maintenances))


def _statuspage(item: Mapping[str, Any], group_names: Mapping[str, str]) -> ListedIncident:
    components = _objects(item, "components", required=False)
    updates = _objects(item, "incident_updates", required=False)
    group_ids = [_text(component, "group_id") for component in components]
    return ListedIncident(
        id=_text(item, "id"),
        name=_text(item, "name"),
        status=_text(item, "status"),
        impact=impact_of(item.get("impact")),
        url=_text(item, "shortlink"),
        components=tuple(_text(component, "name") for component in components),
        regions=_regions(group_names.get(group, group) for group in group_ids),
        updated_at=_moment(item.get("updated_at")),
        message=_text(updates[0], "body") if updates else "",  # newest first
    )


def read_api_status(document: Mapping[str, Any]) -> Listing:
    """The `/api/status` form: an overall status, components in groups, active incidents.

    Raises:
        UnknownFormat: there is neither an overall status nor a list of active incidents.
    """
    if "overall_status" not in document and "active_incidents" not in document:
        raise UnknownFormat("neither overall_status nor active_incidents")
    incidents = [
        _active(item)
        for item in _objects(document, "active_incidents", required=False)
        if _text(item, "status") not in _OVER
    ]
    if not incidents:
        components = [
            {**component, "group": _text(group, "name")}
            for group in _objects(document, "component_groups", required=False)
            for component in _objects(group, "components", required=False)
        ]
        incidents = _unexplained(
            components,
            overall={"indicator": document.get("overall_status", "operational")},
            group_of=lambda item: _text(item, "group"),
        )
    return Listing(incidents=tuple(incidents))


def _active(item: Mapping[str, Any]) -> ListedIncident:
    components = _objects(item, "affected_components", "components", required=False)
    return ListedIncident(
        id=_text(item, "id"),
        name=_text(item, "name", "title"),
        status=_text(item, "status"),
        impact=impact_of(item.get("impact") or item.get("current_worst_impact") or item.get("severity")),
        url=_text(item, "url", "shortlink"),
        components=tuple(_text(component, "name") for component in components),
        regions=_regions(_text(component, "group_name") for component in components),
        updated_at=_moment(item.get("updated_at") or item.get("last_update_at")),
        message=_text(item, "message", "last_update_message"),
    )


def _unexplained(
    components: Iterable[Mapping[str, Any]],
    *,
    overall: Mapping[str, Any],
    group_of: Callable[[Mapping[str, Any]], str],
) -> list[ListedIncident]:
    """A page may turn components red, or its banner, and write no incident."""
    broken = [
        item for item in components if impact_of(item.get("status")) not in (Impact.NONE, Impact.MAINTENANCE)
    ]
    indicator = overall.get("indicator")
    banner = impact_of(indicator) if indicator is not None else Impact.NONE
    if not broken and banner in (Impact.NONE, Impact.MAINTENANCE):
        return []
    worst = max([banner, *(impact_of(item.get("status")) for item in broken)], key=_ORDER.index)
    return [
        ListedIncident(
            id="components",
            name=_text(overall, "description") or "components are not operational",
            status="not explained",
            impact=worst,
            components=tuple(_text(item, "name") for item in broken),
            regions=_regions(group_of(item) for item in broken),
        )
    ]


_LABEL = re.compile(
    r"(?:<(?:strong|b)>\s*(?:Status:\s*)?|\bStatus:\s*(?:</?\w+>\s*)*)"
    r"(Investigating|Identified|Monitoring|Update|Resolved|Postmortem"
    r"|Scheduled|In progress|Verifying|Completed)\b",
    re.IGNORECASE,
)
_TAGS = re.compile(r"<[^>]+>")


def read_feed(text: str) -> Listing:
    """An RSS or Atom feed: the last resort, since it keeps what is over and names no impact or region.

    An item counts as over as soon as one of its updates says so, whichever way the updates are ordered.

    Raises:
        UnknownFormat: it is no feed.
    """
    if "<!DOCTYPE" in text[:1000] or "<!ENTITY" in text:
        raise UnknownFormat("no feed but a document with a DTD")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - no DTD, so no entities to expand
    except ElementTree.ParseError as error:
        raise UnknownFormat(f"no XML: {error}") from None
    if _tag(root) not in ("rss", "feed", "RDF"):
        raise UnknownFormat(f"no feed but <{_tag(root)}>")
    listed = [_feed_item(item) for item in root.iter() if _tag(item) in ("item", "entry")]
    open_items = [item for item in listed if item.status not in (*_OVER, "scheduled")]
    return Listing(
        incidents=tuple(item for item in open_items if item.status not in _UNDER_WAY),
        maintenances=tuple(item for item in open_items if item.status in _UNDER_WAY),
    )


def _feed_item(item: ElementTree.Element) -> ListedIncident:
    parts = {_tag(child): (child.text or child.get("href") or "").strip() for child in item}
    body = parts.get("description") or parts.get("content") or parts.get("summary") or ""
    labels = [label.lower().replace(" ", "_") for label in _LABEL.findall(body)]
    status = next((label for label in labels if label in _OVER), labels[0] if labels else "unknown")
    return ListedIncident(
        id=parts.get("guid") or parts.get("id") or parts.get("link", ""),
        name=parts.get("title", ""),
        status=status,
        impact=Impact.MAINTENANCE if status in _UNDER_WAY else Impact.DEGRADED,
        url=parts.get("link", ""),
        updated_at=_moment(parts.get("pubDate") or parts.get("updated")),
        message=_TAGS.sub(" ", body),
    )


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _objects(document: Mapping[str, Any], *names: str, required: bool = True) -> list[Mapping[str, Any]]:
    value = next((document[name] for name in names if document.get(name) is not None), None)
    if value is None and not required:
        return []
    if not isinstance(value, list):
        raise UnknownFormat(f"{names[0]} is not a list")
    return [item for item in value if isinstance(item, Mapping)]


def _text(item: Mapping[str, Any], *names: str) -> str:
    value = next((item[name] for name in names if item.get(name) is not None), "")
    return value if isinstance(value, str) else str(value)


def _regions(groups: Iterable[str]) -> tuple[str, ...]:
    """The groups of the affected components; none at all where one stands outside of any group."""
    listed = list(groups)
    return tuple(dict.fromkeys(listed)) if all(listed) else ()


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar, in another zone
        return None
