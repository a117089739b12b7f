r"""A text with its encodings undone, and how places in it map back to the original text.

The rules know plain notations of secrets and labels. `&#61;`, `\u005f`, `\x3d`, `%3D`, a full-width sign, a
Cyrillic letter and an accent all hide them from the rules, though not from a reader or a program. So the
rules are tried twice on such text: on the original, and on its views.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from runbook.redaction.marks import Span

_UNIT = re.compile(
    r"(?P<entity>&(?:amp;){0,3}(?P<reference>\#(?:\d{1,9}|[xX][0-9a-fA-F]{1,8})|[A-Za-z]{2,20});)"
    r"|&\#(?P<decimal>3[2-9]|[4-9]\d|1[01]\d|12[0-6])(?![\d;])"
    r"|\\(?P<octal>(?:0[4-7]|1[0-7])[0-7])"
    r"|(?:\\{1,8}(?:u00|u\{0{0,4}|U000000)|%u00)(?P<unicode>[2-7][0-9a-fA-F])\}?|\\{1,8}x(?P<byte>[2-7][0-9a-fA-F])"
    r"|%(?:25){0,3}(?P<percent>[2-7][0-9a-fA-F]|0[aAdD9])"
    r"|\\(?P<sign>[=:])|(?P<plus>(?:(?<=BEGIN)|(?<=RSA)|(?<=EC)|(?<=OPENSSH)|(?<=ENCRYPTED)|(?<=PRIVATE))\+)"
)
_ENTITY = re.compile(
    r"&(?:amp;){0,3}(?:#|equals|colon|lowbar|quot|apos|commat|sol|num|nbsp|amp;|hyphen|dash|period|shy|zw|ZeroWidth|[A-Za-z](?:acute|grave|uml|circ|tilde|cedil);)"
)
_QUOTES = "\"'`"
"""Where `\\u` or `\\x` wrote one, it is one in a quotation, so the view has it behind a backslash."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_LETTERS = re.compile(r"[^\W\d_]+")
_ALIKE = {
    ord(letter): latin
    for latin, letters in {
        "a": "\u0430\u03b1",
        "e": "\u0435",
        "o": "\u043e\u03bf\u00f8",
        "p": "\u0440\u03c1",
        "c": "\u0441",
        "y": "\u0443",
        "x": "\u0445\u03c7",
        "i": "\u0456\u03b9\u0131",
        "j": "\u0458",
        "s": "\u0455",
        "d": "\u0501\u0111",
        "h": "\u04bb\u043d",
        "k": "\u043a\u03ba",
        "m": "\u043c",
        "t": "\u0442\u03c4",
        "b": "\u0432",
        "r": "\u0433",
        "n": "\u043f",
        "q": "\u051b",
        "w": "\u051d",
        "z": "\u0437",
        "A": "\u0410\u0391",
        "B": "\u0412\u0392",
        "E": "\u0415\u0395",
        "K": "\u041a\u039a",
        "M": "\u041c\u039c",
        "H": "\u041d\u0397",
        "O": "\u041e\u039f\u00d8",
        "P": "\u0420\u03a1",
        "C": "\u0421",
        "T": "\u0422\u03a4",
        "Y": "\u0423\u03a5",
        "X": "\u0425\u03a7",
        "I": "\u0406\u0399",
        "J": "\u0408",
        "S": "\u0405",
        "Z": "\u0396",
        "N": "\u039d",
        "v": "\u03bd",
        "u": "\u03c5",
        "l": "\u0142",
        "L": "\u0141",
        "D": "\u0110",
    }.items()
    for letter in letters
}
"""Cyrillic, Greek and other letters, by the Latin ones that they look like."""

_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"), "-")
_INVISIBLE = frozenset(
    "\xad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
)


class View(NamedTuple):
    """A decoded text, and for each of its characters the place in the original text."""

    text: str
    starts: list[int]
    ends: list[int]

    def back(self, spans: Iterable[Span]) -> Iterator[Span]:
        """The same spans in the original text."""
        for start, end, kind in spans:
            if start < end:
                yield Span(self.starts[start], self.ends[end - 1], kind)


