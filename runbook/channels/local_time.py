"""Times and durations as people read them. Moments are aware UTC; zones are IANA names."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
TENTHS_UNDER = 10


def zone(name: str) -> ZoneInfo:
    """The time zone of this name.

    Raises:
        ValueError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # a folder of the zone database raises OSError
        raise ValueError(f"no such time zone: {name!r}") from error


def in_zone(at: datetime, time_zone: str) -> datetime:
    """A moment on the clocks of a zone.

    Raises:
        ValueError: the moment has no time zone, or there is no such zone.
    """
    if at.tzinfo is None:
        raise ValueError(f"a moment needs a time zone: {at.isoformat()}")
    return at.astimezone(zone(time_zone))


def clock(at: datetime, time_zone: str = "UTC") -> str:
    """`15:51 UTC`, or `16:51 CET (15:51 UTC)` for a reader in another zone."""
    utc = f"{in_zone(at, 'UTC'):%H:%M} UTC"
    local = f"{in_zone(at, time_zone):%H:%M %Z}"
    return utc if local == utc else f"{local} ({utc})"


def stamp(at: datetime, time_zone: str = "UTC") -> str:
    """The date before the clock, both of the reader's zone: `2026-11-22 16:51 CET (15:51 UTC)`."""
    return f"{in_zone(at, time_zone):%Y-%m-%d} {clock(at, time_zone)}"


def clock_after(at: datetime, since: datetime, time_zone: str = "UTC") -> str:
    """The clock alone on the day of `since`, with the date on any other day."""
    same_day = in_zone(at, time_zone).date() == in_zone(since, time_zone).date()
    return clock(at, time_zone) if same_day else stamp(at, time_zone)


def hours_and_minutes(length: timedelta) -> str:
    """`2 hours 5 minutes`, the post-mortem's form, rounded down; under a minute `14 seconds`."""
    seconds = max(0, int(length.total_seconds()))
    hours, minutes = seconds // HOUR, seconds % HOUR // MINUTE
    if seconds < MINUTE:
        return _count(seconds, "second")
    return f"{_count(hours, 'hour')} {_count(minutes, 'minute')}"


def span(length: timedelta) -> str:
    """A length of time in short: `0.4 s`, `42 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`."""
    seconds = max(0.0, length.total_seconds())
    if seconds < TENTHS_UNDER:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
