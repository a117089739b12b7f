"""Signed statements: what somebody said, as a JSON Web Signature with their Ed25519 key.

The journal keeps the signature beside what was said. To check it, the statement is built again from the
journal and compares, so a signature holds for one incident, one gate and one plan, and for just these words.

Cryptography is imported where something is signed or checked: most commands only read.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import JsonValue

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Statement = Mapping[str, JsonValue]
"""What is signed, but for the time: names and values as JSON has them."""

ALGORITHM = "EdDSA"
TYPE = "runbook-statement+jws"
"""The header `typ`: a signature that the same key made for something else does not count."""

TIME = "time"
_LONGEST = 16_384


def signed(statement: Statement, *, at: datetime, key: "Ed25519PrivateKey") -> str:
    """The statement with its time (aware UTC), as a compact JWS."""
    import jwt

    payload = json.dumps({**statement, TIME: at.isoformat()}, sort_keys=True).encode()
    headers = {"typ": TYPE, "kid": fingerprint(public_text(key.public_key()))}
    return jwt.PyJWS(algorithms=[ALGORITHM]).encode(payload, key, algorithm=ALGORITHM, headers=headers)


def signed_at(signature: str, statement: Statement, keys: Iterable[str]) -> datetime | None:
    """When exactly this statement was signed with one of the keys; `None` where it was not.

    The algorithm is ours to say, not the signature's. Never raises, whatever the signature is.
    """
    if not signature or len(signature) > _LONGEST:
        return None
    for key in keys:
        payload = _verified(signature, key)
        if payload is not None and (at := _time_of(payload, statement)):
            return at
    return None


def _verified(signature: str, key: str) -> bytes | None:
    import jwt

    try:
        found = jwt.PyJWS(algorithms=[ALGORITHM]).decode_complete(
            signature, public_key(key), algorithms=[ALGORITHM]
        )
    except (jwt.InvalidTokenError, ValueError):
        return None
    payload: bytes = found["payload"]
    return payload if found["header"].get("typ") == TYPE else None


def _time_of(payload: bytes, statement: Statement) -> datetime | None:
    try:
        said = json.loads(payload)
        at = datetime.fromisoformat(said.pop(TIME))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    same = json.dumps(said, sort_keys=True) == json.dumps(dict(statement), sort_keys=True)
    return at if same and at.tzinfo is not None else None


def public_key(text: str) -> "Ed25519PublicKey":
    """The public key of an OpenSSH line, `ssh-ed25519 AAAA…`, with or without a comment.

    Raises:
        ValueError: it is not one.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    try:
        key = load_ssh_public_key(text.strip().encode())
    except Exception as error:
        raise ValueError(f"not a public key as `runbook login` prints it ({type(error).__name__})") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key: make one with `runbook login`")
    return key


def public_text(key: "Ed25519PublicKey") -> str:
    """The key as an OpenSSH line without a comment."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def fingerprint(text: str) -> str:
    """What `ssh-keygen -l` shows of a public key: `SHA256:…`."""
    digest = hashlib.sha256(b64decode(text.split()[1])).digest()
    return f"SHA256:{b64encode(digest).decode().rstrip('=')}"
