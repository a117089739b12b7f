"""Times as senders write them: RFC 3339, without a zone, or numbers since 1970 in any unit."""

from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from runbook.alerts.sources.reading import utc

_AWARE = TypeAdapter(AwareDatetime)
_ANY = TypeAdapter(datetime)
_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""From which number on it counts nanoseconds, microseconds or milliseconds; below, seconds."""


def time_of(value: Any, *, naive_is_utc: bool) -> datetime | None:
    """The time (aware, UTC); `None` for a zero or a year that no clock shows.

    Raises:
        ValueError: it is none, or has no zone.
    """
    number = _number(value)
    if number is not None:
        return _since_1970(number)
    try:
        at = _ANY.validate_python(value) if naive_is_utc else _AWARE.validate_python(value)
    except ValidationError:
        raise ValueError("not a time with its zone, nor a number since 1970") from None
    return utc(at if at.tzinfo else at.replace(tzinfo=UTC))


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        raise ValueError("not a time")
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(value)
    except ValueError:
        return None


def _since_1970(number: float) -> datetime | None:
    scale = next((scale for least, scale in _UNITS if number >= least), 1.0)
    try:
        return utc(datetime.fromtimestamp(number / scale, UTC))
    except (ValueError, OverflowError, OSError):
        return None
