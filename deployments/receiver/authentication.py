"""Who may call the receiver: for each source, whether a request proves that it comes from there.

A token, a password or a client's header is checked before the body is read; a signature afterwards. Addresses
are ignored, so no secret can be in one, and a request that proves nothing learns nothing.
"""

from collections.abc import Mapping
from datetime import datetime

from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.sources import mapped
from deployments.receiver.sources.credentials import Call, Credential, Verified, header_bytes
from deployments.receiver.sources.registry import PROOFS

__all__ = ["Verified", "credentials", "is_open", "needs_body", "verified"]


def needs_body(source: str, settings: ReceiverSettings, headers: Mapping[str, str]) -> bool:
    """Whether `verified` needs the body: the request is signed, and the source has a secret to check it.

    Where it does not, ask `verified` with an empty body before anything is read.
    """
    return any(
        credential.reads_body and header_bytes(headers, credential.header)
        for credential in credentials(source, settings)
    )


def verified(
    source: str, settings: ReceiverSettings, headers: Mapping[str, str], body: bytes, now: datetime
) -> Verified | None:
    """Whether the request comes from that source; None where it does not prove it.

    `body` is the raw body, empty where it is not read yet. `now` is aware.
    """
    call = Call(headers, body, now)
    proofs = [credential.verify(call) for credential in credentials(source, settings)]
    return next((proof for proof in proofs if proof is not None), None)


def is_open(source: str, settings: ReceiverSettings) -> bool:
    """Whether anybody at all can call for that source."""
    return bool(credentials(source, settings))


def credentials(source: str, settings: ReceiverSettings) -> list[Credential]:
    """All that proves for that source; empty where it is closed."""
    if own := settings.mapped.get(source):
        return mapped.credentials(own, settings.token)
    proof = PROOFS[source]
    return proof.credentials(settings.of(proof), settings.token)
