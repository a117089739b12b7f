"""What was encoded is masked as if it was not, and encoded text without a secret stays."""

import base64
import gzip
import json
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.redaction import redact

PASSWORD = "cr4zyHorse9battery"
SECRETS = (
    f"DB_PASSWORD={PASSWORD}",
    json.dumps({"user": "bob", "password": PASSWORD, "host": "db"}),
    f"postgres://bob:{PASSWORD}@db:5432/app",
    f"Authorization: Bearer {PASSWORD}",
    "ph" + f"x_{PASSWORD}0123456789abcdefghij",
)
HARMLESS = (
    '{"level": "info", "msg": "request done", "status": 200}',
    "The pods of the deployment web are ready.",
    "GET /flags?v=2 HTTP/1.1",
    "password policy: minimum 12 characters",
)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _hex(text: str) -> str:
    return text.encode().hex()


def _signs(write: Callable[[int], str]) -> Callable[[str], str]:
    """Signs alone are encoded: letters and digits stay readable."""
    return lambda text: "".join(sign if sign.isalnum() else write(ord(sign)) for sign in text)


BLOCKS = {
    "base64": _base64,
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 twice": lambda text: _base64(_base64(text)),
    "hex": _hex,
    "hex in capitals": lambda text: _hex(text).upper(),
    "base64 of hex": lambda text: _base64(_hex(text)),
    "gzip in base64": lambda text: base64.b64encode(gzip.compress(text.encode())).decode(),
    "gzip in base64 twice": lambda text: _base64(base64.b64encode(gzip.compress(text.encode())).decode()),
}
SIGNS = {
    "entities": _signs("&#{};".format),
    "hexadecimal entities": _signs("&#x{:x};".format),
    "entities of entities": _signs("&amp;#{};".format),
    "percent": _signs("%{:02X}".format),
    "percent twice": _signs("%25{:02x}".format),
    "json": _signs("\\u{:04x}".format),
    "json twice": _signs("\\\\u{:04x}".format),
    "bytes": _signs("\\x{:02x}".format),
}


@pytest.mark.parametrize("encode", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("secret", SECRETS)
def test_encoded_secret_is_masked(secret: str, encode: Callable[[str], str]) -> None:
    """A part of it cannot be decoded again, and what stands around it stays."""
    encoded = encode(secret)
    masked = redact(f"payload={encoded} status=200")
    assert masked == "payload=[redacted:encoded] status=200"
    assert redact(masked) == masked


@pytest.mark.parametrize("encode", SIGNS.values(), ids=SIGNS)
@pytest.mark.parametrize("secret", SECRETS)
def test_secret_among_encoded_signs_is_masked(secret: str, encode: Callable[[str], str]) -> None:
    """Whatever way the signs around it are written."""
    masked = redact(f"x {encode(secret)} y")
    assert PASSWORD not in masked
    assert "[redacted:" in masked
    assert redact(masked) == masked


@pytest.mark.parametrize("encode", (BLOCKS | SIGNS).values(), ids=BLOCKS | SIGNS)
@pytest.mark.parametrize("text", HARMLESS)
def test_encoded_text_without_a_secret_stays(text: str, encode: Callable[[str], str]) -> None:
    """It is no secret for being encoded."""
    encoded = f"payload {encode(text)} end"
    assert redact(encoded) == encoded


@given(st.binary(min_size=16, max_size=80), st.sampled_from(["0x", "sha256:", "id=", ""]))
def test_digests_and_ids_stay(raw: bytes, before: str) -> None:
    """What is no text when it is decoded is not looked into."""
    text = f"{before}{raw.hex()}"
    if not raw.isascii():
        assert redact(text) == text


@given(
    st.randoms(use_true_random=False),
    st.sampled_from(["password", "token", "secret", "Authorization", "api_key"]),
)
def test_label_of_look_alikes_is_read(choose: Random, label: str) -> None:
    """Cyrillic, full-width and accented letters and invisible ones in a label hide nothing."""
    alike = {
        "a": "\u0430\xe0\uff41",
        "e": "\u0435\xe9\uff45",
        "o": "\u043e\xf6\uff4f",
        "p": "\u0440\uff50",
        "s": "\u0455\u0161\uff53",
        "c": "\u0441\xe7\uff43",
        "i": "\u0456\xed\uff49",
        "k": "\uff4b",
    }
    written = "".join(choose.choice([letter, *alike.get(letter, "")]) for letter in label)
    at = choose.randrange(1, len(written))
    written = f"{written[:at]}\u200b{written[at:]}"
    for sign in ("=", ": ", "\uff1a", "\uff1d"):
        assert PASSWORD not in redact(f"{written}{sign}{PASSWORD}")
