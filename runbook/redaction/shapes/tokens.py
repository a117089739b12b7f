"""JSON web tokens, and the schemes of HTTP authentication wherever they stand."""

import base64
import binascii
import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.words import HARMLESS_VALUES, word_set

_JWT = re.compile(
    r"(?<![A-Za-z0-9_-])(?P<head>[A-Za-z0-9_-]{11,}+)(?P<rest>(?:(?:\.|%(?:25)*2[eE])[A-Za-z0-9_-]*+){1,4})"
)
_JWT_HEAD = re.compile(r"(?<![A-Za-z0-9_])eyJ(?:hbGci|0eXAi|raWQi|lbmMi|jdHki)[A-Za-z0-9_-]{8,}")
_BASIC = re.compile(r"\bbasic(?:[ \t]+|%20|\+)(?P<value>[A-Za-z0-9+/_-]{3,}={0,2})", re.IGNORECASE)
_BEARER = re.compile(
    r"\bbearer(?:[ \t]+|%20|\+|:[ \t]*|, ?(?=[A-Za-z0-9_-]{16}))[\"']?"
    r"(?P<value>[A-Za-z0-9._~+/=-]{2,})(?P<after>[ \t]*=[ \t]*[\"'])?",
    re.IGNORECASE,
)
_ABOUT_BEARER = HARMLESS_VALUES | word_set(
    """
    auth scheme format type prefix realm scope header-based tokens jwt access channel plane check
    challenge method mode only instead then via error_description resource_metadata authorization_uri
    service services bonds plant plants capability qos setup context id flow
    """
)
_SHORTEST_HEAD = 8


def find_schemes(text: str, small: str) -> Iterator[Span]:
    """What follows `Bearer` and `Basic`. `small` is the text in small letters."""
    if "bearer" in small:
        yield from _bearers(text)
    if "basic" in small:
        yield from _basics(text)


def find_jwts(text: str) -> Iterator[Span]:
    """All JSON web tokens, with their dots percent-encoded too."""
    if "eyJ" not in text:
        return
    for found in _JWT.finditer(text):
        at = found["head"].find("eyJ")
        rest = found["rest"].lstrip(".%2eE5")
        if at >= 0 and len(found["head"]) - at - 3 >= _SHORTEST_HEAD and len(rest) >= _SHORTEST_HEAD:
            yield Span(found.start() + at, found.start() + len(found.group().rstrip(".")), "jwt")
    for found in _JWT_HEAD.finditer(text):
        yield Span(*found.span(), "jwt")


def _bearers(text: str) -> Iterator[Span]:
    for found in _BEARER.finditer(text):
        value = found["value"].rstrip(".")
        if found["after"] or not value or value.split("=")[0].lower() in _ABOUT_BEARER:
            continue
        yield Span(found.start("value"), found.start("value") + len(value), "bearer")


def _basics(text: str) -> Iterator[Span]:
    for found in _BASIC.finditer(text):
        value = found["value"]
        try:
            decoded = base64.b64decode(
                value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4),
                altchars=b"-_" if "-" in value or "_" in value else None,
            )
        except (binascii.Error, ValueError):
            continue
        if b":" in decoded:
            yield Span(*found.span("value"), "basic")
