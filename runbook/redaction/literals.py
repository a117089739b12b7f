"""Secrets that are known by their value, in every form in which programs write them."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from runbook.redaction.marks import LISTED, MARK, Span

SHORTEST_SECRET = 4
"""Listed values under this length are ignored: masking them would blank out ordinary words."""

SHORTEST_BASE64_CORE = 6
"""Shorter fragments of base64 occur by chance."""


class Literals:
    """Finds listed secrets: as they are, URL-encoded, escaped as in JSON, HTML or YAML, and in base64.

    Base64 is found at any offset, so inside of `user:password` too.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms: set[str] = set()
        for secret in secrets:
            for value in {secret, secret.strip()}:
                if len(value) >= SHORTEST_SECRET:
                    forms |= _forms(value)
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def find(self, text: str) -> Iterator[Span]:
        """All listed secrets of the text that are not within a mark."""
        if self._pattern is None:
            return
        end = 0
        for found in MARK.finditer(text) if "[redacted:" in text else ():
            yield from self._within(text, end, found.start())
            end = found.end()
        yield from self._within(text, end, len(text))

    def _within(self, text: str, start: int, end: int) -> Iterator[Span]:
        if self._pattern is None:
            return
        for found in self._pattern.finditer(text, start, end):
            yield Span(*found.span(), LISTED)


def _forms(secret: str) -> set[str]:
    encoded = {_quoted(secret), _quoted(secret, safe=""), _quoted_plus(secret)}
    encoded |= {quote(form, safe="") for form in encoded}
    lower_case = {re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), form) for form in encoded}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    escaped |= {_for_html(form) for form in escaped} | {form.replace("/", "\\/") for form in escaped}
    escaped |= {json.dumps(form, ensure_ascii=False)[1:-1] for form in escaped}
    doubled = {secret.replace("'", "''"), secret.replace('"', '""'), secret.replace("'", "'\\''")}
    marked_up = {
        html.escape(secret),
        html.escape(secret, quote=False),
        html.escape(secret).replace("&#x27;", "&#39;"),
    }
    return {secret} | encoded | lower_case | escaped | doubled | marked_up | _base64_forms(secret)


def _quoted(text: str, safe: str = "/") -> str:
    return quote(text, safe=safe, errors="surrogatepass")


def _quoted_plus(text: str) -> str:
    return quote_plus(text, errors="surrogatepass")


def _for_html(text: str) -> str:
    """As Go writes JSON: safe inside of HTML."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _base64_forms(secret: str) -> set[str]:
    """The secret in base64: whole, and the part that its bytes alone decide at each of the three offsets."""
    raw = secret.encode("utf-8", "surrogatepass")
    forms = {base64.b64encode(raw).decode()}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        core = encoded[-(-8 * offset // 6) : (offset + len(raw)) * 8 // 6]
        if len(core) >= SHORTEST_BASE64_CORE:
            forms.add(core)
    return forms | {form.replace("+", "-").replace("/", "_") for form in forms}
