"""YAML as text: the data of Secrets is masked, and what was YAML stays YAML.

A mark begins with a bracket, which begins a list in YAML. So where a text is YAML, a value that begins with
a mark is quoted. Lines of logs that only look like `name: value` are left as they are.
"""

import re
from collections.abc import Iterator

from runbook.redaction.marks import MARK, Span

KIND = "secret-data"

_MEMBER = re.compile(
    r"[ \t]*(?:- +)*(?P<key>\"[^\"]*\"|'[^']*'|[\w./$~-]+) *:(?=[ \t]|$)[ \t]*(?P<value>.*)$"
)
_NO_MEMBER = re.compile(r"[ \t]*(?:#.*|---.*|\.\.\.|%.*|(?:- *)+(?:[^\s:]*|[\"'].*[\"']|[^:]*|.*\S:\S.*))$")
_BLOCK = re.compile(r"(?:![\w:./-]+ +|&\w+ +)*[|>][+-]?\d?[+-]? *(?:#.*)?$")
_PLAIN_MARK = re.compile(
    rf"(?P<head>[ \t]*(?:- +)*(?:[\w./\"'$~-]+ *:[ \t]+)?)(?P<value>{MARK.pattern}.*?)"
    r"(?P<tail>[ \t]*(?: #.*)?)$"
)
_MARKED_KEY = re.compile(
    rf"(?P<head>[ \t]*(?:- +)*)(?P<value>{MARK.pattern}[^:\"']*)(?P<tail>:(?:[ \t].*)?)$"
)
_FLOW = re.compile(r"[ \t]*(?:- +)*(?:[\w./\"'$~-]+ *:[ \t]+)?[\[{](?!redacted:)")
_IN_FLOW = re.compile(
    rf"(?<=[\[{{,:\s])(?P<value>[^\s,\[\]{{}}\"':]*{MARK.pattern}(?:[^,\[\]{{}}\"'\n]|{MARK.pattern})*?)(?=\s*[,\]}}])"
)
_SCALAR = re.compile(r"(?P<quote>[\"']?)(?P<value>.*?)(?P=quote)[ \t\r]*$")


def find_secret_data(text: str) -> Iterator[Span]:
    """The values under `data` and `stringData` of every Secret among YAML documents."""
    mappings: dict[int, _Mapping] = {}
    at = 0
    for line in text.split("\n"):
        body = line.lstrip(" ")
        indent = len(line) - len(body)
        item = len(body) - len(body.lstrip("- ")) if body.startswith("- ") else 0
        if body.strip() and not body.startswith("#"):
            limit = -1 if body.startswith(("---", "...")) else indent
            for column in [
                column for column in mappings if column > limit or (item and column == indent and limit >= 0)
            ]:
                yield from mappings.pop(column).spans()
            for mapping in mappings.values():
                mapping.add(at + indent, at + len(line), indent)
            if found := _MEMBER.match(line):
                column = found.start("key")
                mapping = mappings.setdefault(column, _Mapping(column))
                mapping.enter(found["key"].strip("\"'"), found["value"].strip())
        at += len(line) + 1
    for mapping in mappings.values():
        yield from mapping.spans()


class _Mapping:
    """An object of YAML whose keys begin in one column."""

    def __init__(self, column: int) -> None:
        self._column = column
        self._is_secret = False
        self._in_data = False
        self._lines: list[tuple[int, int]] = []

    def enter(self, key: str, value: str) -> None:
        """Begin with a member."""
        if key == "kind" and value.strip("\"'") == "Secret":
            self._is_secret = True
        self._in_data = key in ("data", "stringData") and (not value or value.startswith("#"))

    def add(self, start: int, end: int, indent: int) -> None:
        """A line; it is a member's data if it is further in."""
        if self._in_data and indent > self._column:
            self._lines.append((start, end))

    def spans(self) -> Iterator[Span]:
        """What is to be masked, if this is a Secret."""
        return iter([Span(start, end, KIND) for start, end in self._lines] if self._is_secret else [])


def values_of(text: str, spans: Iterator[Span]) -> Iterator[Span]:
    """Of lines `key: value`, the values; of other lines, such as those of a block, all of it."""
    for start, end, kind in spans:
        found = _MEMBER.match(text, start, end) if True else None
        if not found:
            yield Span(start, end, kind)
            continue
        value = found["value"]
        if not value.strip() or _BLOCK.match(value):
            continue
        scalar = _SCALAR.match(value)
        if scalar and scalar["value"]:
            yield Span(
                found.start("value") + scalar.start("value"), found.start("value") + scalar.end("value"), kind
            )


def quoted_marks(text: str) -> str:
    """The text with quotes around values that begin with a mark, if it is YAML of more than one line."""
    lines = text.split("\n")
    blocks = _lines_of_blocks(lines)
    if blocks is None:
        return text
    return "\n".join(
        line if index in blocks or "[redacted:" not in line else _quoted(line)
        for index, line in enumerate(lines)
    )


def _quoted(line: str) -> str:
    for pattern in (_MARKED_KEY, _PLAIN_MARK):
        found = pattern.fullmatch(line)
        if found:
            value = found["value"].replace("'", "''")
            return f"{found['head']}'{value}'{found['tail']}"
    if _FLOW.match(line):
        return _IN_FLOW.sub(lambda found: "'" + found["value"].rstrip().replace("'", "''") + "'", line)
    return line


def _lines_of_blocks(lines: list[str]) -> set[int] | None:
    """The lines that are inside of block scalars; `None` if the lines are no YAML."""
    inside: set[int] = set()
    block, members, full = -1, 0, 0
    for index, line in enumerate(lines):
        body = line.strip()
        if not body:
            continue
        indent = len(line) - len(line.lstrip(" "))
        if block >= 0 and indent > block:
            inside.add(index)
            continue
        block = -1
        full += 1
        member = _MEMBER.match(line)
        if member:
            members += 1
            if _BLOCK.match(member["value"]):
                block = indent
        elif not _NO_MEMBER.match(line) and not _MARKED_KEY.match(line) and not (indent and members):
            return None
    return inside if members and full + len(inside) > 1 else None
