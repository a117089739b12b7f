"""Section `[receiver.grafana]`: who may send Grafana's alerts."""

from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from deployments.receiver.sources.alertmanager import GROUP
from deployments.receiver.sources.credentials import (
    BasicPassword,
    Call,
    Credential,
    Verified,
    header_bytes,
    hex_hmac,
    is_one_of,
    recent,
    secret_bytes,
    tokens,
)
from deployments.receiver.sources.proof import SourceProof
from deployments.receiver.sources.settings import HeaderName, Secret, SourceSettings
from runbook.alerts.sources import SOURCES


class GrafanaSettings(SourceSettings):
    """Section `[receiver.grafana]`. The headers are those of Grafana's contact point.

    Legacy alerting can show a user and a password only.

    With a `timestamp_header` the signature is of the time too, and old requests are refused.
    """

    secret: Secret | None = None
    signature_header: HeaderName = "X-Grafana-Alerting-Signature"
    timestamp_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]*$")] = ""
    token: Secret | None = None
    username: str = ""
    password: Secret | None = None

    @model_validator(mode="after")
    def _whole_password(self) -> Self:
        if bool(self.username) != (self.password is not None):
            raise ValueError("set both username and password")
        return self


@dataclass(frozen=True)
class GrafanaSignature:
    """The hex HMAC-SHA256 of the body, or of `<time>:` and the body where there is a header for the time."""

    header: str
    timestamp_header: str
    secret: bytes = field(repr=False)
    reads_body = True

    def verify(self, call: Call) -> Verified | None:
        """Whether the signature is the body's, and not old."""
        signed = call.body
        if self.timestamp_header:
            time = header_bytes(call.headers, self.timestamp_header)
            if recent(time, call.now) is None:
                return None
            signed = time + b":" + call.body
        given = header_bytes(call.headers, self.header).lower()
        return Verified() if is_one_of(given, [hex_hmac(self.secret, signed)]) else None


def _credentials(own: GrafanaSettings, shared: SecretStr | None) -> list[Credential]:
    found = tokens(own.token)
    if own.password is not None:
        found.append(BasicPassword(own.username, secret_bytes(own.password)))
    if own.secret is not None:
        found.append(GrafanaSignature(own.signature_header, own.timestamp_header, secret_bytes(own.secret)))
    return found or tokens(shared)


PROOF = SourceProof(
    source=SOURCES["grafana"],
    settings=GrafanaSettings,
    credentials=_credentials,
    how="The HMAC-SHA256 of the body in `X-Grafana-Alerting-Signature`, a token, or a user and password.",
    payload=GROUP,
)
