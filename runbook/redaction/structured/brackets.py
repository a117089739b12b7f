"""Values in brackets: lists, objects, Go's `map[…]`, wrappers such as `Some("…")`, and calls."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from runbook.redaction.marks import MARK
from runbook.redaction.names import secret_name
from runbook.redaction.quoting import find_quoted
from runbook.redaction.words import looks_secret, word_set

LONGEST = 4000
"""Brackets that are not closed within so many characters are read up to there."""

LONGEST_BELOW = 300
"""The same for a bracket that opens at the end of its line."""

_BRACKETS = re.compile(r"\"(?:[^\"\\\r\n]|\\.)*+\"|'(?:[^'\\\r\n]|\\.)*+'|(?P<open>[(\[{])|(?P<close>[)\]}])")
_INSIDE = re.compile(
    rf"{MARK.pattern}|(?P<quoted>(?:[bBrRuU]{{1,2}})?\\{{0,7}}[\"'`])"
    r"|(?P<bare>[^\s,;(){}\[\]\"'`=:\\]++)|[=:]|.",
    re.DOTALL,
)
_KEY_AFTER = re.compile(r"[ \t]*(?:=>|[:=])")
_ITEM = re.compile(rf"(?:{MARK.pattern}|[^\s,;{{}}\[\]()\"'`\\])++")
_ELEMENT = re.compile(rf"(?:{MARK.pattern}|[^\s,;{{}}\[\]()]|[ \t](?![\s,;{{}}\[\]()]|$))++")
_HAS_KEYS = re.compile(r"[\w-]++[ \t]*+(?:=>|:|=(?!=))[ \t]*+[^\s=]")
_QUOTES = re.compile(r"[\"'`]")

_WRAPPER = re.compile(
    r"[&*]{0,2}(?:(?P<go>\[\]\w+|\(\*?\w+\)(?=\()|map\[\w+\](?:\[\]|interface)?\w*(?:\{\})?)"
    r"|(?P<name>[A-Za-z_][\w.]{0,60}(?:::\w+){0,4}!?))(?:<[\w:, ]{0,40}>)?[ ]?(?P<open>[({])"
)
_KNOWN_WRAPPER = re.compile(r"(?:.*[.:])?(?:[A-Z]\w*|new|str|bytes|string|quote|b64|base64)!?", re.DOTALL)
_CALL = re.compile(r"[A-Za-z_.!:]+")
_ARGUMENTS = re.compile(r"$|[\w.*\[ ]+[,)]?|[bru]?[\"']")
_LITERAL = re.compile(r"(?P<quote>[\"'])(?P<content>[^\"']*)(?P=quote)")

_DESCRIPTIVE = word_set(
    """
    name key secretname namespace kind apiversion optional mode defaultmode path type format description
    title required username user host port created createdat updated expires expiresat id items in
    readonly writeonly nullable deprecated valuefrom secretkeyref configmapkeyref fieldref schema ref
    algorithm length minlength maxlength pattern enabled role audience ttl expirationseconds domain
    samesite secure httponly maxage count updatedat status env envvar fromenv variable file filename
    state message error reason code hint label placeholder version group
    """
)
"""Members of an object under a secret name that refer to a secret or describe it."""


class Bracket(NamedTuple):
    """What is between brackets, from `start` to `end` (exclusive); `after` is where to read on."""

    start: int
    end: int
    after: int
    is_closed: bool


def is_descriptive(key: str) -> bool:
    """Whether a member of that name, under a secret name, refers to the secret or describes it."""
    return key.lower().replace("-", "").replace("_", "") in _DESCRIPTIVE


def find_bracket(text: str, at: int) -> Bracket:
    """The bracket that opens there; quoted brackets do not count."""
    limit = min(len(text), at + LONGEST)
    eol = text.find("\n", at, limit)
    if eol >= 0:
        limit = eol if text[at + 1 : eol].strip() else min(limit, eol + LONGEST_BELOW)
    depth = 0
    for found in _BRACKETS.finditer(text, at, limit):
        if found["open"]:
            depth += 1
        elif found["close"]:
            depth -= 1
            if depth == 0:
                return Bracket(at + 1, found.start(), found.end(), True)
    end = limit if eol < 0 or limit == eol else eol
    return Bracket(at + 1, end, end, False)


def has_members(text: str, bracket: Bracket) -> bool:
    """Whether there are several values in the bracket: it has quotes, or names for its values."""
    inside = text[bracket.start : bracket.end]
    return _QUOTES.search(inside) is not None or _HAS_KEYS.search(inside) is not None


def is_quoted(text: str, bracket: Bracket) -> bool:
    """Whether something in the bracket is quoted."""
    return _QUOTES.search(text, bracket.start, bracket.end) is not None


def values_within(text: str, bracket: Bracket) -> Iterator[tuple[int, int]]:
    """Where the values in a bracket stand, without those whose keys say that they only describe a secret."""
    at, end, key = bracket.start, bracket.end, ""
    while at < end and (found := _INSIDE.match(text, at, end)):
        at = found.end()
        if found["quoted"]:
            quoted = find_quoted(text, found.start())
            if quoted is None:
                continue
            at = max(min(quoted.after, end), at)
            if _KEY_AFTER.match(text, at, end):
                key = text[quoted.start : quoted.end]
                continue
            if not is_descriptive(key):
                yield quoted.start, min(quoted.end, end)
            key = ""
        elif found["bare"]:
            if not key and _KEY_AFTER.match(text, at, end):
                key = found["bare"]
                continue
            follows_space = text[found.start() - 1] in " \t"  # Go writes `name:two next:three`
            item = (_ELEMENT if follows_space or not key else _ITEM).match(text, found.start(), end)
            at = item.end() if item else at
            if not is_descriptive(key):
                yield found.start(), at
            key = ""


def find_wrapper(text: str, at: int) -> re.Match[str] | None:
    """The name before a bracket, as in `Some(`, `[]byte(` or `get_token(`; `None` without one."""
    return _WRAPPER.match(text, at)


def is_wrapper(found: re.Match[str]) -> bool:
    """Whether it wraps a value and is not a function call."""
    return bool(found["go"]) or _KNOWN_WRAPPER.fullmatch(found["name"]) is not None


def secrets_of_call(text: str, found: re.Match[str]) -> tuple[list[tuple[int, int]], int] | None:
    """Literals among the arguments that look like a secret, and where to read on; `None` if it is not a call.

    A call says where a secret comes from: `os.environ.get("DB_PASSWORD")`, `get_token(user)`.
    """
    if found["open"] == "{" or not _CALL.fullmatch(found["name"]):
        return None
    bracket = find_bracket(text, found.end() - 1)
    if not _ARGUMENTS.match(text[bracket.start : bracket.end]):
        return None
    literals = [
        literal.span("content")
        for literal in _LITERAL.finditer(text, bracket.start, bracket.end)
        if secret_name(literal["content"]) is None and looks_secret(literal["content"])
    ]
    return literals, bracket.after
