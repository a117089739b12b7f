"""The scenario's alert as Alertmanager sends it (webhook payload version 4)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import httpx

from deployments.drill.run.scenario import AlertText, OtherAlert
from deployments.drill.world.prometheus.metrics import SERVICE

_NEVER = "0001-01-01T00:00:00Z"
_ANSWER_WITHIN_SECONDS = 30.0

AlertStatus = Literal["firing", "resolved"]


def alert_payload(
    text: AlertText, *, status: AlertStatus, starts_at: datetime, now: datetime, prometheus_url: str
) -> dict[str, Any]:
    """Return the webhook's body; times are UTC. A firing alert ends at Go's zero time, as in reality."""
    service = text.service if isinstance(text, OtherAlert) else SERVICE
    labels = {"alertname": text.alertname, "service": service, "severity": text.severity}
    annotations = {"summary": text.summary}
    if text.description:
        annotations["description"] = text.description
    group = {"service": service}
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": _stamp(starts_at),
        "endsAt": _NEVER if status == "firing" else _stamp(now),
        "generatorURL": f"{prometheus_url}/graph?g0.expr=posthog_errors_total&g0.tab=1",
        "fingerprint": _fingerprint(labels),
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{service="{service}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "incident-runbook",
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "http://alertmanager.example.com:9093",
        "alerts": [alert],
    }


async def send_alert(url: str, token: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Post the alert with a bearer token and return ``{status, body}`` of the receiver's answer.

    Raises ``httpx.TransportError`` if there is no answer within 30 s.
    """
    async with httpx.AsyncClient(timeout=_ANSWER_WITHIN_SECONDS, trust_env=False) as client:
        answer = await client.post(url, json=payload, headers={"Authorization": f"Bearer {token}"})
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    return {"status": answer.status_code, "body": body}


def _fingerprint(labels: Mapping[str, str]) -> str:
    text = "\xff".join(f"{name}\xff{value}" for name, value in sorted(labels.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
