"""The one door for text from outside: made normal first, then masked, then cut.

In this order: what hides inside of a secret would hide it from masking, and a secret that was cut before has
no shape any more. All functions here give the same again for what they gave.
"""

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import orjson
from pydantic import JsonValue

from runbook.outside_text.normal import normal, one_line
from runbook.redaction import MARK, Redactor, mark

CUT = "…"
"""What stands where a text was cut."""

MAX_NAME = 255
"""Characters: the width of the incident store's columns."""

MAX_LINE = 2000
MAX_TEXT = 4000
_HASH_LETTERS = 12
_LOOKS = 8
_UNKNOWN = Redactor()
_OF_NAMES = Redactor(personal=False)


_ODD = re.compile(rb"\\[ubfr]|[\x7f-\xff]")
"""Characters in orjson's JSON that might hide or steer: those that it escapes, and those beyond ASCII."""


class _Known:
    """Short things that came in as they are, such as the labels which an alert repeats all the time.

    Nothing that was masked is kept here.
    """

    def __init__(self, *, most: int, longest: int) -> None:
        self._known: set[str | bytes] = set()
        self._most, self._longest = most, longest

    def __contains__(self, thing: str | bytes) -> bool:
        return thing in self._known

    def add(self, thing: str | bytes) -> None:
        """Keep it, unless it is too long."""
        if len(self._known) >= self._most:
            self._known.clear()
        if len(thing) <= self._longest:
            self._known.add(thing)


_LINES = _Known(most=20_000, longest=256)
_VALUES = _Known(most=2_000, longest=4096)


def let_in(text: str, limit: int = MAX_TEXT, *, mask: Redactor = _UNKNOWN) -> str:
    """A text of several lines. `mask` may know secrets by their value, besides those with a known shape."""
    return _within(mask.text(normal(text)), limit, mask.text)


def let_in_line(text: str, limit: int = MAX_TEXT, *, mask: Redactor = _UNKNOWN) -> str:
    """A text on one line."""
    if text in _LINES and len(text) <= limit and mask is _UNKNOWN:
        return text
    return _within(masked_line(text, mask.text), limit, mask.text)


def masked_line(text: str, mask: Callable[[str], str]) -> str:
    """The text masked on one line, and masked before: how lines stand can say what is secret."""
    lines = normal(text)
    return mask(one_line(mask(lines) if "\n" in lines.strip() else lines))


def let_in_name(text: str, limit: int = MAX_NAME) -> str:
    """A name that tells one thing from another, on one line.

    Where masking or cutting takes something away, a short hash of the whole name stands at the end: two
    names stay two. Addresses of people stay: a person may be known by one.
    """
    if text in _LINES and len(text) <= limit:
        return text
    name = one_line(text)
    masked = masked_line(text, _OF_NAMES.text)
    if masked == name and len(name) <= limit:
        _LINES.add(name)
        return name
    ending = f" #{_hash(name)}"
    kept = f"{_within(masked, limit - len(ending), _OF_NAMES.text)}{ending}"
    if kept != _OF_NAMES.text(kept):  # the hash would be taken for a part of the secret
        return f"{mark('secret')}{ending}"
    return kept


def let_in_identity(text: str, limit: int = MAX_NAME) -> str:
    """An identity that a program gives and nobody reads: as it is, or its hash.

    The hash is of the text as it came, so it does not change with the rules of masking.
    """
    if text in _LINES and len(text) <= limit:
        return text
    identity = normal(text).strip()
    if len(identity) <= limit and _OF_NAMES.text(identity) == identity:
        return identity
    return sha256(text.strip().encode(errors="surrogatepass")).hexdigest()


def let_in_json(value: Any, limit: int = MAX_TEXT) -> JsonValue:
    """A JSON value, masked by what is in it and by the names that values go under; each text is cut."""
    written = _written(value)
    if 0 < len(written) <= limit and (written in _VALUES or _is_harmless(value, written)):
        harmless: JsonValue = value
        return harmless
    came = _normal_json(value)
    for _ in range(_LOOKS):  # a mark in a value may make its name one of a secret
        masked = _cut_json(_UNKNOWN.value(came), limit)
        if masked == came:
            break
        came = masked
    return came


def let_in_named(
    texts: Mapping[str, str], *, name_limit: int = MAX_NAME, limit: int = MAX_TEXT
) -> dict[str, str]:
    """Texts by name, as labels are: masked by what is in them and by their names."""
    if not texts:
        return {}
    masked = let_in_json(texts, limit)
    if not isinstance(masked, dict):
        raise TypeError("not texts by name")
    if masked == texts and all(name in _LINES and len(name) <= name_limit for name in texts):
        return dict(texts)
    named = {let_in_name(name, name_limit): str(text) for name, text in masked.items()}
    for _ in range(_LOOKS):  # a name that was cut may say more of its value than the whole one did
        again = let_in_json(named, limit)
        if again == named or not isinstance(again, dict):
            break
        named = {name: str(text) for name, text in again.items()}
    return named


def beginning(text: str, most: int) -> str:
    """As much of a very long text as is worth masking: at most so many characters, and no part of a word."""
    if len(text) <= most:
        return text
    whole = text[: most + 1]
    return whole[: -len(whole.split()[-1])] if not whole[-1].isspace() else whole[:most]


def cut(text: str, limit: int) -> str:
    """The text, cut to that many characters, but never within a mark."""
    if len(text) <= limit:
        return text
    end = limit - len(CUT)
    for found in MARK.finditer(text):
        if found.start() < end < found.end():
            end = found.start()
            break
    return f"{text[:end]}{CUT}"


def _within(masked: str, limit: int, mask: Callable[[str], str]) -> str:
    """The masked text, cut. What is left may be a label that masks the sign of the cut, so look again."""
    if len(masked) <= limit:
        return masked
    shorter = cut(masked, limit)
    for _ in range(_LOOKS):
        again = cut(mask(shorter), limit)
        if again == shorter:
            break
        shorter = again
    return shorter


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_HASH_LETTERS]


def _written(value: Any) -> bytes:
    """The value as JSON, nothing where it cannot be written as it is."""
    try:
        return orjson.dumps(value)
    except (TypeError, RecursionError):
        return b""


def _is_harmless(value: Any, written: bytes) -> bool:
    """Whether there is nothing to make normal and nothing to mask, as in nearly all values."""
    if _ODD.search(written) or _UNKNOWN.value(value) != value:
        return False
    _VALUES.add(written)
    return True


def _normal_json(value: Any) -> JsonValue:
    if isinstance(value, str):
        return normal(value)
    if isinstance(value, Mapping):
        return {let_in_name(str(key)): _normal_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_normal_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return normal(str(value))


def _cut_json(value: JsonValue, limit: int) -> JsonValue:
    if isinstance(value, str):
        return _within(value, limit, _UNKNOWN.text)
    if isinstance(value, dict):
        return {key: _cut_json(item, limit) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut_json(item, limit) for item in value]
    return value
