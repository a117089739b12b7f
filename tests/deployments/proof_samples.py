"""Requests to every source, with proofs that are right and proofs that are not."""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks import Webhook

from deployments.receiver.authentication import Verified, needs_body, verified
from deployments.receiver.settings import ReceiverSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = json.dumps({"title": "Grüße"}, ensure_ascii=False).encode()
CANARY = "canary0Q7zX4bV9nM2kL8"
SHARED = "shared-" + CANARY
OLD = "older-" + CANARY
OTHER = "a-secret-of-somebody-else"
WHSEC = "whsec_" + base64.b64encode(b"first-" + CANARY.encode()).decode()
WHSEC_OLD = "whsec_" + base64.b64encode(b"older-" + CANARY.encode()).decode()
WHSEC_OTHER = "whsec_" + base64.b64encode(OTHER.encode()).decode()


def settings(**sections: Any) -> ReceiverSettings:
    """Settings of the receiver; those that can be a secret are one."""
    return ReceiverSettings.model_validate(sections)


ALERTMANAGER = settings(
    alertmanager={
        "token": CANARY,
        "previous_tokens": [OLD],
        "username": "alertmanager",
        "password": "pass:" + CANARY,
        "client_header": {"name": "X-Client-Verified", "value": "proxy-" + CANARY},
    }
)
GRAFANA = settings(grafana={"secret": CANARY})
GRAFANA_TIMED = settings(
    grafana={"secret": CANARY, "signature_header": "X-Sig", "timestamp_header": "X-Time"}
)
GRAFANA_TOKEN = settings(grafana={"token": CANARY})
GRAFANA_PASSWORD = settings(grafana={"username": "grafana", "password": CANARY})
PLAIN_PASSWORD = settings(plain={"username": "sns", "password": CANARY})
PLAIN_SIGNED = settings(plain={"secret": CANARY})
PAGERDUTY = settings(pagerduty={"secrets": [CANARY, OLD]})
INCIDENT_IO = settings(incident_io={"secrets": [WHSEC, WHSEC_OLD]})
PLAIN = settings(plain={"token": CANARY})
SHARED_TOKEN = settings(token=SHARED)


@dataclass(frozen=True)
class Case:
    """A request to a source."""

    name: str
    source: str
    settings: ReceiverSettings
    headers: Mapping[str, str]
    body: bytes = BODY

    def answer(self, *, at: datetime = NOW) -> Verified | None:
        """What is proved as the receiver asks: before the body is read, where that is enough."""
        read = needs_body(self.source, self.settings, self.headers)
        return verified(self.source, self.settings, self.headers, self.body if read else b"", at)


def bearer(token: str) -> dict[str, str]:
    """A bearer token."""
    return {"authorization": f"Bearer {token}"}


