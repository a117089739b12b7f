"""Sections `[receiver.<source>]`: who may call the receiver for each source of alerts, and for which service.

A source without a credential is closed. Where it has several, each of them is enough by itself.
"""

import base64
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from runbook.alerts.sources.reading import service_name

Secret = Annotated[SecretStr, Field(min_length=16)]
"""A secret that nobody guesses."""

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]

ServiceName = Annotated[str, AfterValidator(service_name)]
"""The name of a service, as incidents have it."""


class SourceSettings(BaseModel):
    """What all sources have. `service` is the service of alerts that name none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: ServiceName | None = None


class ClientHeader(BaseModel):
    """A header that the proxy sets for callers with a valid client certificate, and takes from all others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: HeaderName
    value: Secret


class IdentityHeader(BaseModel):
    """The header in which a proxy names whom it has logged in, and the one that proves that it is the proxy.

    The proxy has to take both from all callers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: HeaderName
    proof: ClientHeader


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
            raise ValueError("username and password go together")
        return self


class GrafanaSettings(SourceSettings):
    """Section `[receiver.grafana]`. The headers are those of Grafana's contact point.

    With a `timestamp_header` the signature is of the time too, and old requests are refused.
    """

    secret: Secret | None = None
    signature_header: HeaderName = "X-Grafana-Alerting-Signature"
    timestamp_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]*$")] = ""
    token: Secret | None = None


class PagerDutySettings(SourceSettings):
    """Section `[receiver.pagerduty]`. A secret for each webhook subscription, or the old and the new one."""

    secrets: list[Secret] = []


class IncidentIoSettings(SourceSettings):
    """Section `[receiver.incident_io]`. The endpoint's signing secrets, as incident.io shows them."""

    secrets: list[Secret] = []

    @field_validator("secrets")
    @classmethod
    def _signing_secrets(cls, secrets: list[SecretStr]) -> list[SecretStr]:
        for secret in secrets:
            prefix, _, key = secret.get_secret_value().partition("_")
            try:
                valid = prefix == "whsec" and base64.b64decode(key, validate=True)
            except ValueError:
                valid = False
            if not valid:
                raise ValueError("not a signing secret as incident.io shows it (whsec_…)")
        return secrets


class PlainSettings(SourceSettings):
    """Sections `[receiver.plain]` and `[receiver.self_watch]`."""

    token: Secret | None = None
