"""Section `[receiver.pagerduty]`: who may send PagerDuty's incidents."""

from dataclasses import dataclass, field

from pydantic import SecretStr

from deployments.receiver.sources.credentials import (
    SIGNATURES,
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


class PagerDutySettings(SourceSettings):
    """Section `[receiver.pagerduty]`. A secret for each webhook subscription, or the old and the new one."""

    secrets: list[Secret] = []


@dataclass(frozen=True)
class PagerDutySignature:
    """`v1=` and the hex HMAC-SHA256 of the body, one for each secret of the sender's, joined by commas."""

    secrets: tuple[bytes, ...] = field(repr=False)
    header = "x-pagerduty-signature"
    reads_body = True

    def verify(self, call: Call) -> Verified | None:
        """Whether one of the signatures is made with one of the secrets. PagerDuty signs no time."""
        wanted = [b"v1=" + hex_hmac(secret, call.body) for secret in self.secrets]
        given = header_bytes(call.headers, self.header).lower().split(b",")[:SIGNATURES]
        return Verified() if any(is_one_of(one.strip(), wanted) for one in given) else None


def _credentials(own: PagerDutySettings, _: SecretStr | None) -> list[Credential]:
    return [PagerDutySignature(tuple(map(secret_bytes, own.secrets)))] if own.secrets else []


PROOF = SourceProof(
    source=SOURCES["pagerduty"],
    settings=PagerDutySettings,
    credentials=_credentials,
    how="`X-PagerDuty-Signature`.",
    payload={"type": "object", "required": ["event"], "properties": {"event": {"type": "object"}}},
)
