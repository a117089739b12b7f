"""Ids of incidents: sorted by time, short enough to read out, safe in URLs, artifact keys and file names."""

import re
from datetime import UTC, datetime

INCIDENT_ID = re.compile(r"inc-\d{8}-\d{6}-[0-9a-f]{4}")


def new_incident_id(at: datetime, token: str) -> str:
    """The id of an incident opened at `at`; `token` (4 hex digits) tells two of the same second apart.

    Raises:
        ValueError: `at` has no time zone, or `token` is not four lowercase hex digits.
    """
    if at.tzinfo is None:
        raise ValueError("the time of an incident needs a time zone")
    incident_id = f"inc-{at.astimezone(UTC):%Y%m%d-%H%M%S}-{token}"
    if not INCIDENT_ID.fullmatch(incident_id):
        raise ValueError(f"not four hex digits: {token!r}")
    return incident_id
