"""When a public entry has to say again where things stand: people who read it must not think it forgotten."""

from collections.abc import Collection
from datetime import datetime, timedelta

from runbook.channels.public_incident import public_announcements
from runbook.channels.reminders import is_time
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.policy.policy import Policy
from runbook.value import Value

LONGEST = timedelta(hours=6)
"""PostHog's handbook: a status page is refreshed at least every six hours."""


class DueRefresh(Value):
    """A public entry that has said nothing since `told_at` (aware UTC)."""

    channel: str
    told_at: datetime


def has_public_entry(incident: Incident, channel: str) -> bool:
    """Whether that page shows an entry of the incident that is not over."""
    told = public_announcements(incident, channel)
    return bool(told) and told[-1].state != State.RESOLVED


def due_refreshes(
    incident: Incident, *, channels: Collection[str], policy: Policy, now: datetime
) -> tuple[DueRefresh, ...]:
    """The incident's open entries that have to be refreshed now; a page that is away is tried ever later."""
    if incident.resolved or incident.dry_run:
        return ()
    every = min(timedelta(minutes=policy.public.refresh_minutes), LONGEST)
    due = []
    for channel in channels:
        if not has_public_entry(incident, channel):
            continue
        last = public_announcements(incident, channel)[-1]
        told_at = max(item.at for item in incident.journal if item.event == last)
        if is_time(incident, told_at + every, now):
            due.append(DueRefresh(channel=channel, told_at=told_at))
    return tuple(due)
