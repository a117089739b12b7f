"""The synthetic alert by which the runbook watches itself: a plain alert that is marked by its source."""

from typing import Any

from runbook.alerts.alert import Alert
from runbook.alerts.sources import plain
from runbook.alerts.sources.source import Source
from runbook.caretaking.self_watch import SOURCE as NAME


def payload(round_id: str) -> dict[str, str]:
    """What is sent in a round."""
    return {
        "name": "RunbookSelfWatch",
        "summary": "synthetic: the runbook watches itself, and this is never an incident",
        "fingerprint": round_id,
    }


def translate(payload: Any, default_service: str) -> list[Alert]:
    """The one alert of the payload.

    Raises:
        UnreadablePayload: as for a plain alert.
    """
    return [alert.model_copy(update={"source": NAME}) for alert in plain.translate(payload, default_service)]


SELF_WATCH = Source(name=NAME, title="The runbook's self-watch", translate=translate)
"""The one that is no program of anybody's: what it sends is synthetic, never an incident."""