def views_of(text: str) -> Iterator[View]:
    """The views that differ from the text."""
    if "%" in text or "\\" in text or ("&" in text and _ENTITY.search(text)):
        decoded = _decoded(text)
        if decoded is not None:
            yield decoded
            if not decoded.text.isascii() and (folded := _folded(decoded.text)):
                yield View(
                    folded.text,
                    [decoded.starts[at] for at in folded.starts],
                    [decoded.ends[at - 1] for at in folded.ends],
                )
    if ("[" in text or "\0" in text) and (uncoloured := _uncoloured(text)) is not None:
        yield uncoloured
    if not text.isascii():
        folded = _folded(text)
        if folded is not None:
            yield folded


_COLOUR = re.compile(
    r"(?:\x1b|\x9b|\^\[|\\(?:x1[bB]|u001[bB]|033|e))\[[0-9;]{0,20}[mK]"
    r"|(?<![\x00-\x1f])\x00(?=[\x20-\x7e]\x00[\x20-\x7e])|(?<=[\x20-\x7e]\x00[\x20-\x7e])\x00"
)
"""The code of a colour, also as programs spell it out, and what UTF-16 has beside each plain letter."""


def _uncoloured(text: str) -> View | None:
    """The text without colours, so that nothing stands in the middle of a label or a secret."""
    pieces: list[str] = []
    starts: list[int] = []
    at = 0
    for found in _COLOUR.finditer(text):
        pieces.append(text[at : found.start()])
        starts += range(at, found.start())
        at = found.end()
    if not at:
        return None
    pieces.append(text[at:])
    starts += range(at, len(text))
    return View("".join(pieces), starts, [place + 1 for place in starts])


def plain_letters(text: str) -> str:
    """The text with letters that look alike made the same, and without accents and invisible characters."""
    return text if text.isascii() else _LETTERS.sub(_latin, "".join(map(_plain, text)))


def _decoded(text: str) -> View | None:
    """Entities, escapes and percent-encoding undone; `None` where there is nothing to undo."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for found in _UNIT.finditer(text):
        sign = _sign(found)
        if sign is None:
            continue
        start, end = found.span()
        pieces += [text[at:start], sign]
        starts += [*range(at, start), *[start] * len(sign)]
        ends += [*range(at + 1, start + 1), *[end] * len(sign)]
        at = end
    if not at:
        return None
    pieces.append(text[at:])
    starts += range(at, len(text))
    ends += range(at + 1, len(text) + 1)
    return View("".join(pieces), starts, ends)


def _sign(found: re.Match[str]) -> str | None:
    kind = found.lastgroup
    if found["entity"]:
        sign = html.unescape(f"&{found['reference']};")
        return None if sign.startswith("&") and len(sign) > 1 else sign.replace("\u00a0", " ")
    if kind == "plus":  # of a private key in a form
        return " "
    if kind == "sign":
        return found["sign"]
    if found["decimal"]:
        return chr(int(found["decimal"]))
    if found["octal"]:
        return chr(int(found["octal"], 8))
    code = found["unicode"] or found["byte"] or found["percent"]
    sign = chr(int(code, 16))
    return f"\\{sign}" if kind != "percent" and sign in _QUOTES else sign


def _folded(text: str) -> View | None:
    """Letters that look alike made the same, full-width signs made plain, invisible characters left out."""
    pieces: list[str] = []
    starts: list[int] = []
    at = 0
    for found in _NOT_ASCII.finditer(text):  # a long text has few
        place = found.start()
        plain = _plain(found.group())
        pieces += [text[at:place], plain]
        starts += range(at, place)
        starts += [place] * len(plain)
        at = place + 1
    pieces.append(text[at:])
    starts += range(at, len(text))
    folded = "".join(pieces)
    if not folded.isascii():
        folded = _LETTERS.sub(_latin, folded)
    if folded == text:
        return None
    return View(folded, starts, [place + 1 for place in starts])


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    if letter in _INVISIBLE:
        return ""
    if letter == "\u00a0":
        return " "
    if letter in "\u2028\u2029\x85":
        return " "
    decomposed = unicodedata.normalize("NFKD", letter)
    bare = "".join(part for part in decomposed if not unicodedata.combining(part))
    return unicodedata.normalize("NFC", bare or decomposed).translate(_HYPHENS)


def _latin(found: re.Match[str]) -> str:
    """A word with some Latin letters, read as if all its letters were Latin."""
    word = found.group()
    if word.isascii() or not any(letter < "\x80" for letter in word):
        return word
    return word.translate(_ALIKE)
