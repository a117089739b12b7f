"""A signature holds for the statement it was made over and a key that is registered, and for nothing else."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from runbook.approvals.signatures import (
    TYPE,
    Statement,
    fingerprint,
    public_key,
    public_text,
    signed,
    signed_at,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC, OTHERS = public_text(KEY.public_key()), public_text(OTHER.public_key())
AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
SAID: Statement = {
    "statement": "answer",
    "gate": "1-restart-1",
    "choice": "approve",
    "parameters": {"a": "1"},
}


def test_a_signature_holds_for_its_statement_and_tells_its_time() -> None:
    """With its key among the registered ones, in whatever order."""
    token = signed(SAID, at=AT, key=KEY)
    assert signed_at(token, SAID, [PUBLIC]) == AT
    assert signed_at(token, dict(reversed(list(SAID.items()))), [OTHERS, f"{PUBLIC} ana@laptop"]) == AT


def test_it_is_a_standard_jws() -> None:
    """Any library reads it: RFC 7515, EdDSA as of RFC 8037, with the key's fingerprint."""
    token = signed(SAID, at=AT, key=KEY)
    found = jwt.PyJWS().decode_complete(token, KEY.public_key(), algorithms=["EdDSA"])
    assert found["header"] == {"alg": "EdDSA", "typ": TYPE, "kid": fingerprint(PUBLIC)}
    assert json.loads(found["payload"]) == {**SAID, "time": "2026-11-22T15:00:00+00:00"}


@pytest.mark.parametrize("keys", [[], [OTHERS], ["ssh-ed25519 AAAA"], ["nonsense"]])
def test_a_key_that_is_not_registered_proves_nothing(keys: list[str]) -> None:
    """Nor does one that has been taken away since."""
    assert signed_at(signed(SAID, at=AT, key=KEY), SAID, keys) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"gate": "1-restart-2"},
        {"choice": "reject"},
        {"parameters": {"a": "2"}},
        {"parameters": {}},
        {"statement": "severity"},
        {"more": None},
    ],
)
def test_another_statement_is_not_signed_by_it(changes: dict[str, Any]) -> None:
    """A replay to another gate, plan or choice does not verify."""
    assert signed_at(signed(SAID, at=AT, key=KEY), {**SAID, **changes}, [PUBLIC]) is None


def part(value: Any) -> str:
    """A part of a compact JWS."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


PAYLOAD = {**SAID, "time": AT.isoformat()}


def with_hmac(secret: bytes, algorithm: str = "HS256") -> str:
    """A token that is "signed" with what everybody knows."""
    head = f"{part({'alg': algorithm, 'typ': TYPE})}.{part(PAYLOAD)}"
    return f"{head}.{part(hmac.new(secret, head.encode(), hashlib.sha256).digest())}"


def by_key(payload: Any, **header: Any) -> str:
    """A token with the right key and another header or payload."""
    head = f"{part({'alg': 'EdDSA', 'typ': TYPE} | header)}.{part(payload)}"
    return f"{head}.{part(KEY.sign(head.encode()))}"


RAW = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

FORGED = {
    "alg none": f"{part({'alg': 'none', 'typ': TYPE})}.{part(PAYLOAD)}.",
    "alg None": f"{part({'alg': 'None', 'typ': TYPE})}.{part(PAYLOAD)}.",
    "no alg": f"{part({'typ': TYPE})}.{part(PAYLOAD)}.{part(b'x' * 64)}",
    "HMAC with the public line": with_hmac(PUBLIC.encode()),
    "HMAC with the public bytes": with_hmac(RAW),
    "HMAC with the public PEM": with_hmac(PEM),
    "EdDSA with an HMAC": with_hmac(RAW, "EdDSA"),
    "the key in the header": by_key(
        PAYLOAD, jwk={"kty": "OKP", "crv": "Ed25519", "x": part(RAW)}, alg="HS256"
    ),
    "another type": by_key(PAYLOAD, typ="JWT"),
    "no type": by_key(PAYLOAD, typ=None),
    "an unknown critical header": by_key(PAYLOAD, crit=["exp"], exp=1),
    "detached": by_key(PAYLOAD, b64=False, crit=["b64"]),
    "no time": by_key(dict(SAID)),
    "a time without a zone": by_key({**SAID, "time": "2026-11-22T15:00:00"}),
    "a list": by_key([1, 2]),
    "a number": by_key(1),
    "no JSON": by_key(b"\xff{"),
    "deep": by_key(b"[" * 9000),
    "too long": by_key({**PAYLOAD, "reason": "x" * 20_000}),
    "another key": signed(SAID, at=AT, key=OTHER),
    "no signature": signed(SAID, at=AT, key=KEY).rpartition(".")[0] + ".",
    "two parts": signed(SAID, at=AT, key=KEY).rpartition(".")[0],
    "empty": "",
    "words": "trust me",
    "not ASCII": "é.é.é",
}


@pytest.mark.parametrize("token", FORGED.values(), ids=list(FORGED))
def test_a_forged_signature_proves_nothing(token: str) -> None:
    """The algorithm and the key are ours to say; whatever else it is, the answer is no and never an error."""
    assert signed_at(token, SAID, [PUBLIC]) is None


@given(
    st.text() | st.binary().map(part) | st.lists(st.text(max_size=20), min_size=3, max_size=3).map(".".join)
)
def test_nothing_made_up_is_a_signature(token: str) -> None:
    """Nor does it raise."""
    assert signed_at(token, SAID, [PUBLIC]) is None


@given(st.integers(0, 10_000), st.sampled_from("aAzZ09-_."))
def test_a_changed_letter_breaks_it_or_says_the_same(place: int, letter: str) -> None:
    """Base64 has spellings of one value; what is read from them is what was signed."""
    token = signed(SAID, at=AT, key=KEY)
    at = place % len(token)
    assert signed_at(token[:at] + letter + token[at + 1 :], SAID, [PUBLIC]) in (None, AT)


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ("", "not a public key"),
        ("ssh-ed25519 AAAA", "not a public key"),
        (PEM.decode(), "not a public key"),
        (
            generate_private_key(65537, 2048)
            .public_key()
            .public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
            .decode(),
            "not an Ed25519 key",
        ),
    ],
    ids=["empty", "cut", "PEM", "RSA"],
)
def test_a_key_that_is_none_is_told(line: str, flaw: str) -> None:
    """Before anything starts, when the settings are read."""
    with pytest.raises(ValueError, match=flaw):
        public_key(line)


def test_a_key_reads_with_a_comment() -> None:
    """As people paste it."""
    assert public_text(public_key(f"  {PUBLIC} ana@laptop\n")) == PUBLIC
    assert fingerprint(f"{PUBLIC} ana@laptop") == fingerprint(PUBLIC)
