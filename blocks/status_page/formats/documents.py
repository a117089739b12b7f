"""Reading values out of JSON that nobody vouches for."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


class UnknownFormat(ValueError):
    """The document is not in the format that it was read as; the text says what is missing."""


def objects(document: Mapping[str, Any], *names: str, required: bool = True) -> list[Mapping[str, Any]]:
    """The list under the first of the names that is there.

    Raises:
        UnknownFormat: it is no list of objects, or none is there though one is required.
    """
    value = next((document[name] for name in names if document.get(name) is not None), None)
    if value is None and not required:
        return []
    if not isinstance(value, list):
        raise UnknownFormat(f"{names[0]} is not a list")
    if not all(isinstance(item, Mapping) for item in value):
        raise UnknownFormat(f"{names[0]} contains something other than objects")  # half a list is no list
    return value


def text(item: Mapping[str, Any], *names: str) -> str:
    """The text under the first of the names that is there, or nothing."""
    value = next((item[name] for name in names if item.get(name) is not None), "")
    return value if isinstance(value, str) else str(value)


def regions(groups: Iterable[str]) -> tuple[str, ...]:
    """The groups of the affected components; none at all where one stands outside of any group."""
    listed = list(groups)
    return tuple(dict.fromkeys(listed)) if all(listed) else ()


def moment(value: object) -> datetime | None:
    """A time in ISO 8601 or as mail writes it, as aware UTC; `None` for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        try:
            parsed = parsedate_to_datetime(value)
        except ValueError:
            return None
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar, in another zone
        return None
