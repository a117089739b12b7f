"""Section `[receiver.sentry]`: who may send Sentry's metric alerts."""

from dataclasses import dataclass, field

from pydantic import SecretStr

from deployments.receiver.sources.credentials import (
    Call,
    Credential,
    Verified,
    header_bytes,
    hex_hmac,
    is_one_of,
    secret_bytes,
)
from deployments.receiver.sources.proof import SourceProof
from deployments.receiver.sources.settings import Secret, SourceSettings
from runbook.alerts.sources import SOURCES


class SentrySettings(SourceSettings):
    """Section `[receiver.sentry]`. The client secret of the integration signs its webhooks."""

    secret: Secret | None = None


@dataclass(frozen=True)
class SentrySignature:
    """The hex HMAC-SHA256 of the body. Sentry signs no time."""

    secret: bytes = field(repr=False)
    header = "sentry-hook-signature"
    reads_body = True

    def verify(self, call: Call) -> Verified | None:
        """Whether the signature is the body's."""
        given = header_bytes(call.headers, self.header).lower()
        return Verified() if is_one_of(given, [hex_hmac(self.secret, call.body)]) else None


def _credentials(own: SentrySettings, _: SecretStr | None) -> list[Credential]:
    return [SentrySignature(secret_bytes(own.secret))] if own.secret else []


PROOF = SourceProof(
    source=SOURCES["sentry"],
    settings=SentrySettings,
    credentials=_credentials,
    how="`Sentry-Hook-Signature`.",
    payload={"type": "object", "required": ["action", "data"], "properties": {"data": {"type": "object"}}},
)
