"""Secrets that are known by the id beside them: AWS and Twilio hand out both halves together."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.shapes.rules import has_both_cases

_AWS_ID = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])|\[redacted:aws-key\]")
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=_-])")
_NEAR = 300
_TWILIO = re.compile(r"\b(?:AC|SK)[0-9a-f]{32}(?:[\s:,;|\"']|%3A){1,6}(?P<value>[0-9a-f]{32})\b")


def find_key_pairs(text: str) -> Iterator[Span]:
    """Secrets near the id that they belong to."""
    if "AKIA" in text or "ASIA" in text or "[redacted:aws-key]" in text:
        end = 0
        for found in _AWS_ID.finditer(text):
            start = max(end, found.start() - _NEAR)
            end = found.end() + _NEAR
            for secret in _AWS_SECRET.finditer(text, start, end):
                if has_both_cases(secret.group()):
                    yield Span(*secret.span(), "aws-secret")
    for found in _TWILIO.finditer(text):
        yield Span(*found.span("value"), "twilio-token")


def is_key_id(text: str) -> bool:
    """Whether a text is an id beside which a secret stands."""
    return _AWS_ID.fullmatch(text) is not None


def is_of_pair(text: str) -> bool:
    """Whether a text, found beside such an id, is its secret."""
    return _AWS_SECRET.fullmatch(text) is not None and has_both_cases(text)
