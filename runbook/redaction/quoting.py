"""Where a quoted or a bare value ends, in text of any language and however often it was escaped."""

import re
from functools import lru_cache
from typing import NamedTuple

from runbook.redaction.marks import MARK


class Quoted(NamedTuple):
    """A quoted text: its content, and where to read on after the closing quote."""

    start: int
    end: int
    after: int


_QUOTE = re.compile(
    r"(?:[bBrRuUfF]{1,2}|[@&*])?(?P<delimiter>(?P<slashes>\\{0,15})(?P<quote>\"\"\"|'''|[\"'`])"
    r"|%(?:25){0,3}2[27]|&quot;|&\#3[49];|[\u201c\u2018\u201e])"
)
_CLOSING = {"\u201c": "\u201d", "\u2018": "\u2019", "\u201e": "\u201c"}

# A comma, an ampersand and so on end a value only where something begins after them: passwords have them too.
_PART = (
    rf"{MARK.pattern}|[^\s\"'`\\,;&|<>()\[\]{{}}\x1b.:%]++|[.:]++(?![\s\"'`,;)\]}}|<\\]|$)"
    r"|[,|](?!\s|$|[\"'\[{]|[\w.\[\]%-]{1,60}[\"']?\s?[=:])|;(?!\s|$|[\"']|[\w.-]{1,60}=|[A-Z][\w .-]{1,60}=)"
    r"|&(?!\s|$|[\"']|(?:amp|quot|apos|lt|gt|\#\d+);|[\w.%\[\]-]{1,60}=)"
    r"|[)\]}>](?![\s,;:.)\]}\"'`|&<>\[{\\]|$)|[(\[{]|<(?!/|\w+/?>|!)|[\"'`](?=\w)"
    r"|\\(?![nrtbfvx\"'`\\u0]|$)|\\\\(?![nrt\"'`\\]|$)|\\u(?!00(?:22|27|0[aAdD]|1[bB]|3[cC]))"
)
_BARE = re.compile(rf"(?:{_PART}|%)++")
_BARE_ENCODED = re.compile(rf"(?:{_PART}|%(?!(?:25){{0,3}}(?:2[0267bBcC]|7[dD]|5[dD]|0[9aAdD]|3[bB])))++")
_LINE = re.compile(
    r"(?:=\\{0,7}\"[^\"\r\n\\]*+(?:\\{0,7}\"|(?=[\r\n]|$))|='[^'\r\n\\]*+(?:'|(?=[\r\n]|$))"
    r"|[^\"'\r\n\\]|\\(?![nr\"'\\]))++"
)


def find_quoted(text: str, at: int) -> Quoted | None:
    """The quoted text that begins there; `None` if nothing is quoted.

    What is not closed ends with its line, or where the quotation around it ends.
    """
    opening = _QUOTE.match(text, at)
    if not opening:
        return None
    delimiter = opening["delimiter"]
    content = _content(delimiter, len(opening["slashes"] or ""), opening["quote"] or "")
    found = content.match(text, opening.end())
    end = found.end() if found else opening.end()
    closing = _CLOSING.get(delimiter, delimiter)
    return Quoted(opening.end(), end, end + len(closing) if text.startswith(closing, end) else end)


def end_of_bare(text: str, at: int, *, encoded: bool = False) -> int:
    """Where a value without quotes ends. `encoded`: an encoded quote or `&` ends it too."""
    found = (_BARE_ENCODED if encoded else _BARE).match(text, at)
    return found.end() if found else at


def end_of_line(text: str, at: int) -> int:
    """Where the value of a header ends: with the line, or with the quotation that the header stands in."""
    found = _LINE.match(text, at)
    return at + len(found.group().rstrip()) if found else at


@lru_cache(maxsize=64)
def _content(delimiter: str, slashes: int, quote: str) -> re.Pattern[str]:
    if delimiter.startswith("%"):
        return re.compile(r"(?:(?!%(?:25){0,3}2[27])[^\s&])*+")
    if not quote:
        return re.compile(rf"(?:(?!{re.escape(_CLOSING.get(delimiter, delimiter))})[^\r\n])*+")
    if len(quote) > 1:
        return re.compile(rf"(?:(?!{quote})[^\r\n])*+")
    if slashes:
        return re.compile(rf"(?:\\{{{slashes + 1},40}}{quote}|(?!\\{{0,40}}{quote})[^\r\n])*+")
    return re.compile(rf"(?:[^{quote}\\\r\n]|\\.|{quote}{quote}?(?=\w))*+")
