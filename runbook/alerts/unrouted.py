"""What people are told of alerts whose service is none that the runbook may act for."""

from collections.abc import Sequence
from itertools import groupby

from runbook.alerts.episodes import AlertRecord
from runbook.channels.wording import count

NAMED = 5
"""How many alerts, or services, are named; of the rest, only how many they are."""

MOST_TOLD = 1_000
"""Alerts of one message; what is beyond waits for the next."""

_NAME = 60
"""Characters of a name."""


def unrouted_text(alerts: Sequence[AlertRecord]) -> str:
    """One sentence for the channel, and what to do about it."""
    alerts = sorted(alerts, key=lambda alert: alert.service)
    services = [(name, list(found)) for name, found in groupby(alerts, key=lambda alert: alert.service)]
    if len(services) == 1:
        whose, named = _short(services[0][0]), _named(alerts)
    else:
        whose = count(len(services), "service")
        named = _listed([f"{_short(name)} ({_named(found, 1)})" for name, found in services], NAMED)
    more = "at least " if len(alerts) >= MOST_TOLD else ""
    return (
        f"📭 {more}{count(len(alerts), 'alert')} of {whose}: {named}. This runbook does not act for "
        f"{'that service' if len(services) == 1 else 'them'}, so nobody responds here. Add to [receiver] "
        "known_services what is yours, or send it elsewhere; “runbook alerts --unrouted” lists all"
    )


def _named(alerts: Sequence[AlertRecord], most: int = NAMED) -> str:
    return _listed(list(dict.fromkeys(_short(alert.name or alert.key) for alert in alerts)), most)


def _listed(names: Sequence[str], most: int) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{rest}"


def _short(name: str) -> str:
    """A name of at most so many characters; it was masked when it came in."""
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
