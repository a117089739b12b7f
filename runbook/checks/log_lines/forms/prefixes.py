"""Levels among the times, names and numbers that loggers put before a message.

`2023-01-01 00:00:00,123 [main] ERROR com.acme.Batch - no answer`, `[12:00:00 ERR]`, `ERROR:root:`, `fail: `,
`2023-01-01 00:00:00.000 | ERROR    | app:run:12 - `. What stands before the level must look like such a
prefix, so that a word in a message is none.
"""

import re
from typing import NamedTuple

from runbook.checks.log_lines.levels import LEVEL_LETTERS, LEVEL_WORDS, Level

_MOST_TOKENS = 16
_MOST_PLAIN_NAMES = 3
_LONGEST_PREFIX = 400  # characters

_TIME = re.compile(
    r"\d{4}[-/.]\d\d[-/.]\d\d(?:[T _:]\s?\d\d:\d\d(?::\d\d)?(?:[.,:]\d{1,9})?)?"
    r"(?:\s?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
    r"|\d{8}T\d{6}(?:[.,]\d{1,9})?Z?|\d\d-\d\d(?= \d\d:\d\d:\d\d)"
    r"|\d{1,2}:\d\d(?::\d\d)?(?:[.,:]\d{1,9})?(?:\s?[AaPp][Mm]\b)?(?:Z|\s?[+-]\d{4})?"
    r"|\d{1,2}[-/ ][A-Z][a-z]{2}[-/ ]\d{2,4}|\d{1,2}[-/]\d{1,2}[-/]\d{2,4}|\d{1,2}\.\d{1,2}\.\d{4}"
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )?"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6} {1,2}\d{1,2}(?:,? \d{4})?\b"
    r"|\d{10,13}(?:\.\d{1,9})?(?![\w.])|\d\.\d{1,12}e\+\d\d",
    re.ASCII,
)
_BRACKETED = re.compile(
    r"\[(?P<square>[^\[\]]{0,200})\]|\((?P<round>[^()]{0,80})\)|<(?P<angle>[\w.-]{1,40})>"
    r"|\{[\w./: -]{0,100}\}"
)
_WORD = re.compile(r"(?P<word>[A-Za-z]{1,13})(?P<mark>\[\d{1,9}\]|!)?(?=(?P<next>$|[\s:|,;\]\[(]))", re.ASCII)
_LARAVEL = re.compile(r"[\w-]{1,40}\.(?P<word>[A-Z]{4,9}): ", re.ASCII)
_SEPARATOR = re.compile(r"[|:;,>*#-]{1,4}|[^\x00-\x7f]{1,4}(?=\s)", re.ASCII)  # signs and pictures
_KEY_VALUE = re.compile(r"[A-Za-z][\w.-]{0,40}=[^\s\"]{1,120}(?=\s)", re.ASCII)
_QUALIFIED = re.compile(
    r"[A-Za-z_$][\w$-]{0,80}(?:(?:\.|::|/)[\w$<>-]{1,80}){1,12}(?:[:#]\d{1,6})?(?:\[\d{1,9}\])?:?(?=[\s|]|$)",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?\d{1,12}(?:[.#:][\dA-Z]{1,12})?(?:ms|s)?:?(?=[\s|,\]]|$)", re.ASCII)
_PLAIN_NAME = re.compile(r"[\w$@-]{1,60}(?:\[\d{1,9}\])?(?P<colon>:)?(?=\s{0,40}(?P<next>\S))", re.ASCII)
_PROCESS = re.compile(r" \((?:[\w.-]{1,60}/)?\d{1,9}(?: on [\w.-]{1,100})?\):", re.ASCII)  # pino-pretty
_PIECES = re.compile(r"[A-Za-z]{1,13}(?![\w.-])", re.ASCII)

_ORDINARY_WORDS = frozenset({"http", "log", "config", "fine", "finer", "finest", "note", "success"})
"""Levels that are ordinary words as well: in capitals they need a time before them or a mark after them."""

_WITH_COLON = frozenset(LEVEL_WORDS) - (_ORDINARY_WORDS - {"http"}) - {"trace"}
"""Those that are levels in small letters with a colon after them: .NET's `fail: `, winston's `http: `."""

_WITHOUT_MARK = frozenset({"info", "debug", "warn", "warning"})
"""Those that are levels in small letters without any mark, as the first word."""


_OF_GO = re.compile(
    r"http: (?:proxy error|panic serving|TLS handshake error|Accept error|[Ss]erver|superfluous"
    r"|abort Handler)"
)
"""Messages of Go's `net/http`, whose first word is no level."""


class Prefix(NamedTuple):
    """The level that was found, and where the message begins."""

    level: Level
    end: int


def read_prefix(text: str) -> Prefix | None:
    """The level before the message; `None` where there is none."""
    head = text[:_LONGEST_PREFIX]
    at = len(head) - len(head.lstrip())
    timed, begun, names = False, False, 0
    for _ in range(_MOST_TOKENS):
        if at >= len(head):
            return None
        if found := _TIME.match(head, at):
            timed = True
        elif found := _BRACKETED.match(head, at):
            level = _level_in_brackets(found)
            if level is not None:
                return _ended(text, level, found.end(), begun=begun)
        elif found := _LARAVEL.match(head, at):
            if found["word"].lower() in LEVEL_WORDS:
                return _ended(text, LEVEL_WORDS[found["word"].lower()], found.end(), begun=begun)
        elif (word := _WORD.match(head, at)) and (
            level := _level_of_word(word, names=names, timed=timed)
        ) is not None:
            return _ended(text, level, word.end(), begun=begun)
        elif found := (
            _KEY_VALUE.match(head, at)
            or _QUALIFIED.match(head, at)
            or (_NUMBER.match(head, at) if begun else None)
            or _SEPARATOR.match(head, at)
        ):
            pass
        elif (
            (found := _PLAIN_NAME.match(head, at))
            and names < _MOST_PLAIN_NAMES
            and _may_be_a_name(found, timed=timed)
        ):
            names += 1
        else:
            return None
        at, begun = found.end(), True
        while at < len(head) and head[at] in " \t":
            at += 1
    return None


def begins_with_time(text: str) -> bool:
    """Whether a line begins with a time, as those that loggers write."""
    return _TIME.match(text.lstrip(" \t[")) is not None


def _level_in_brackets(found: re.Match[str]) -> Level | None:
    """The level in `[ERROR    ]`, `[core:error]`, `[12:00:00 ERR]`, `[2023-01-01 00:00:00,0: ERROR/Main]`."""
    inside = (found["square"] or found["round"] or found["angle"] or "").strip()
    if not inside:
        return None
    whole = inside.rpartition(":")[2] if re.fullmatch(r"[a-z_]{1,30}:[a-z]{3,8}", inside) else inside
    if whole.lower() in LEVEL_WORDS:
        return LEVEL_WORDS[whole.lower()]
    if whole in LEVEL_LETTERS:
        return LEVEL_LETTERS[whole]
    if re.match(r"[EWIDFCT] \d", inside):  # Tornado
        return LEVEL_LETTERS[inside[0]]
    time = _TIME.match(inside)
    if time is None:
        return None
    pieces = (piece.group() for piece in _PIECES.finditer(inside, time.end()))
    return next(
        (LEVEL_WORDS[piece.lower()] for piece in pieces if piece.isupper() and piece.lower() in LEVEL_WORDS),
        None,
    )


def _level_of_word(found: re.Match[str], *, names: int, timed: bool) -> Level | None:
    word, small, after = found["word"], found["word"].lower(), found["next"]
    if len(word) == 1:
        return LEVEL_LETTERS.get(word) if timed and after == " " else None
    level = LEVEL_WORDS.get(small)
    if level is None:
        return None
    if word.isupper():
        return level if small not in _ORDINARY_WORDS or timed or after in (":", "|") else None
    if names <= 1 and (after in ("|", "\t", "]") or found["mark"]):
        return level
    if _OF_GO.match(found.string, found.start()):
        return None
    if names <= 1 and after == ":" and small in _WITH_COLON and _ends_or_spaces(found):
        return level
    return level if names == 0 and small in _WITHOUT_MARK and (word.islower() or timed) else None


def _ends_or_spaces(found: re.Match[str]) -> bool:
    return found.string[found.end() + 1 : found.end() + 2] in ("", " ", "\t")


def _may_be_a_name(found: re.Match[str], *, timed: bool) -> bool:
    """Whether a word is a logger, a host or a thread: a mark follows it, or a time came before."""
    return timed or found["colon"] is not None or found["next"] in "|-[:"


def _ended(text: str, level: Level, end: int, *, begun: bool) -> Prefix:
    process = _PROCESS.match(text, end) if begun else None
    end = process.end() if process else end
    while end < len(text) and text[end] in " \t:|]-,/>":
        end += 1
    return Prefix(level, end)
