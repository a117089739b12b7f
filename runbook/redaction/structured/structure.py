"""Masking of JSON values: by the content of texts, and by the names of values.

An object is a dictionary or, where it was read from a text, `Members`: its keys and values in their order,
so that the masked object can be written back to where it was read.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from runbook.redaction.labels import NAME_KEYS, VALUE_KEYS
from runbook.redaction.marks import is_mark, mark
from runbook.redaction.names import LONGEST_NAME, SecretName, secret_name
from runbook.redaction.shapes.key_pairs import is_key_id, is_of_pair
from runbook.redaction.shapes.private_keys import is_key_line
from runbook.redaction.structured.brackets import is_descriptive
from runbook.redaction.values.harmless import stays
from runbook.redaction.values.label_values import masked_value
from runbook.redaction.words import is_harmless, looks_secret

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl's copy of a whole manifest as JSON in an annotation; a Secret's data sits in it once more."""

DEEPEST = 100
"""Levels of nesting that are looked into."""

_DATA = SecretName("secret-data")
_JWK = ("d", "k", "p", "q", "dp", "dq", "qi")
"""The private parts of a JSON web key (RFC 7518)."""

_OWNER = re.compile(r" (?:for|of|to|on|from|at|is|was|are|were|now|set)\b")
_WORD = re.compile(r"[A-Za-z-]+")


class TooDeep(Exception):
    """A value is nested deeper than `DEEPEST`."""


class Number(str):
    """A number as it stands in a JSON text."""


class Members(list[tuple[str, Any]]):
    """The members of an object in their order; a key may be there twice."""


class StructureMask:
    """Masks JSON values; `text` masks what is in a string.

    `keeps_form`: a value that is nested too deep raises `TooDeep`; otherwise what is too deep becomes a mark.
    """

    def __init__(self, text: Callable[[str], str], *, keeps_form: bool) -> None:
        self._text = text
        self._keeps_form = keeps_form

    def mask(self, value: Any, secret: SecretName | None = None, depth: int = 0) -> Any:
        """The value masked, of the same form. `secret` is what the name before the value says of it.

        Raises:
            TooDeep: it is nested too deep.
        """
        if depth > DEEPEST and isinstance(value, dict | list):
            if self._keeps_form:
                raise TooDeep
            return mark("nested-too-deep")
        if secret is not None:
            return self._hidden(value, secret, depth)
        if isinstance(value, dict | Members):
            return self._object(value, depth)
        if isinstance(value, list):
            return self._items(value, depth)
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            text = str(value)
            masked = self._text(text)
            return value if masked == text else masked
        return value

    def _string(self, value: str) -> str:
        masked = self._text(value)
        return value if masked == value else masked

    def _object(self, value: "dict[str, Any] | Members", depth: int, *, is_secret: bool = False) -> Any:
        members = list(value.items()) if isinstance(value, dict) else value
        kinds = [item for key, item in members if key == "kind"]
        is_secret, is_list = is_secret or "Secret" in kinds, "SecretList" in kinds
        entry = _entry(members)
        has_id = any(isinstance(item, str) and is_key_id(item) for _, item in members)
        of_jwk = _JWK if any(key == "kty" for key, _ in members) else ()
        masked = [
            self._secrets(item, depth + 1)
            if is_list and key == "items" and isinstance(item, list)
            else mark("private-key")
            if key in of_jwk and isinstance(item, str)
            else mark("aws-secret")
            if has_id and isinstance(item, str) and is_of_pair(item)
            else self._member(key, item, entry, depth, is_secret=is_secret)
            for key, item in members
        ]
        return _like(value, self._keys(members), masked)

    def _secrets(self, items: list[Any], depth: int) -> list[Any]:
        """The items of a list of Secrets, which leave out their kind."""
        return [
            self._object(item, depth + 1, is_secret=True)
            if isinstance(item, dict | Members)
            else self.mask(item, depth=depth + 1)
            for item in items
        ]

    def _keys(self, members: list[tuple[str, Any]]) -> list[str]:
        """The masked keys. If two become equal, they are numbered, so that no member is lost."""
        keys: list[str] = []
        taken = {key for key, _ in members}
        for key, _ in members:
            masked, number = self._string(key), 1
            name = masked
            while masked != key and name in taken:
                number += 1
                name = f"{masked} ({number})"
            taken.add(name)
            keys.append(name)
        return keys

    def _member(self, key: str, item: Any, entry: SecretName | None, depth: int, *, is_secret: bool) -> Any:
        if is_secret and key in ("data", "stringData"):
            return self._blanked(item, _DATA, depth + 1)
        if is_secret and key == "metadata":
            return self.mask(_without_last_applied(item), depth=depth + 1)
        if entry and key.lower().replace("_", "").replace("-", "") in VALUE_KEYS:
            return self._hidden(item, entry, depth + 1)
        return self.mask(item, _by_key(key, item), depth + 1)

    def _items(self, items: list[Any], depth: int) -> list[Any]:
        masked, before, in_key = [], "", False
        is_pair = len(items) == 2 and depth > 0
        has_id = any(isinstance(item, str) and is_key_id(item) for item in items)
        for item in items:
            if isinstance(item, str) and (in_key or "PRIVATE KEY-" in item):
                in_key = "-BEGIN " in item or (in_key and is_key_line(item))
                masked.append(mark("private-key") if in_key and "-BEGIN " not in item else self._string(item))
                continue
            if has_id and isinstance(item, str) and is_of_pair(item):
                masked.append(mark("aws-secret"))
                continue
            secret = _after(before, item, is_pair=is_pair) if before else None
            masked.append(self.mask(item, secret, depth + 1))
            before = item if isinstance(item, str) and len(item) <= LONGEST_NAME and " " not in item else ""
        return masked

    def _hidden(self, value: Any, secret: SecretName, depth: int) -> Any:
        """Mask every scalar in a value whose name says that it is secret."""
        if isinstance(value, dict | Members):
            members = list(value.items()) if isinstance(value, dict) else value
            items = [self._hidden_member(key, item, secret, depth) for key, item in members]
            keys = self._keys(members)
            if isinstance(value, Members):  # `{x}` is an object of YAML, with a key and no value
                keys = [
                    mark(secret.kind) if item is None and looks_secret(key) else key
                    for key, (_, item) in zip(keys, members, strict=True)
                ]
            return _like(value, keys, items)
        if isinstance(value, list):
            return [self.mask(item, secret, depth + 1) for item in value]
        if value is None or isinstance(value, bool) or value == "":
            return value
        if isinstance(value, str) and not isinstance(value, Number):
            hidden = masked_value(value, secret)
            inner = self._string(hidden)
            return mark(secret.kind) if secret.certain and inner != hidden == value else inner
        return value if stays(str(value), secret) else mark(secret.kind)

    def _blanked(self, value: Any, secret: SecretName, depth: int) -> Any:
        """Mask everything in a value."""
        if isinstance(value, dict | Members) and depth <= DEEPEST:
            members = list(value.items()) if isinstance(value, dict) else value
            items = [self._blanked(item, secret, depth + 1) for _, item in members]
            return _like(value, self._keys(members), items)
        if isinstance(value, list) and depth <= DEEPEST:
            return [self._blanked(item, secret, depth + 1) for item in value]
        if isinstance(value, dict | list) and self._keeps_form:
            raise TooDeep
        if (
            value is None
            or isinstance(value, bool)
            or value == ""
            or (isinstance(value, str) and is_mark(value))
        ):
            return value
        return mark(secret.kind)

    def _hidden_member(self, key: str, item: Any, secret: SecretName, depth: int) -> Any:
        own = _by_key(key, item)
        if own is None and is_descriptive(key):
            return self.mask(item, depth=depth + 1)
        if own is None:
            return self.mask(item, secret, depth + 1)
        figures = min(own.figures, secret.figures)
        return self.mask(item, own._replace(certain=True, figures=figures), depth + 1)


