"""What a payload says, for people: each field with the place it came from, and what it would do.

Nothing is read from a store, so what is open already is not known: the text says what follows from that.
"""

from datetime import UTC, datetime
from typing import Any

from runbook.alerts.alert import Alert
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Batch, Known, Message, Received
from runbook.alerts.mapping.paths import Found, find
from runbook.alerts.mapping.times import time_of
from runbook.alerts.sources.reading import claimed_severity
from runbook.alerts.sources.source import Source
from runbook.alerts.sources.status_words import status_of
from runbook.alerts.unrouted import Routing
from runbook.value import Value

FIELDS = (
    *("status", "service", "name", "summary", "severity", "key"),
    *("started_at", "changed_at", "url", "delivery"),
)
MAX_EVENT = 200
DEFAULT = "(the default)"
MADE = "(made of name and labels)"
DERIVED = "(from another field)"


class ExplainedField(Value):
    """A field as the alert has it, and the path that it came from; no path where the payload says nothing."""

    field: str
    value: str
    path: str


class ExplainedAlert(Value):
    """An alert, what it does, and why. `does` is opens, joins, recovers, repeats or unrouted."""

    fields: tuple[ExplainedField, ...]
    does: str
    means: str


def explain(
    source: Source, payload: Any, alerts: list[Alert], *, routing: Routing, environment: str
) -> list[ExplainedAlert]:
    """What each of the alerts says and does, in their order, as if the store knew of none of them."""
    at = datetime(2000, 1, 1, tzinfo=UTC)  # only the order of messages matters here
    batch = Batch(Known(), environment, lambda _: "new", flapping_episodes=len(alerts) + 1, routing=routing)
    explained = []
    for place, alert in enumerate(alerts):
        does, means = _meaning(alert, batch.take(Message(alert, at)), routing, environment)
        fields = tuple(_fields(source, payload, alert, place))
        explained.append(ExplainedAlert(fields=fields, does=does, means=means))
    return explained


def _meaning(alert: Alert, received: Received, routing: Routing, environment: str) -> tuple[str, str]:
    service = alert.service
    environment = routing.served_for(service) or environment
    match received.meaning:
        case Meaning.UNROUTED:
            if other := routing.elsewhere.get(service):
                return "elsewhere", (
                    f"opens an incident of {service} in {other} where that environment is saved in this "
                    "Prefect with the same store (`runbook doctor` says so); else it is kept, listed as "
                    "unrouted and told once"
                )
            why = routing.why_not(service)
            return "unrouted", f"opens no incident: {why}. It is kept, listed as unrouted and told once"
        case Meaning.BEGAN if received.opened:
            return "opens", f"opens an incident of {service} in {environment}, or joins the one that is open"
        case Meaning.BEGAN:
            return "joins", f"joins that incident of {service} in {environment}"
        case Meaning.ENDED:
            return "recovers", (
                f"recovery of the alert with this key: ends it in the open incident of {service} in "
                f"{environment}; without one, it is only counted"
            )
    return "repeats", "repeats what an alert before it says, and is only counted"


def _fields(source: Source, payload: Any, alert: Alert, place: int) -> list[ExplainedField]:
    shown = {
        "status": alert.status.value,
        "service": alert.service,
        "name": alert.name,
        "summary": alert.summary,
        "severity": alert.severity.value if alert.severity else "",
        "key": alert.key,
        "started_at": _time(alert.starts_at),
        "changed_at": _time(alert.changed_at),
        "url": alert.url,
        "delivery": alert.delivery,
    }
    told = []
    for field in FIELDS:
        found = _found(source, payload, alert, field, place)
        value, path = shown[field], found.path if found else ""
        if not path and field in ("service", "status"):
            path = DEFAULT
        elif field == "key" and not alert.fingerprint:
            path = MADE
        elif not path and value:
            path = DERIVED
        if value or path:
            told.append(ExplainedField(field=field, value=value, path=path))
    return told


def _found(source: Source, payload: Any, alert: Alert, field: str, place: int) -> Found | None:
    """The first place that says what the alert has; else the first that says anything."""
    event = payload.get("event_type") if isinstance(payload, dict) else None
    name = (
        event if isinstance(event, str) and event and len(event) < MAX_EVENT and '"' not in event else "event"
    )
    paths = [
        path.replace("[*]", f"[{place}]").replace("{event}", name) for path in source.paths.get(field, ())
    ]
    found = [one for path in paths if (one := find(payload, (path,)))]
    first = found[0] if found else None
    return first if source.first_counts else next((it for it in found if _says(it, alert, field)), first)


def _says(found: Found, alert: Alert, field: str) -> bool:
    match field:
        case "status":
            return status_of(found.text.rpartition(".")[2]) is alert.status
        case "severity":
            return alert.severity is None or claimed_severity(found.text) is alert.severity
        case "started_at" | "changed_at":
            try:
                at = time_of(found.value, naive_is_utc=True)
            except ValueError:
                return False
            return at == (alert.starts_at if field == "started_at" else alert.changed_at)
    return True


def _time(at: datetime | None) -> str:
    return at.isoformat() if at else ""
