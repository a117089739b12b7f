"""Section `[receiver.alertmanager]`: who may send Alertmanager's alerts."""

from typing import Self

from pydantic import SecretStr, model_validator

from deployments.receiver.sources.credentials import (
    BasicPassword,
    Credential,
    HeaderValue,
    secret_bytes,
    tokens,
)
from deployments.receiver.sources.proof import SourceProof
from deployments.receiver.sources.settings import ClientHeader, Secret, SourceSettings
from runbook.alerts.sources import SOURCES

_TEXT = {"type": "string"}
_LABELS = {"type": "object", "additionalProperties": _TEXT}
GROUP = {
    "type": "object",
    "required": ["alerts"],
    "properties": {
        "version": _TEXT,
        "groupKey": _TEXT,
        "alerts": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["status", "labels"],
                "properties": {
                    "status": {"enum": ["firing", "resolved"]},
                    "labels": _LABELS,
                    "annotations": _LABELS,
                    "startsAt": {"type": "string", "format": "date-time"},
                    "endsAt": {"type": "string", "format": "date-time"},
                    "generatorURL": _TEXT,
                    "fingerprint": _TEXT,
                },
            },
        },
    },
}
"""The JSON schema of a group of alerts, which Grafana sends too."""


class AlertmanagerSettings(SourceSettings):
    """Section `[receiver.alertmanager]`. Alertmanager cannot sign, so it shows a token or a password.

    `previous_tokens` are still taken while Alertmanager is given the new one.
    """

    token: Secret | None = None
    previous_tokens: list[Secret] = []
    username: str = ""
    password: Secret | None = None
    client_header: ClientHeader | None = None

    @model_validator(mode="after")
    def _whole_password(self) -> Self:
        if bool(self.username) != (self.password is not None):
            raise ValueError("set both username and password")
        return self


def _credentials(own: AlertmanagerSettings, shared: SecretStr | None) -> list[Credential]:
    found = tokens(own.token, *own.previous_tokens)
    if own.password is not None:
        found.append(BasicPassword(own.username, secret_bytes(own.password)))
    if own.client_header is not None:
        found.append(HeaderValue(own.client_header.name, secret_bytes(own.client_header.value)))
    return found or tokens(shared)


PROOF = SourceProof(
    source=SOURCES["alertmanager"],
    settings=AlertmanagerSettings,
    credentials=_credentials,
    how="A bearer token, a user and password, or a header that your proxy sets.",
    payload=GROUP,
)
