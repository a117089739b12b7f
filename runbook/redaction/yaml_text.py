"""The data of Secrets in YAML that is not read as data, since other text stands around it."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span

KIND = "secret-data"

_MEMBER = re.compile(
    r"[ \t]*(?:- +)*(?P<key>\"[^\"]*\"|'[^']*'|[\w./$~-]+) *:(?=[ \t]|$)[ \t]*(?P<value>.*)$"
)
_BLOCK = re.compile(r"(?:![\w:./-]+ +|&\w+ +)*[|>][+-]?\d?[+-]? *(?:#.*)?$")
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
        found = _MEMBER.match(text, start, end)
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
