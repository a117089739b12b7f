"""Secrets that were encoded as a whole: base64 and hexadecimal of a text that holds one.

A run of letters is masked only if it decodes to readable text and masking finds something in that text.
Digests, ids and keys do not decode to text. A gzip-packed run, such as a Helm release, is unpacked up to a
limit.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator

from runbook.redaction.marks import MARK, Span

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/]|[A-Za-z0-9_-]){16,}+={0,2}")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:\\{1,2}x|0x)?(?P<digits>(?:[0-9a-fA-F]{2}){8,}+)(?![0-9A-Za-z])")
_DUMP = re.compile(r"(?<![0-9A-Za-z:])(?:[0-9a-fA-F]{2}[ :]){7,}+[0-9a-fA-F]{2}(?![0-9A-Za-z:])")
_TEXT = re.compile(r"[\t\n\r\x20-\x7e\u00a0-\ufffd]++")
_BROKEN_OFF = 3
"""Bytes of a character that was cut at the end."""

_GZIP = b"\x1f\x8b"
_LARGEST = 1_000_000
"""Bytes that are unpacked of something packed."""


def find_encoded(text: str, mask: Callable[[str], str]) -> Iterator[Span]:
    """The runs whose decoded text `mask` would change."""
    for found in _BASE64.finditer(text):
        run, start = found.group(), found.start()
        if start and text[start - 1] == "\\" and run[0] in "nrt":  # what is left of an escape
            run, start = run[1:], start + 1
        if run.isalpha() and (run.islower() or run.isupper()):
            continue
        if _tells(_of_base64(run), mask):
            yield Span(start, found.end(), "encoded")
    for found in _HEX.finditer(text):
        if _tells(bytes.fromhex(found["digits"]), mask):
            yield Span(*found.span("digits"), "encoded")
    for found in _DUMP.finditer(text):
        if _tells(bytes.fromhex(found.group().replace(":", " ")), mask):
            yield Span(*found.span(), "encoded")


def _tells(raw: bytes, mask: Callable[[str], str]) -> bool:
    decoded = _readable(raw)
    if decoded is None or MARK.fullmatch(decoded):
        return False
    return mask(decoded) != decoded


def _of_base64(run: str) -> bytes:
    bare = run.rstrip("=").replace("-", "+").replace("_", "/")
    bare = bare[: len(bare) - (len(bare) % 4 == 1)]
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):  # no base64 after all
        return b""


def _readable(raw: bytes) -> str | None:
    """The bytes as text, if they are text."""
    if raw.startswith(_GZIP):
        try:
            raw = zlib.decompressobj(wbits=31).decompress(raw, _LARGEST)
        except zlib.error:
            return None
    if raw[1:2] == b"\0" and not any(raw[1::2]):  # UTF-16, as PowerShell encodes commands
        raw = raw[::2]
    if len(raw) < 8 or raw[0] < 9:
        return None
    try:
        decoded = raw.decode()
    except UnicodeDecodeError as error:
        if error.start < len(raw) - _BROKEN_OFF:
            return None
        decoded = raw[: error.start].decode()
    decoded = decoded.rstrip("\0")
    return decoded if _TEXT.fullmatch(decoded) else None
