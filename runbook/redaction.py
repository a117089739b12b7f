"""Masking of secrets in anything that leaves the runbook: messages, logs, evidence, drafts.

A mark such as `[redacted:phx]` keeps the kind of what was there, so that a reader still sees that a personal
key and not a project key was sent. Masking twice gives the same text as masking once.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

from runbook.secret_shapes import (
    HARMLESS_VALUES,
    MARK,
    RULES,
    SECRET_NAME,
    Rule,
    kind_of,
    mark,
)

SHORTEST_SECRET = 4
"""Listed values under this length are ignored: masking them would blank out ordinary words."""

SHORTEST_BASE64_CORE = 6
"""Shorter fragments of base64 occur by chance."""

QUOTES = re.compile(r"(?P<quote>\\*[\"'])(?P<bare>.*)(?P=quote)", re.DOTALL)

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl's copy of a whole manifest as JSON in an annotation; a Secret's data sits in it once more."""


_HARMLESS: set[str] = set()
"""Short texts that hold no secret, such as the labels and annotations which an alert repeats all the time."""

_HARMLESS_TEXTS = 10_000
_HARMLESS_LENGTH = 256


def _remember(text: str) -> None:
    if len(_HARMLESS) >= _HARMLESS_TEXTS:
        _HARMLESS.clear()
    if len(text) <= _HARMLESS_LENGTH:
        _HARMLESS.add(text)


class Redactor:
    """Masks the listed secrets and everything that has the shape of one.

    A listed secret is also found base64-encoded (at any offset, so inside of `user:password` too),
    URL-encoded and JSON-escaped. Listed values shorter than `SHORTEST_SECRET` are ignored.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._literals = _literal_pattern(secrets)

    def text(self, text: str) -> str:
        """The text with marks instead of secrets."""
        if self._literals is None and text in _HARMLESS:
            return text
        given = text
        while True:
            masked = self._without_literals(text)
            for rule in RULES:
                masked = rule.pattern.sub(_by_rule(rule), masked)
            if masked == text:
                if self._literals is None and masked == given:
                    _remember(given)
                return masked
            text = masked  # a mark can become part of a labelled value, so look again until nothing changes

    def value(self, value: JsonValue) -> JsonValue:
        """The JSON value masked, by what is in it and by the names that values go under.

        Masked by name: keys such as `password` or `apiKey`, `{"name": "API_KEY", "value": …}` entries of a
        container's environment, everything in a Kubernetes Secret's `data` and `stringData`. Booleans
        and nulls stay: `automountServiceAccountToken: true` is no secret.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self._member(value, key) for key in value}
        return value

    def _member(self, mapping: dict[str, JsonValue], key: str) -> JsonValue:
        item, entry = mapping[key], mapping.get("name")
        is_secret = mapping.get("kind") == "Secret"
        if is_secret and key in ("data", "stringData"):
            return _hide(item, "secret-data")
        if is_secret and key == "metadata":
            return self.value(_without_last_applied(item))
        if key == LAST_APPLIED and isinstance(item, str):
            return self._json_text(item)
        if key == "value" and isinstance(entry, str) and SECRET_NAME.search(entry):
            return _hide(item, kind_of(entry))
        if SECRET_NAME.search(key) and not isinstance(item, dict):
            return _hide(item, kind_of(key))
        return self.value(item)

    def _json_text(self, text: str) -> str:
        try:
            parsed: JsonValue = json.loads(text)
        except ValueError:
            return self.text(text)
        return self.text(json.dumps(self.value(parsed), ensure_ascii=False))

    def _without_literals(self, text: str) -> str:
        """Listed secrets masked in what lies between marks, so that no mark is ever masked itself."""
        if self._literals is None:
            return text
        pieces, end = [], 0
        for found in MARK.finditer(text):
            pieces += [self._literals.sub(mark("secret"), text[end : found.start()]), found.group()]
            end = found.end()
        return "".join([*pieces, self._literals.sub(mark("secret"), text[end:])])


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Mask a single text; for many, keep one `Redactor`."""
    return Redactor(secrets).text(text)


def redact_value(value: JsonValue, secrets: Iterable[str] = ()) -> JsonValue:
    """Mask a single JSON value; for many, keep one `Redactor`."""
    return Redactor(secrets).value(value)


def _hide(value: JsonValue, kind: str) -> JsonValue:
    """Mask every scalar in a value whose name says that it is secret."""
    if isinstance(value, dict):
        return {key: _hide(item, kind) for key, item in value.items()}
    if isinstance(value, list):
        return [_hide(item, kind) for item in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    return value if isinstance(value, str) and MARK.fullmatch(value) else mark(kind)


def _without_last_applied(metadata: JsonValue) -> JsonValue:
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(annotations, dict) or LAST_APPLIED not in annotations:
        return metadata
    return {**metadata, "annotations": {**annotations, LAST_APPLIED: mark("last-applied")}}


def _by_rule(rule: Rule) -> Callable[[re.Match[str]], str]:
    def masked(found: re.Match[str]) -> str:
        groups = found.groupdict()
        keep, value = groups.get("keep") or "", found["value"]
        quotes = QUOTES.fullmatch(value)
        around, bare = (quotes["quote"], quotes["bare"]) if quotes else ("", value)
        if not bare or MARK.fullmatch(bare) or (rule.labelled and bare.lower() in HARMLESS_VALUES):
            return found.group()
        return f"{keep}{around}{mark(rule.kind or kind_of(groups.get('kind') or ''))}{around}"

    return masked


def _literal_pattern(secrets: Iterable[str]) -> re.Pattern[str] | None:
    forms: set[str] = set()
    for secret in secrets:
        for value in {secret, secret.strip()}:
            if len(value) >= SHORTEST_SECRET:
                forms |= _forms(value)
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile("|".join(map(re.escape, longest_first))) if forms else None


def _forms(secret: str) -> set[str]:
    encoded = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    lower_case = {re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), form) for form in encoded}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret} | encoded | lower_case | escaped | _base64_forms(secret)


def _base64_forms(secret: str) -> set[str]:
    """The secret in base64: whole, and the part that its bytes alone decide at each of the three offsets."""
    raw = secret.encode("utf-8", "surrogatepass")
    whole = base64.b64encode(raw).decode()
    forms = {whole}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        core = encoded[-(-8 * offset // 6) : (offset + len(raw)) * 8 // 6]
        if len(core) >= SHORTEST_BASE64_CORE:
            forms.add(core)
    return forms | {form.replace("+", "-").replace("/", "_") for form in forms}