def basic(credentials: str) -> dict[str, str]:
    """A user and a password."""
    return {"authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


def hexed(secret: str, signed: bytes = BODY) -> str:
    """A signature as Grafana and PagerDuty write it."""
    return hmac.new(secret.encode(), signed, "sha256").hexdigest()


def grafana(secret: str = CANARY) -> dict[str, str]:
    """Grafana's signature of the body."""
    return {"x-grafana-alerting-signature": hexed(secret)}


def grafana_timed(at: datetime = NOW, *, signed: bytes = BODY, secret: str = CANARY) -> dict[str, str]:
    """Grafana's signature of a time and the body."""
    seconds = str(int(at.timestamp()))
    return {"x-time": seconds, "x-sig": hexed(secret, f"{seconds}:".encode() + signed)}


def pagerduty(*secrets: str) -> dict[str, str]:
    """PagerDuty's signatures with its secrets."""
    return {"x-pagerduty-signature": ",".join(f"v1={hexed(secret)}" for secret in secrets)}


def incident_io(*secrets: str, at: datetime = NOW) -> dict[str, str]:
    """incident.io's signatures with its secrets."""
    signatures = [Webhook(secret).sign("msg_1", at, BODY.decode()) for secret in secrets]
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


RIGHT = [
    Case("token", "alertmanager", ALERTMANAGER, bearer(CANARY)),
    Case("previous token", "alertmanager", ALERTMANAGER, bearer(OLD)),
    Case("scheme in small letters", "alertmanager", ALERTMANAGER, {"Authorization": f"bearer  {CANARY} "}),
    Case("password with a colon", "alertmanager", ALERTMANAGER, basic("alertmanager:pass:" + CANARY)),
    Case("client header", "alertmanager", ALERTMANAGER, {"x-client-verified": "proxy-" + CANARY}),
    Case("shared token", "alertmanager", SHARED_TOKEN, bearer(SHARED)),
    Case("signature", "grafana", GRAFANA, grafana()),
    Case("signature and time", "grafana", GRAFANA_TIMED, grafana_timed()),
    Case("time 4 minutes ago", "grafana", GRAFANA_TIMED, grafana_timed(NOW - timedelta(minutes=4))),
    Case("token", "grafana", GRAFANA_TOKEN, bearer(CANARY)),
    Case("shared token", "grafana", SHARED_TOKEN, bearer(SHARED)),
    Case("signature", "pagerduty", PAGERDUTY, pagerduty(CANARY)),
    Case("our old secret", "pagerduty", PAGERDUTY, pagerduty(OLD)),
    Case("their new and old secret", "pagerduty", PAGERDUTY, pagerduty(OTHER, CANARY)),
    Case("spaces", "pagerduty", PAGERDUTY, {"x-pagerduty-signature": f"v0=x, v1={hexed(CANARY)}"}),
    Case("signature", "incident-io", INCIDENT_IO, incident_io(WHSEC)),
    Case("our old secret", "incident-io", INCIDENT_IO, incident_io(WHSEC_OLD)),
    Case("their new and old secret", "incident-io", INCIDENT_IO, incident_io(WHSEC_OTHER, WHSEC)),
    Case("4 minutes ago", "incident-io", INCIDENT_IO, incident_io(WHSEC, at=NOW - timedelta(minutes=4))),
    Case("token", "plain", PLAIN, bearer(CANARY)),
    Case("shared token", "plain", SHARED_TOKEN, bearer(SHARED)),
    Case("password", "plain", PLAIN_PASSWORD, basic("sns:" + CANARY)),
    Case("signature", "plain", PLAIN_SIGNED, {"sentry-hook-signature": hexed(CANARY)}),
    Case("password of legacy alerting", "grafana", GRAFANA_PASSWORD, basic("grafana:" + CANARY)),
]

OLD_TIME, FUTURE = NOW - timedelta(minutes=6), NOW + timedelta(minutes=6)

WRONG = [
    Case("another token", "alertmanager", ALERTMANAGER, bearer(OTHER)),
    Case("token cut short", "alertmanager", ALERTMANAGER, bearer(CANARY[:-1])),
    Case("empty token", "alertmanager", ALERTMANAGER, bearer("")),
    Case("no scheme", "alertmanager", ALERTMANAGER, {"authorization": CANARY}),
    Case("token as password", "alertmanager", ALERTMANAGER, basic("alertmanager:" + CANARY)),
    Case("another user", "alertmanager", ALERTMANAGER, basic("grafana:pass:" + CANARY)),
    Case("not base64", "alertmanager", ALERTMANAGER, {"authorization": "Basic ÿ%%%"}),
    Case("client header", "alertmanager", ALERTMANAGER, {"x-client-verified": "SUCCESS"}),
    Case(
        "shared beside its own",
        "alertmanager",
        settings(token=SHARED, alertmanager={"token": CANARY}),
        bearer(SHARED),
    ),
    Case("another secret", "grafana", GRAFANA, grafana(OTHER)),
    Case(
        "shared beside its own", "grafana", settings(token=SHARED, grafana={"secret": CANARY}), bearer(SHARED)
    ),
    Case("secret as token", "grafana", GRAFANA, bearer(CANARY)),
    Case("no time", "grafana", GRAFANA_TIMED, {"x-sig": hexed(CANARY)}),
    Case("time not signed", "grafana", GRAFANA_TIMED, grafana_timed() | {"x-sig": hexed(CANARY)}),
    Case("old time", "grafana", GRAFANA_TIMED, grafana_timed(OLD_TIME)),
    Case("future time", "grafana", GRAFANA_TIMED, grafana_timed(FUTURE)),
    Case(
        "time made new",
        "grafana",
        GRAFANA_TIMED,
        grafana_timed(OLD_TIME) | {"x-time": str(int(NOW.timestamp()))},
    ),
    Case("another secret", "pagerduty", PAGERDUTY, pagerduty(OTHER)),
    Case("no version", "pagerduty", PAGERDUTY, {"x-pagerduty-signature": hexed(CANARY)}),
    Case("another version", "pagerduty", PAGERDUTY, {"x-pagerduty-signature": f"v2={hexed(CANARY)}"}),
    Case(
        "shared token", "pagerduty", settings(token=SHARED, pagerduty={"secrets": [CANARY]}), bearer(SHARED)
    ),
    Case("another secret", "incident-io", INCIDENT_IO, incident_io(WHSEC_OTHER)),
    Case("old", "incident-io", INCIDENT_IO, incident_io(WHSEC, at=OLD_TIME)),
    Case("future", "incident-io", INCIDENT_IO, incident_io(WHSEC, at=FUTURE)),
    Case("another id", "incident-io", INCIDENT_IO, incident_io(WHSEC) | {"webhook-id": "msg_2"}),
    Case(
        "time made new",
        "incident-io",
        INCIDENT_IO,
        incident_io(WHSEC, at=OLD_TIME) | {"webhook-timestamp": str(int(NOW.timestamp()))},
    ),
    Case("no comma", "incident-io", INCIDENT_IO, incident_io(WHSEC) | {"webhook-signature": "v1"}),
    Case("body not UTF-8", "incident-io", INCIDENT_IO, incident_io(WHSEC), b"\xff"),
    Case("another token", "plain", PLAIN, bearer(OTHER)),
    Case("another password", "plain", PLAIN_PASSWORD, basic("sns:" + OTHER)),
    Case("another user", "plain", PLAIN_PASSWORD, basic("grafana:" + CANARY)),
    Case("another secret", "plain", PLAIN_SIGNED, {"sentry-hook-signature": hexed(OTHER)}),
    Case("secret as token", "plain", PLAIN_SIGNED, bearer(CANARY)),
    Case("token as password", "grafana", GRAFANA_TOKEN, basic("grafana:" + CANARY)),
]


def named(case: Case) -> str:
    """Its name in the report of the tests."""
    return f"{case.source}-{case.name}"


SIGNED = [
    case
    for case in RIGHT
    if "authorization" not in {name.lower() for name in case.headers} and "client" not in case.name
]
