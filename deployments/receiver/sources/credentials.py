"""The ways to prove where a request comes from that sources share; a signature is in the file of its source.

Whatever is wrong with a header, the answer is the same: not proved. What is verified is the body as it came.
Secrets are compared in constant time.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

TOLERANCE = timedelta(minutes=5)
"""How far a signed time may be from ours; Standard Webhooks' own."""

_DIGITS = 12
SIGNATURES = 8
"""Signatures in one header that are checked: PagerDuty and incident.io send one for each secret in use."""


@dataclass(frozen=True)
class Call:
    """A request. `body` is as it came, empty where it is not read yet; `now` is aware, when it came."""

    headers: Mapping[str, str]
    body: bytes
    now: datetime


@dataclass(frozen=True)
class Verified:
    """A request that comes from its source. `delivery` is the sender's id of it where a header tells one."""

    delivery: str = ""


class Credential(Protocol):
    """One way to prove it. `header` is the header of the proof; one that `reads_body` signs the body."""

    @property
    def header(self) -> str:
        """The name of the header."""

    @property
    def reads_body(self) -> bool:
        """Whether the proof is a signature of the body."""

    def verify(self, call: Call) -> Verified | None:
        """What is proved, or None. Never raises, whatever the call holds."""


@dataclass(frozen=True)
class BearerToken:
    """`Authorization: Bearer` with one of the tokens."""

    tokens: tuple[bytes, ...] = field(repr=False)
    header = "authorization"
    reads_body = False

    def verify(self, call: Call) -> Verified | None:
        """Whether the token is one of them."""
        given = _authorization(call.headers, b"bearer")
        return Verified() if is_one_of(given, self.tokens) else None


@dataclass(frozen=True)
class BasicPassword:
    """`Authorization: Basic` with that user and password."""

    username: str
    password: bytes = field(repr=False)
    header = "authorization"
    reads_body = False

    def verify(self, call: Call) -> Verified | None:
        """Whether both are these."""
        try:
            given = base64.b64decode(_authorization(call.headers, b"basic"), validate=True)
        except binascii.Error:
            return None
        wanted = self.username.encode() + b":" + self.password
        return Verified() if is_one_of(given, [wanted]) else None


@dataclass(frozen=True)
class HeaderValue:
    """A header with a secret value that a proxy sets once it has seen a client certificate."""

    header: str
    value: bytes = field(repr=False)
    reads_body = False

    def verify(self, call: Call) -> Verified | None:
        """Whether the header is there, once, with that value."""
        return Verified() if is_one_of(header_bytes(call.headers, self.header), [self.value]) else None


def is_one_of(given: bytes, wanted: Sequence[bytes]) -> bool:
    """Compared in a time that does not depend on the content."""
    return any(hmac.compare_digest(given, one) for one in wanted)


def hex_hmac(secret: bytes, signed: bytes) -> bytes:
    """The HMAC-SHA256 in hex."""
    return hmac.new(secret, signed, "sha256").hexdigest().encode()


def header_bytes(headers: Mapping[str, str], name: str) -> bytes:
    """The bytes of the header; nothing where it is missing, twice there, or holds what no header can."""
    values = [value for key, value in headers.items() if key.lower() == name.lower()]
    if len(values) != 1:
        return b""  # of two, a proxy and we could each believe another one
    try:
        return values[0].encode("latin-1").strip()
    except UnicodeEncodeError:
        return b""


def _authorization(headers: Mapping[str, str], scheme: bytes) -> bytes:
    given, _, credentials = header_bytes(headers, "authorization").partition(b" ")
    return credentials.strip() if given.lower() == scheme else b""


def recent(seconds: bytes, now: datetime) -> datetime | None:
    """That Unix time, if it is written as one and within the tolerance of now."""
    if not seconds.isdigit() or len(seconds) > _DIGITS:
        return None
    if abs(int(seconds) - now.timestamp()) > TOLERANCE.total_seconds():
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def tokens(*given: SecretStr | None) -> list[Credential]:
    """The credential of a sender with one of these tokens; none if there is no token."""
    known = tuple(secret_bytes(token) for token in given if token is not None)
    return [BearerToken(known)] if known else []


def secret_bytes(secret: SecretStr) -> bytes:
    """The bytes that are sent or signed with."""
    return secret.get_secret_value().encode()
