"""Who watches the runbook: the rules of the self-watch.

On a schedule a synthetic alert goes the way of every alert: received, made durable, triaged, decided on. It
is never an incident. A round that gets through is a sign of life; the process that misses it pages a person.
"""

from datetime import datetime, timedelta

from runbook.checks.findings import Findings, Status

SOURCE = "self-watch"
"""The source of the synthetic alerts. Only the receiver gives it to an alert, so no sender can feign it."""

SILENT_ROUNDS = 3
"""After so many intervals without a round that went well, the receiver pages a person."""

LATE = 1.5
"""Intervals between two good rounds from which one that was due in between has failed or is missing."""

STORE_AWAY = "{place}/store-away-{at:%Y%m%d%H}"
"""What a page is known by while the store cannot keep it: an hour's pages are one message in the channel."""


def dedup_key(environment: str) -> str:
    """The pager's key of the one alert about the runbook itself.

    Environments may share a pager, and that one of them works says nothing about the other.
    """
    return f"runbook-self-watch-{environment}"


def blindness(findings: Findings) -> str:
    """Why the triage is of no use, empty where it is of some: one check that sees something is enough.

    That the checks find trouble is no fault of the runbook.
    """
    if any(item.status is not Status.UNKNOWN for item in findings.items):
        return ""
    reasons = "; ".join(item.summary for item in findings.items) or "no check ran"
    return f"triage has no facts: {reasons}"


def silence(*, last: datetime | None, watched_since: datetime, every: timedelta, now: datetime) -> str:
    """Why the receiver pages a person, empty where it need not.

    `last` is when a round last went well, `watched_since` when this receiver started: after a restart of
    everything the schedule has an interval's time to begin. Times are aware UTC.
    """
    deadline = SILENT_ROUNDS * every
    if last is None:
        overdue = now - watched_since >= deadline
        since = f"{watched_since:%Y-%m-%d %H:%M} UTC, when the receiver started"
    else:
        overdue = now - last >= deadline and now - watched_since >= every
        since = f"{last:%Y-%m-%d %H:%M} UTC"
    if not overdue:
        return ""
    return f"no round has succeeded since {since}: check the worker, Prefect and its schedules"


def may_have_paged(*, before: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether a round may have paged a person of which the store knows nothing, because it was away.

    `before` is when the round before went well (aware UTC).
    """
    return before is None or now - before >= LATE * every


def page_text(because: str) -> str:
    """What a person is told when the loop is broken."""
    return f"🩺 The incident runbook is not working. Alerts may get no response: {because}"


def relief_text(*, since: datetime, now: datetime) -> str:
    """What a person is told when it works again."""
    minutes = max(1, round((now - since).total_seconds() / 60))
    return f"✅ The incident runbook is working again, {minutes} min after the failure was noticed"
