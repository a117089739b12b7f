"""What Alertmanager sends: notifications of realistic size and mix, the same ones for the same seed."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

SERVICES = tuple(f"service-{number:02}" for number in range(50))
ALERT_NAMES = (
    "HighErrorRate",
    "HighLatency",
    "QueueBacklog",
    "PodCrashLooping",
    "CertificateExpiring",
    "IngestionStalled",
)

_BEGIN = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
_GROUP_INTERVAL = timedelta(seconds=30)
_NOT_ENDED = "0001-01-01T00:00:00Z"
_BEGINS, _ENDS = 0.15, 0.30
"""The part of the notifications with a new episode, and up to where one brings an end; the rest repeats."""


def mixed(count: int, *, seed: int, most: int) -> Iterator[dict[str, Any]]:
    """So many notifications: a group for each service, whose alerts begin, repeat and are resolved.

    A group has `most` alerts at the most; of six the mean is three, in three kilobytes.
    """
    chance = random.Random(seed)  # noqa: S311  repeatable on purpose
    groups = {service: _Group(service, ALERT_NAMES[:most]) for service in SERVICES}
    for number in range(count):
        service = SERVICES[number % len(SERVICES)]
        yield groups[service].next_notification(_BEGIN + number * _GROUP_INTERVAL / len(SERVICES), chance)


def distinct(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """So many notifications of one alert each that no other has, with its fingerprint."""
    for number in range(count):
        service = SERVICES[number % len(SERVICES)]
        labels = _labels(service, "PodCrashLooping", instance=f"10.0.{number >> 8}.{number & 255}:8000")
        alert = _alert(labels, starts_at=_BEGIN, ends_at=None)
        yield alert["fingerprint"], _notification(service, [alert])


def one_of(service: str) -> dict[str, Any]:
    """A notification of one firing alert."""
    labels = _labels(service, ALERT_NAMES[0], instance="10.0.0.1:8000")
    return _notification(service, [_alert(labels, starts_at=_BEGIN, ends_at=None)])


class _Group:
    """The alerts of a service that Alertmanager reports together."""

    def __init__(self, service: str, names: Sequence[str]) -> None:
        self._service = service
        self._names = names
        self._firing: dict[str, datetime] = {}

    def next_notification(self, at: datetime, chance: random.Random) -> dict[str, Any]:
        drawn = chance.random()
        idle = [name for name in self._names if name not in self._firing]
        ended: dict[str, datetime] = {}
        if not self._firing or (idle and drawn < _BEGINS):
            self._firing[chance.choice(idle)] = at
        elif drawn < _ENDS:
            name = chance.choice(sorted(self._firing))
            ended[name] = self._firing.pop(name)
        alerts = [self._alert(name, began, None) for name, began in self._firing.items()]
        alerts += [self._alert(name, began, at) for name, began in ended.items()]
        return _notification(self._service, alerts)

    def _alert(self, name: str, began: datetime, ended: datetime | None) -> dict[str, Any]:
        labels = _labels(self._service, name, instance="10.0.0.1:8000")
        return _alert(labels, starts_at=began, ends_at=ended)


def _labels(service: str, name: str, *, instance: str) -> dict[str, str]:
    return {
        "alertname": name,
        "cluster": "production-eu-1",
        "container": service,
        "instance": instance,
        "job": "kubernetes-pods",
        "namespace": "default",
        "prometheus": "monitoring/main",
        "service": service,
        "severity": "critical",
        "team": "platform",
    }


def _alert(labels: dict[str, str], *, starts_at: datetime, ends_at: datetime | None) -> dict[str, Any]:
    service, name = labels["service"], labels["alertname"]
    return {
        "status": "firing" if ends_at is None else "resolved",
        "labels": labels,
        "annotations": {
            "summary": f"{name} on {service}: 7.3 % of requests fail",
            "description": f"{service} has been above the threshold of 5 % for more than two minutes.",
            "runbook_url": f"https://runbooks.example/{service}#{name}",
            "dashboard": f"https://grafana.example/d/{service}?var-instance={labels['instance']}",
        },
        "startsAt": starts_at.isoformat(),
        "endsAt": _NOT_ENDED if ends_at is None else ends_at.isoformat(),
        "generatorURL": f"https://prometheus.example/graph?g0.expr=service%3Aerror_ratio%3Arate2m+%3E+0.05&g0.tab={name}",
        "fingerprint": sha256(json.dumps(labels).encode()).hexdigest()[:16],
    }


def _notification(service: str, alerts: list[dict[str, Any]]) -> dict[str, Any]:
    common = {"cluster": "production-eu-1", "service": service, "severity": "critical", "team": "platform"}
    return {
        "version": "4",
        "groupKey": f'{{}}/{{team="platform"}}:{{service="{service}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if any(alert["status"] == "firing" for alert in alerts) else "resolved",
        "receiver": "posthog-runbook",
        "groupLabels": {"service": service},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "https://alertmanager.example",
        "alerts": alerts,
    }
