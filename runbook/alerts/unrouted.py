"""What people are told of alerts whose service is none that the runbook may act for."""

from collections.abc import Sequence

from runbook.alerts.episodes import AlertRecord
from runbook.channels.wording import count

NAMED = 5
"""How many alerts are named; of the rest, only how many they are."""


def unrouted_text(service: str, alerts: Sequence[AlertRecord]) -> str:
    """One sentence for the channel, and what to do about it."""
    names = list(dict.fromkeys(alert.name or alert.key for alert in alerts))
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (
        f"📭 {count(len(alerts), 'alert')} of {service}: {', '.join(names[:NAMED])}{rest}. This runbook does "
        "not act for that service, so nobody responds to it here. Add it to [receiver] known_services, or "
        "send it elsewhere; “runbook alerts --unrouted” lists all"
    )
