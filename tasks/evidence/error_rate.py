"""The error rate of an incident as a picture: for the evidence, and for people at a question."""

import asyncio
from datetime import datetime, timedelta
from typing import NamedTuple

from runbook.channels.local_time import clock
from runbook.evidence.error_chart import Points, in_words
from runbook.incidents.events import ActionFinished, DecisionMade, IncidentResolved
from runbook.incidents.incident import Incident
from tasks.evidence.chart import PAGE, PHONE, Format, draw_error_rate
from tasks.incident import OpenIncident

BEFORE = timedelta(minutes=30)
"""How much of the time before the alert people are shown at a question."""

_TITLE = "{}: errors from PostHog by HTTP status"


class Picture(NamedTuple):
    """A PNG, its title, and what it shows in words."""

    png: bytes
    title: str
    words: str


async def error_chart(incident: OpenIncident, journal: Incident, start: datetime, end: datetime) -> bytes:
    """The chart for the evidence, in UTC, with what the response did.

    Raises:
        OutsideError: the samples cannot be had.
    """
    marks = {"alert": journal.opened_at}
    for words, kind in (
        ("decided", DecisionMade),
        ("mitigated", ActionFinished),
        ("resolved", IncidentResolved),
    ):
        if at := journal.time_of(kind):
            marks[words] = at
    by_status = await _samples(incident, start, end)
    return await _draw(incident, journal, by_status, marks, (start, end), time_zone="UTC", format=PAGE)


async def error_picture(incident: OpenIncident, journal: Incident, *, until: datetime) -> Picture:
    """The chart for people who are asked, until that time (aware UTC), in the policy's zone.

    Raises:
        OutsideError: the samples cannot be had.
    """
    zone, between = incident.policy.calendar.time_zone, (journal.opened_at - BEFORE, until)
    by_status = await _samples(incident, *between)
    marks = {"alert": journal.opened_at}
    png = await _draw(incident, journal, by_status, marks, between, time_zone=zone, format=PHONE)
    words = in_words(by_status, threshold=incident.policy.error_rate_threshold, time_zone=zone)
    return Picture(png, f"{_TITLE.format(journal.service)}, until {clock(until, zone)}", words)


async def _samples(incident: OpenIncident, start: datetime, end: datetime) -> dict[str, Points]:
    prometheus = incident.environment.prometheus
    series = await prometheus.error_history(start, end)
    return {item.labels.get(prometheus.status_label, "unknown"): item.points for item in series}


async def _draw(
    incident: OpenIncident,
    journal: Incident,
    by_status: dict[str, Points],
    marks: dict[str, datetime],
    between: tuple[datetime, datetime],
    *,
    time_zone: str,
    format: Format,
) -> bytes:
    return await asyncio.to_thread(
        draw_error_rate,
        by_status,
        threshold=incident.policy.error_rate_threshold,
        marks=marks,
        title=_TITLE.format(journal.service),
        between=between,
        time_zone=time_zone,
        format=format,
    )
