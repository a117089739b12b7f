"""Who may call the receiver: for each source, whether a request proves that it comes from there.

A token, a password or a client's header is checked before the body is read; a signature afterwards. Addresses
are not looked at, so no secret can be in one, and a request that proves nothing is told nothing.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import SecretStr

from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.sources.credentials import (
    BasicPassword,
    BearerToken,
    Call,
    Credential,
    GrafanaSignature,
    HeaderValue,
    PagerDutySignature,
    StandardWebhookSignature,
    Verified,
    header_bytes,
)

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
    return _CREDENTIALS[source](settings)


def _of_alertmanager(settings: ReceiverSettings) -> list[Credential]:
    own = settings.alertmanager
    found: list[Credential] = _tokens(own.token, *own.previous_tokens)
    if own.password is not None:
        found.append(BasicPassword(own.username, _bytes(own.password)))
    if own.client_header is not None:
        found.append(HeaderValue(own.client_header.name, _bytes(own.client_header.value)))
    return found or _tokens(settings.token)


def _of_grafana(settings: ReceiverSettings) -> list[Credential]:
    own = settings.grafana
    found: list[Credential] = _tokens(own.token)
    if own.secret is not None:
        found.append(GrafanaSignature(own.signature_header, own.timestamp_header, _bytes(own.secret)))
    return found or _tokens(settings.token)


def _of_pagerduty(settings: ReceiverSettings) -> list[Credential]:
    secrets = settings.pagerduty.secrets
    return [PagerDutySignature(tuple(map(_bytes, secrets)))] if secrets else []


def _of_incident_io(settings: ReceiverSettings) -> list[Credential]:
    secrets = settings.incident_io.secrets
    return (
        [StandardWebhookSignature(tuple(secret.get_secret_value() for secret in secrets))] if secrets else []
    )


def _of_plain(settings: ReceiverSettings) -> list[Credential]:
    return _tokens(settings.plain.token) or _tokens(settings.token)


def _of_self_watch(settings: ReceiverSettings) -> list[Credential]:
    return _tokens(settings.self_watch_token)


_CREDENTIALS: dict[str, Callable[[ReceiverSettings], list[Credential]]] = {
    "alertmanager": _of_alertmanager,
    "grafana": _of_grafana,
    "pagerduty": _of_pagerduty,
    "incident-io": _of_incident_io,
    "plain": _of_plain,
    "self-watch": _of_self_watch,
}


def _tokens(*tokens: SecretStr | None) -> list[Credential]:
    known = tuple(_bytes(token) for token in tokens if token is not None)
    return [BearerToken(known)] if known else []


def _bytes(secret: SecretStr) -> bytes:
    return secret.get_secret_value().encode()
