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
                column
                for column, mapping in mappings.items()
                if column > limit or (item and column == indent and limit >= 0 and not mapping.opens_list)
            ]:
                closed = mappings.pop(column)
                yield from closed.spans()
                for outer in mappings.values():
                    outer.take(closed)
            for mapping in mappings.values():
                mapping.add(at + indent, at + len(line), indent)
            if found := _MEMBER.match(line):
                column = found.start("key")
                mapping = mappings.setdefault(column, _Mapping(column))
                mapping.enter(found["key"].strip("\"'"), found["value"].strip())
        at += len(line) + 1
    for column in sorted(mappings, reverse=True):
        closed = mappings.pop(column)
        yield from closed.spans()
        for outer in mappings.values():
            outer.take(closed)


class _Mapping:
    """An object of YAML whose keys begin in one column."""

    def __init__(self, column: int) -> None:
        self._column = column
        self._is_secret = self._is_list = False
        self.opens_list = False
        self._in_data = False
        self._lines: list[tuple[int, int]] = []
        self._of_items: list[tuple[int, int]] = []

    def enter(self, key: str, value: str) -> None:
        """Begin with a member."""
        if key == "kind" and value.strip("\"'") == "Secret":
            self._is_secret = True
        if key == "kind" and value.strip("\"'") == "SecretList":
            self._is_list = True
        self.opens_list = not value or value.startswith("#")
        self._in_data = key in ("data", "stringData") and self.opens_list

    def add(self, start: int, end: int, indent: int) -> None:
        """A line; it is a member's data if it is further in."""
        if self._in_data and indent > self._column:
            self._lines.append((start, end))

    def take(self, within: "_Mapping") -> None:
        """The data of an object further in, which is a Secret's if this is a list of Secrets."""
        self._of_items += within._lines + within._of_items

    def spans(self) -> Iterator[Span]:
        """What is to be masked, if this is a Secret or a list of them."""
        lines = (self._lines if self._is_secret else []) + (self._of_items if self._is_list else [])
        return iter([Span(start, end, KIND) for start, end in lines])


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
