"""What people are told when the receiver cannot keep alerts: its store is full, gone, another one, or away.

No journal can keep that they were told, so whoever tells them remembers it.
"""

from datetime import datetime, timedelta

PAGE_AFTER = timedelta(seconds=30)
"""How long alerts are refused until a person is paged: a restart of the database is over by then."""

PAGE_AGAIN_AFTER = timedelta(hours=1)
"""A page that nobody has followed is repeated, rarely: it may have been lost with the disk that was full."""


def dedup_key(environment: str) -> str:
    """The pager's key of the one alert about the store of an environment."""
    return f"runbook-store-{environment}"


def message_id(environment: str, at: datetime) -> str:
    """What a message in the channel is known by; those of an hour are one, whoever sends them."""
    return f"store/{environment}/{at:%Y%m%d%H}"


def is_due(*, since: datetime, paged_at: datetime | None, now: datetime) -> bool:
    """Whether a person is to be paged for trouble that began then; times are aware UTC."""
    if paged_at is not None:
        return now - paged_at >= PAGE_AGAIN_AFTER
    return now - since >= PAGE_AFTER


def page_text(because: str, *, since: datetime) -> str:
    """What a person is told."""
    return (
        f"🗄️ The incident runbook has not been able to store alerts since {since:%Y-%m-%d %H:%M} UTC; "
        f"their senders are asked to send them again: {because}"
    )


def relief_text(*, since: datetime, now: datetime) -> str:
    """What a person is told when alerts are kept again."""
    minutes = max(1, round((now - since).total_seconds() / 60))
    return f"✅ The incident runbook can store alerts again, after {minutes} min"
