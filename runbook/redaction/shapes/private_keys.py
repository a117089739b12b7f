"""Private keys in PEM, OpenPGP and PuTTY files, also where each line of them is a line of a log.

Only lines of the key are masked. What other pods wrote between them stays: a line belongs to the key where
what stands before and after its base64 is the same as around the line `-----BEGIN …`, but for digits.
"""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.shapes.rules import has_both_cases

KIND = "private-key"

PRIVATE_KEY_NEEDLES = ("PRIVATE KEY", "LS0tLS1CRUdJTi", "Private-Lines:")
"""A text with none of these has no private key."""

_BEGIN = re.compile(r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?(?: ?-{4,5})?")
_END = re.compile(r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?(?: ?-{4,5})?")
_ENCODED_BEGIN = re.compile(
    r"(?<![A-Za-z0-9+/])LS0tLS1CRUdJTi(?:BSU0EgUFJJVk|BQUklWQVRF|BFQyBQUklWQV|BPUEVOU1NIIFBS|BEU0EgUFJJVk|BFTkNSWVBURUQg|BQR1AgUFJJVk)"
    r"[A-Za-z0-9+/=_-]*+"
)
_GLUE = re.compile(
    r"(?:[ \t]|\\{1,8}[nrt]|\\u000[aAdD]|%(?:25)?0[aAdD]|%(?:25)?20|[\"'] ?\+? ?\\?[\"']"
    r"|(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash): ?[\w,./@() -]{0,80}?(?=\\|[\"'\r\n]|$))*+"
)
"""What stands between the lines of a key that is on one line, such as escaped line feeds."""

_BASE64 = re.compile(
    r"=?(?:[A-Za-z0-9+/_-]|\\{1,8}/|\\u00(?:2[bB]|3[dD])|%(?:25)?(?:2[bBfF]|3[dD]))+={0,2}|={1,2}"
)
_HEADER = re.compile(r"(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash): ?[\w,./@() -]{0,80}")
_UNQUOTED = re.compile(r"(?<!\\)\"(?! ?\+? ?\")")
"""The end of the string that a key stands in; what comes after it is something else."""

_ESCAPE = re.compile(r"u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbf]")
_BACKWARDS = re.compile(r"(?:[nr]\\{1,8}|[A-Za-z0-9+/=])*+")
_DIGITS = re.compile(r"\d+")
_WORDLIKE = 16
"""Shorter base64 of small letters alone may be a word."""

_FULL_LINE = 48
_FAR = 4000
_MOST_OPEN = 8
_MOST_FOREIGN = 50
"""Lines of others in a row, after which a key is taken to be over."""

_MOST_BACK = 120
"""Lines before a lone end of a key that are looked at."""

_PUTTY = re.compile(
    r"(?P<head>Private-Lines: *(?P<lines>\d{1,3})\r?\n)(?P<value>(?:[A-Za-z0-9+/=]+\r?\n?){1,120})"
)


def find_private_keys(text: str) -> Iterator[Span]:
    """All private keys of the text, each line as a span of its own where other text is between them."""
    if "PRIVATE KEY" in text:
        yield from _in_lines(text)
    if "LS0tLS1CRUdJTi" in text:
        for found in _ENCODED_BEGIN.finditer(text):
            yield Span(*found.span(), KIND)
    if "Private-Lines:" in text:
        for found in _PUTTY.finditer(text):
            value = found["value"].rstrip()
            yield Span(found.start("value"), found.start("value") + len(value), KIND)


def is_key_line(text: str) -> bool:
    """Whether a text, found after the beginning of a key, can be a line of it."""
    return _BASE64.fullmatch(text.strip()) is not None or _HEADER.fullmatch(text) is not None


class _OpenKey:
    """A key whose end was not read yet, and the text around its base64 in each line."""

    def __init__(self, before: str, after: str) -> None:
        self.before, self.after = _shape(before), _shape(after)
        self.foreign = 0
        self.longest = 0
        self.complete = False

    def middle(self, text: str, start: int, end: int) -> tuple[int, int] | None:
        """The line without what surrounds the base64; `None` if it is not like the other lines of this key.

        A key that begins within a line may go on in lines of its own.
        """
        line = text[start:end]
        if not self.longest and not self.foreign and self.before.strip() and _BASE64.fullmatch(line.strip()):
            self.before = self.after = ""
        shape = _shape(line)
        if len(shape) < len(self.before) + len(self.after):
            return None
        if not shape.startswith(self.before) or not shape.endswith(self.after):
            return None
        first = start + _reach(line, len(self.before))
        last = end - _reach(line[::-1], len(self.after))
        while first < last and text[first] in " \t":
            first += 1
        while first < last and text[last - 1] in " \t\r\"',":
            last -= 1
        return (first, last) if first <= last else None

    def takes(self, token: str) -> bool:
        """Whether the token is the next line of the key."""
        if self.complete or not _BASE64.fullmatch(token):
            return _HEADER.fullmatch(token) is not None
        if len(token) < _WORDLIKE and (self.foreign or (token.isalpha() and token.islower())):
            return False
        if len(token) < min(self.longest, _FULL_LINE):
            self.complete = not token.startswith("=")
        self.longest = max(self.longest, len(token))
        return True


def _in_lines(text: str) -> Iterator[Span]:
    spans: list[tuple[int, int]] = []
    keys: list[_OpenKey] = []
    at = 0 if "\n" not in text else text.rfind("\n", 0, text.index("PRIVATE KEY")) + 1
    while at <= len(text):
        eol = text.find("\n", at)
        eol = len(text) if eol < 0 else eol
        if "PRIVATE KEY" in text[at:eol]:
            _read_marker_line(text, at, eol, keys, spans)
        elif keys:
            _read_line(text, at, eol, keys, spans)
        elif (following := text.find("PRIVATE KEY", eol)) >= 0:
            eol = text.rfind("\n", eol, following)
            eol = following if eol < 0 else eol
        else:
            break
        at = eol + 1
    return _joined(text, spans)


def _read_marker_line(
    text: str, at: int, eol: int, keys: list[_OpenKey], spans: list[tuple[int, int]]
) -> None:
    place = at
    while True:
        begin = _BEGIN.search(text, place, eol)
        end = _END.search(text, place, eol)
        if end and (not begin or end.start() < begin.start()):
            _close(text, at, place, end, eol, keys, spans)
            place = end.end()
        elif begin:
            close = _END.search(text, begin.end(), eol)
            again = _BEGIN.search(text, begin.end(), eol)
            is_one = close and _UNQUOTED.search(text, begin.end(), close.start()) is None
            if close and is_one and not (again and again.start() < close.start()):
                spans.append((begin.start(), close.end()))
                place = close.end()
                continue
            last = _material(text, begin.end(), eol)
            spans.append((begin.start(), last))
            place = last
            if not again:
                keys.append(_OpenKey(text[at : begin.start()], text[last:eol].rstrip("\r ")))
                del keys[:-_MOST_OPEN]
        else:
            return


def _material(text: str, at: int, eol: int) -> int:
    """Where the base64 that follows on the same line ends."""
    last = at
    while True:
        glue = _GLUE.match(text, last, eol)
        start = glue.end() if glue else last
        token = _BASE64.match(text, start, eol)
        if not token:
            return last
        value = token.group()
        if len(value) < _WORDLIKE and value.isalpha() and (value.islower() or value.istitle()):
            return last
        last = token.end()


def _read_line(text: str, at: int, eol: int, keys: list[_OpenKey], spans: list[tuple[int, int]]) -> None:
    if not text[at:eol].strip():
        return
    for key in reversed(keys):
        middle = key.middle(text, at, eol)
        if middle and middle[0] == middle[1]:
            return
        if middle and key.takes(text[middle[0] : middle[1]]):
            spans.append(middle)
            key.foreign = 0
            return
    token = text[at:eol].rstrip().rpartition(" ")[2]
    if (
        len(token) >= _FULL_LINE
        and _BASE64.fullmatch(token)
        and has_both_cases(token)
        and token.count("/") < len(token) / 8
    ):
        start = at + len(text[at:eol].rstrip()) - len(token)
        spans.append((start, start + len(token)))
    for key in keys:
        key.foreign += 1
    keys[:] = [key for key in keys if key.foreign <= _MOST_FOREIGN]


def _close(
    text: str,
    at: int,
    place: int,
    end: re.Match[str],
    eol: int,
    keys: list[_OpenKey],
    spans: list[tuple[int, int]],
) -> None:
    """The end of a key: of one that is open, or of one whose beginning is not in the text."""
    first = end.start()
    before = _BACKWARDS.match(text[max(place, first - _FAR) : first][::-1])
    length = len(before.group()) if before else 0
    if length >= _WORDLIKE or (length and first - length == at):
        first -= length
        if text[first - 1 : first] == "\\" and (escape := _ESCAPE.match(text, first)):
            first = escape.end()
    spans.append((first, end.end()))
    key = _OpenKey(text[at : end.start()], text[end.end() : eol].rstrip("\r "))
    for known in reversed(keys):
        if known.before == key.before:
            keys.remove(known)
            if known.longest and not known.foreign:
                return
            break
    else:
        if keys and not key.before.strip():
            keys.pop()
    _look_back(text, at, key, spans)


def _look_back(text: str, at: int, key: _OpenKey, spans: list[tuple[int, int]]) -> None:
    """Lines above the end of a key that belong to it, whatever their length."""
    for _ in range(_MOST_BACK):
        if at <= 0:
            return
        start = text.rfind("\n", 0, at - 1) + 1
        middle = key.middle(text, start, at - 1)
        if not middle or middle[0] == middle[1]:
            return
        token = text[middle[0] : middle[1]]
        if not _BASE64.fullmatch(token) or (len(token) < _FULL_LINE and key.longest):
            return
        key.longest = len(token)
        spans.append(middle)
        at = start


def _shape(text: str) -> str:
    return _DIGITS.sub("0", text)


def _reach(line: str, length: int) -> int:
    """Where in the line its shape has reached that length."""
    place = counted = 0
    while counted < length and place < len(line):
        digits = _DIGITS.match(line, place)
        place = digits.end() if digits else place + 1
        counted += 1
    return place


def _joined(text: str, spans: list[tuple[int, int]]) -> Iterator[Span]:
    """Spans with nothing but white space between them are one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and (start <= joined[-1][1] or not text[joined[-1][1] : start].strip()):
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return iter([Span(start, end, KIND) for start, end in joined])
