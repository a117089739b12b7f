"""YAML as data: read, masked and written back to its place, so that a text that was YAML stays YAML.

A mark begins with a bracket, which begins a list in YAML, and what is masked can end in the middle of a
quotation. So scalars are replaced as a whole, quoted. Everything else in the text is left as it was.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import yaml

from runbook.redaction.structured.structure import Members, Number, leaves

LONGEST = 1_000_000
"""Characters: longer texts are not read as YAML."""

DEEPEST = 100
"""Brackets within brackets: the time that YAML's parser takes grows with the square of them."""

_BRACKET = re.compile(r"[\[\]{}]")
_MEMBER = re.compile(
    r"[ \t]*(?:- +)*(?:\"[^\"]*\"|'[^']*'|[^\s#\"'{}\[\],&*!|>%@`-][^#\"'{}\[\]]*?) *:(?=[ \t]|$)"
)
_LINE = re.compile(r"[ \t]*(?:$|#|---|\.\.\.|%|- *|[\]})])")
_OBJECT = re.compile(r"\s*\{\s*[\w./-]+:\s")
_BLOCK = re.compile(r"(?:^|[:-] +)(?:[!&][^\s]+ +)*[|>][+-]?\d?[+-]? *(?:#.*)?$")
_COMMENT = re.compile(r"(#+[ \t]*)([^\n]+)")
_PROPERTIES = re.compile(r"(?:[!&]\S*\s+)*")
_NUMBER = re.compile(
    r"[-+]?(?:0x[0-9a-fA-F]+|0o?[0-7]+|\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+|\.inf|\.nan)"
)
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(
        ("true", "True", "TRUE", "yes", "Yes", "on", "On", "false", "False", "no", "No", "off", "Off"), True
    ),
}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SIMPLE = re.compile(r"[ -~\u00a0-\ud7ff\ue000-\ufffd]*")


class Scalar(NamedTuple):
    """Where a scalar stands in the text, with its tag and anchor, and how it is written there.

    `source` is for an alias: which of the scalars it repeats.
    """

    start: int
    end: int
    style: str
    source: int | None = None


_TRACEBACK = "Traceback (most recent call last):\n"
"""Python's tracebacks have the form of YAML, and are read by people."""


class _NoData(Exception):
    """The text is not YAML that can be written back."""


def looks_like_yaml(text: str) -> bool:
    """Whether the lines of a text may be YAML: several with a member, or one object in braces."""
    if _OBJECT.match(text):
        return text.rstrip().endswith("}")
    if "\n" not in text.strip() or _TRACEBACK in text:
        return False
    block, members, full = -1, 0, 0
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip() or 0 <= block < indent:
            full += bool(line.strip())
            continue
        block = -1
        full += 1
        if _MEMBER.match(line):
            members += 1
        elif not _LINE.match(line) and not (members and indent):
            return False
        if _BLOCK.search(line):
            block = indent
    return members > 0 and full > 1


def read_yaml(text: str) -> tuple[Any, list[Scalar]] | None:
    """The documents of a text as a list, and where their keys and scalars stand; `None` if it is not YAML."""
    if len(text) > LONGEST or not looks_like_yaml(text) or _is_deep(text):
        return None
    try:
        return _read(text)
    except (yaml.YAMLError, UnicodeError, ValueError, _NoData):
        return None


def _is_deep(text: str) -> bool:
    depth = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _read(text: str) -> tuple[Any, list[Scalar]]:
    documents: list[Any] = []
    scalars: list[Scalar] = []
    stack: list[Any] = [documents]
    keys: list[str | None] = [None]
    anchors: dict[str, tuple[int, str]] = {}
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            opened: Any = Members() if isinstance(event, yaml.MappingStartEvent) else []
            _put(stack, keys, opened)
            stack.append(opened)
            keys.append(None)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            stack.pop()
            keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            source = anchors.get(event.anchor or "")
            scalars.append(Scalar(*_place(event), "*", source[0] if source else None))
            _put(stack, keys, source[1] if source else None)
        elif isinstance(event, yaml.ScalarEvent):
            if event.anchor:
                anchors[event.anchor] = (len(scalars), event.value)
            scalars.append(Scalar(*_place(event), event.style or ""))
            is_key = isinstance(stack[-1], Members) and keys[-1] is None
            _put(stack, keys, event.value if is_key or event.style else _scalar(event.value))
    return documents, scalars


def _place(event: yaml.Event) -> tuple[int, int]:
    if event.start_mark is None or event.end_mark is None:
        raise _NoData
    return event.start_mark.index, event.end_mark.index


def _put(stack: list[Any], keys: list[str | None], value: Any) -> None:
    within = stack[-1]
    if not isinstance(within, Members):
        within.append(value)
    elif keys[-1] is not None:
        within.append((keys[-1], value))
        keys[-1] = None
    elif isinstance(value, str):
        keys[-1] = value
    else:
        raise _NoData  # a key that is a list, an object or an alias


def _scalar(value: str) -> Any:
    if value in _WORDS:
        return _WORDS[value]
    return Number(value) if _NUMBER.fullmatch(value) else value


def written_back(
    text: str, documents: Any, scalars: list[Scalar], masked: Any, comment: Callable[[str], str]
) -> str:
    """The text with the masked keys and scalars in the places of those that were read.

    `comment` masks a comment; what else is between scalars cannot hold a secret.
    """
    pieces, written = [], 0
    places = list(zip(scalars, leaves(documents), leaves(masked), strict=True))
    for scalar, old, new in places:
        if (
            scalar.source is not None and new != old
        ):  # what is repeated under a secret name is masked where it is
            first, value, _ = places[scalar.source]
            places[scalar.source] = (first, value, new)
    for scalar, old, new in places:
        pieces.append(_between(text[written : scalar.start], comment))
        raw = text[scalar.start : scalar.end]
        written = scalar.end
        if new is old or new == old or scalar.style == "*":
            pieces.append(raw)
            continue
        kept = _PROPERTIES.match(raw)
        start = kept.end() if kept else 0
        pieces += [raw[:start], _literal(raw[start:], scalar.style, str(new))]
    return "".join([*pieces, _between(text[written:], comment)])


def _between(text: str, comment: Callable[[str], str]) -> str:
    if "#" not in text:
        return text
    return _COMMENT.sub(lambda found: found.group(1) + comment(found.group(2)).replace("\n", " "), text)


def _literal(raw: str, style: str, value: str) -> str:
    head, _, body = raw.partition("\n")
    ending = raw[len(raw.rstrip()) :]
    if style == "|" and not any(letter.isdigit() for letter in head.partition("#")[0]) and body.strip():
        first = next(line for line in body.split("\n") if line.strip())
        indent = first[: len(first) - len(first.lstrip(" "))]
        lines = [f"{indent}{line}" if line else line for line in value.rstrip("\n").split("\n")]
        if not lines[0][len(indent) :].startswith((" ", "\t")) and _SIMPLE.fullmatch(value.replace("\n", "")):
            return "\n".join([head, *lines]) + ending
    if "'" not in value and _SIMPLE.fullmatch(value):
        return f"'{value}'{ending}"
    return json.dumps(value) + ending
