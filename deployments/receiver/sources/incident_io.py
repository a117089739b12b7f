"""Section `[receiver.incident_io]`: who may send incident.io's incidents and alerts."""

import base64
from dataclasses import dataclass, field

from pydantic import SecretStr, field_validator
from standardwebhooks import Webhook

from deployments.receiver.sources.credentials import (
    SIGNATURES,
    Call,
    Credential,
    Verified,
    header_bytes,
    is_one_of,
    recent,
)
from deployments.receiver.sources.proof import SourceProof
from deployments.receiver.sources.settings import Secret, SourceSettings
from runbook.alerts.sources import SOURCES
from runbook.outside_text import let_in_identity


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


@dataclass(frozen=True)
class StandardWebhookSignature:
    """`v1,` and the base64 HMAC-SHA256 of id, time and body, see standardwebhooks.com."""

    secrets: tuple[str, ...] = field(repr=False)
    header = "webhook-signature"
    reads_body = True

    def verify(self, call: Call) -> Verified | None:
        """Whether one of the signatures is made with one of the secrets, and not old.

        The library signs; its own check uses its own clock and fails in many ways on malformed headers.
        """
        delivery = header_bytes(call.headers, "webhook-id")
        time = recent(header_bytes(call.headers, "webhook-timestamp"), call.now)
        if time is None or not delivery or not delivery.isascii():
            return None
        try:
            text = call.body.decode()
        except UnicodeDecodeError:
            return None
        known = [Webhook(secret) for secret in self.secrets]
        wanted = [webhook.sign(delivery.decode(), time, text).encode() for webhook in known]
        given = header_bytes(call.headers, self.header).split()[:SIGNATURES]
        if not any(is_one_of(one, wanted) for one in given):
            return None
        return Verified(delivery=let_in_identity(delivery.decode()))


def _credentials(own: IncidentIoSettings, _: SecretStr | None) -> list[Credential]:
    secrets = tuple(secret.get_secret_value() for secret in own.secrets)
    return [StandardWebhookSignature(secrets)] if secrets else []


PROOF = SourceProof(
    source=SOURCES["incident-io"],
    settings=IncidentIoSettings,
    credentials=_credentials,
    how="`webhook-id`, `webhook-timestamp` and `webhook-signature`, as in Standard Webhooks.",
    payload={"type": "object", "required": ["event_type"], "properties": {"event_type": {"type": "string"}}},
)