def leaves(value: Any) -> Iterator[Any]:
    """Keys and scalars of a value that was read from a text, in the order in which they stand there."""
    if isinstance(value, Members):
        for key, item in value:
            yield key
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def _by_key(key: str, item: Any) -> SecretName | None:
    secret = secret_name(key)
    if secret is None and " " in key and (owner := _OWNER.search(key)):
        of_owner = secret_name(key[: owner.start()].replace(" ", "_"))
        return of_owner._replace(certain=False) if of_owner else None
    if secret is None or "/" not in key or secret.kind != "secret":
        return secret
    if key.startswith("checksum/") or not (isinstance(item, str) and looks_secret(item)):
        return None
    return secret


def _entry(members: "list[tuple[str, Any]]") -> SecretName | None:
    """What the name says in `{"name": "API_KEY", "value": …}`."""
    for key, item in members:
        if isinstance(item, str) and key.lower().replace("_", "").replace("-", "") in NAME_KEYS:
            secret = secret_name(item.rsplit("/", 1)[-1]) if " " not in item else None
            if secret and secret.certain:
                return secret
    return None


def _after(before: str, item: Any, *, is_pair: bool) -> SecretName | None:
    """What the item before says of an item of a list: a flag, or the name of a header."""
    secret = secret_name(before.lstrip("-"))
    if secret is None or not secret.certain:
        return None
    if before.startswith("-"):
        return secret if isinstance(item, str) and not item.startswith("-") and "=" not in before else None
    if not isinstance(item, str):
        return secret if secret.line and is_pair and isinstance(item, list) else None
    if secret_name(item) or is_harmless(item) or (_WORD.fullmatch(item) and not is_pair):
        return None
    if is_pair and not (_WORD.fullmatch(item) and item.islower()):
        return secret
    return secret if looks_secret(item) or (secret.line and not _WORD.fullmatch(item)) else None


def _without_last_applied(metadata: Any) -> Any:
    if isinstance(metadata, Members):
        return Members(
            (key, _marked_annotations(item) if key == "annotations" else item) for key, item in metadata
        )
    if isinstance(metadata, dict) and "annotations" in metadata:
        return {**metadata, "annotations": _marked_annotations(metadata["annotations"])}
    return metadata


def _marked_annotations(annotations: Any) -> Any:
    if isinstance(annotations, Members):
        return Members(
            (key, mark("last-applied") if key == LAST_APPLIED else item) for key, item in annotations
        )
    if isinstance(annotations, dict) and LAST_APPLIED in annotations:
        return {**annotations, LAST_APPLIED: mark("last-applied")}
    return annotations


def _like(value: "dict[str, Any] | Members", keys: list[str], items: list[Any]) -> Any:
    members = zip(keys, items, strict=True)
    return Members(members) if isinstance(value, Members) else dict(members)
