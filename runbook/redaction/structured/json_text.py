"""JSON in texts: found, read, masked and written back to its place, with nothing else in the text changed."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from runbook.redaction.structured.structure import Members, Number, leaves

_START = re.compile(r"\{\s*+\"|\[\s*+(?:[\[{\"]|-?\d|null\b|true\b|false\b|NaN\b|-?Infinity\b)")
_STRING = r"\"(?:[^\"\\]|\\(?:[\"\\/bfnrt]|u[0-9a-fA-F]{4}))*+\""
_TOKEN = re.compile(
    rf"\s*+(?:(?P<string>{_STRING})|(?P<mark>[\[\]{{}},:])|(?P<number>-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?)"
    r"|(?P<word>true|false|null|NaN|-?Infinity))"
)
_SUBSCRIPT = re.compile(r"[ \t]*=")
"""After a list that is an index: `config["password"] = …`, as PHP and Python write it."""

_WORDS = {"true": True, "false": False, "null": None}
_OPENING, _CLOSING = "{[", {"}": "{", "]": "["}


class Document(NamedTuple):
    """A JSON value in a text. `end` is exclusive; `places` are those of its keys and scalars."""

    start: int
    end: int
    value: Any
    places: list[tuple[int, int]]


class _NoJson(Exception):
    """The text is not JSON from this place on."""

    def __init__(self, at: int) -> None:
        self.at = at


def find_documents(text: str) -> Iterator[Document]:
    """All JSON objects and lists in the text that are not part of another one.

    Text that proves not to be JSON is not read twice, so brackets in a text do not slow this down. A control
    character in a string is accepted.
    """
    at = 0
    while found := _START.search(text, at):
        try:
            document = _read(text, found.start())
        except _NoJson as broken:
            at = max(found.start() + 1, broken.at)
        else:
            at = document.end
            if text[document.start] == "{" or not _SUBSCRIPT.match(text, at):
                yield document


def _read(text: str, start: int) -> Document:
    """The document that begins there, read without recursion, because some are nested very deep."""
    places: list[tuple[int, int]] = []
    stack: list[tuple[str, Any]] = []
    at, key, wanted = start, "", "value"
    while True:
        token = _TOKEN.match(text, at)
        if token is None:
            raise _NoJson(at)
        at = token.end()
        mark, string = token["mark"], token["string"]
        if mark is None:
            if wanted == "key" or wanted == "key or end":
                if string is None:
                    raise _NoJson(at)
                key, wanted = _decoded(string), ":"
                places.append(token.span("string"))
                continue
            if wanted not in ("value", "value or end"):
                raise _NoJson(at)
            value: Any = _decoded(string) if string is not None else _scalar(token)
            places.append((at - len(token.group().lstrip()), at))
            _put(stack, key, value)
            wanted = ", or end"
        elif mark in _OPENING and wanted in ("value", "value or end"):
            opened: Any = Members() if mark == "{" else []
            if stack:
                _put(stack, key, opened)
            stack.append((mark, opened))
            wanted = "key or end" if mark == "{" else "value or end"
        elif mark in _CLOSING and stack and stack[-1][0] == _CLOSING[mark] and wanted.endswith("or end"):
            _, closed = stack.pop()
            if not stack:
                return Document(start, at, closed, places)
            wanted = ", or end"
        elif mark == "," and wanted == ", or end":
            wanted = "key" if stack[-1][0] == "{" else "value"
        elif mark == ":" and wanted == ":":
            wanted = "value"
        else:
            raise _NoJson(at)


def _put(stack: list[tuple[str, Any]], key: str, value: Any) -> None:
    kind, within = stack[-1]
    within.append((key, value) if kind == "{" else value)


def _decoded(literal: str) -> str:
    if "\\" not in literal:
        return literal[1:-1]
    decoded: str = json.loads(literal, strict=False)
    return decoded


def _scalar(token: re.Match[str]) -> Any:
    word = token["word"]
    return _WORDS[word] if word in _WORDS else Number(word or token["number"])


def written_back(text: str, document: Document, masked: Any) -> str:
    """The document's text with the masked keys and scalars in the places of those that were read."""
    pieces, written = [], document.start
    for (start, end), old, new in zip(document.places, leaves(document.value), leaves(masked), strict=True):
        if new is old or new == old:
            continue
        pieces += [text[written:start], json.dumps(str(new), ensure_ascii=text[start:end].isascii())]
        written = end
    return "".join([*pieces, text[written : document.end]])


def masked_string(text: str, mask: Callable[[str], str]) -> str | None:
    """The masked text if it is one JSON string, else `None`."""
    stripped = text.strip()
    if len(stripped) < 2 or stripped[0] != '"' or stripped[-1] != '"':
        return None
    token = _TOKEN.fullmatch(stripped)
    if token is None or token["string"] is None:
        return None
    value = _decoded(stripped)
    masked = mask(value)
    if masked == value:
        return text
    start = text.index('"')
    literal = json.dumps(masked, ensure_ascii=stripped.isascii())
    return f"{text[:start]}{literal}{text[start + len(stripped) :]}"
