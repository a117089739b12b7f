"""JSON documents by their shape: a page or a relay may serve one vendor's form under another's path."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from blocks.status_page.formats.api_status import read_api_status
from blocks.status_page.formats.incident_io import read_incident_io
from blocks.status_page.formats.listing import Listing
from blocks.status_page.formats.statuspage import read_statuspage

JsonFormat = Literal["incident_io", "statuspage", "api_status"]

_READERS: dict[JsonFormat, Callable[[Mapping[str, Any]], Listing]] = {
    "incident_io": read_incident_io,
    "statuspage": read_statuspage,
    "api_status": read_api_status,
}
_LISTS: dict[JsonFormat, tuple[str, ...]] = {
    "incident_io": ("ongoing_incidents",),
    "statuspage": ("incidents",),
    "api_status": ("active_incidents", "activeIncidents"),
}


def read_json(document: Mapping[str, Any], expected: JsonFormat) -> Listing:
    """What a document lists, read by the form whose list of incidents it has, else by the expected one.

    Raises:
        UnknownFormat: it is in none of the forms.
    """
    return _READERS[shape_of(document) or expected](document)


def shape_of(document: Mapping[str, Any]) -> JsonFormat | None:
    """The form whose list of incidents the document has; `None` where it has none."""
    return next((form for form, names in _LISTS.items() if any(name in document for name in names)), None)
