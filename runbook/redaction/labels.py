"""Values under a label: `API_KEY=…`, `"password": "…"`, `map[Authorization:[…]]`, `- name: TOKEN` with
`value:`.

All notations of labels that programs print are read here; `names` knows which names are secret,
`label_values` where a value ends.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from runbook.redaction.marks import Span
from runbook.redaction.names import SecretName, secret_name
from runbook.redaction.values.label_values import ValueReader
from runbook.redaction.words import looks_secret, word_set

NAME_KEYS = word_set(
    """
    name key header headername field param parameter variable var env label k option property attribute
    setting path n id parameterkey parametername
    """
)
"""Keys whose value is the name of what stands under one of `VALUE_KEYS`."""

VALUE_KEYS = word_set(
    """
    value val v values content parametervalue default defaultvalue stringvalue newvalue oldvalue
    """
)

_FAR = 300
"""Characters between a name and its value that belong together."""

_ANSI = r"\x1b\[[\d;]*m|\\(?:x1[bB]|u001[bB]|033|e)\[[\d;]*m|\[\d[\d;]{0,8}m"
_GAP = rf"(?:[ \t\x0b\x0c\u00a0\u200b\ufeff]|{_ANSI})*+"
_CLOSE = r"(?:\\{0,15}[\"'`]|%(?:25){0,3}(?:22|27|5[Dd])|\]|&quot;|&\#3[49];|\*\*|[”’])"
_LABEL = re.compile(
    rf"(?:(?<![\w.-])|(?<=\[\dm)|(?<=[\[;]\d\dm)|(?<=;\dm)|(?<=%20))-*+(?P<name>\w[\w.-]*+)(?P<close>{_CLOSE}{{0,4}}){_GAP}"
    rf"(?P<separator>:=|=>|={{1,3}}|:(?!//|:)|->|%(?:25){{0,3}}3[AaDd]|(?P<comma>,)"
    rf"|;s:\d+:(?=\")|[ ]?(?P<brace>(?=\{{[ ]?\w+:[ ]?))|(?P<call>(?=\()))"
    rf"{_GAP}(?:%(?:25){{0,3}}20|\*{{1,2}}[ ])*+"
)
_SETTING = re.compile(r"(?:set|with|new|use|add)(?=[A-Z_])|[A-Z][a-z]|(?:pass\w+|pwd|secret|token|api_?key)$")
"""Names of calls that are given a secret, and of types whose values print so; others get one."""

_QUOTED_NEXT = re.compile(r"[bBuU]?\\{0,15}[\"']")
_ESCAPED = re.compile(r"(?:[nrtbfv0]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})(?=\w)")
_ENCODED = re.compile(r"(?:25){0,3}[0-9A-Fa-f]{2}(?=\w)")
_COLOUR = re.compile(r"[\d;]*m(?=\w)")
_WORD_BEFORE = re.compile(r"[^\W\d_]+[ ]$")
_SECOND_WORDS = frozenset(
    (
        *("key", "keys", "code", "codes", "phrase", "id", "word", "passe", "secreta"),
        *("\u0627\u0644\u0645\u0631\u0648\u0631", "\u0627\u0644\u0633\u0631"),
    )
)
"""Words that name a secret together with the word before them."""

_ARROW = re.compile(r"[\"'`]?[ ]{0,3}(?:->|=>|\u2192)[ ]{0,3}(?=\S)")
_ANNOTATION = re.compile(r"[\w.-]+/$")
_WORD = re.compile(r"[A-Za-z-]+")
_ARTICLE = re.compile(
    r"\b(?:a|an|the|this|that|your|its|no|any|each|every|of|with|without)[ ]$", re.IGNORECASE
)
_NEXT_WORDS = re.compile(r"[a-z]+ (?:[a-z]+\b|=)")
_NEW_ITEM = re.compile(r"(?:\n|[ \t])-[ ]$")
"""The sign of a list's next item; that of a diff stands farther away from the key."""

_TEST = re.compile(r"[ ]?(?:Test|Benchmark|Example|Fuzz)[A-Z_]\w*")
"""What Go's tests print after `PASS:`."""

_ACCOUNT = re.compile(r":\d{12}:$")


class _Pending(NamedTuple):
    """Half of a pair: a name without its value yet, or a value without its name."""

    secret: SecretName | None
    start: int
    end: int


def find_labelled(text: str) -> Iterator[Span]:
    """All values that stand under a secret name."""
    reader, at = ValueReader(text), 0
    name: _Pending | None = None
    value: _Pending | None = None
    while found := _LABEL.search(text, at):
        start = found.start("name")
        label = _cleaned(text, start, found["name"])
        at = found.end()
        if found["comma"] and not (found["close"] and _QUOTED_NEXT.match(text, at)):
            continue
        if found["brace"] is not None and not (label[0].isupper() and label.isalpha() and not found["close"]):
            continue
        secret = _judge(text, start, label)
        if found["call"] is not None:
            if secret and secret.certain and _SETTING.match(label) and not found["close"]:
                spans, at = reader.read_call(at, secret)
                yield from spans
            continue
        if secret is None and not found["comma"]:
            key = label.lower().replace("_", "").replace("-", "")
            if key in VALUE_KEYS:
                if name and name.secret and _belong(text, name.start, name.end, start):
                    secret = name.secret
                value = _Pending(None, start, at)
            elif key in NAME_KEYS:
                named = _named(reader, text, at)
                name = _Pending(named, start, at)
                if named and value and _belong(text, value.start, value.end, start):
                    yield from reader.read(value.end, named, indent=_column(text, value.start))[0]
                value = None
        if secret is None or _is_no_label(text, start, label, secret) or _is_prose(text, start, at):
            continue
        if found["comma"]:
            if _is_list_of_names(reader, text, start, at):
                continue
            secret = secret if secret.line else secret._replace(certain=False)
        spans, after = _read(reader, text, found, secret)
        yield from spans
        if spans or not found["comma"]:
            at = max(at, after)


def _read(reader: ValueReader, text: str, found: re.Match[str], secret: SecretName) -> tuple[list[Span], int]:
    """What to mask of the value under a label, and of the one it was changed to: `a -> b`."""
    column = _column(text, found.start("name"))
    spans, after = reader.read(found.end(), secret, separator=found["separator"], indent=column)
    if spans and (arrow := _ARROW.match(text, after)):
        more, after = reader.read(arrow.end(), secret)
        spans = [*spans, *more]
    return spans, after


def label_before(text: str, at: int) -> SecretName | None:
    """What the label right before `at` says of the value that begins there, if there is a label."""
    start = max(0, at - _FAR)
    if text[start:at].rstrip()[-1:] not in (":", "=", ">", "m", "D", "d", "A", "a"):
        return None
    for found in _LABEL.finditer(text, start, at):
        if found.end() == at and not found["comma"]:
            place = found.start("name")
            label = _cleaned(text, place, found["name"])
            secret = _judge(text, place, label)
            return secret if secret and not _is_no_label(text, place, label, secret) else None
    return None


def _cleaned(text: str, start: int, name: str) -> str:
    """The name without what is left of an escape in front of it: `\\n`, `%22` or the end of a colour."""
    before = text[start - 1] if start else ""
    if before == "\\":
        return _ESCAPED.sub("", name, count=1) if _ESCAPED.match(name) else name
    if before == "%":
        return _ENCODED.sub("", name, count=1) if _ENCODED.match(name) else name
    if before in ("[", ";"):
        return _COLOUR.sub("", name, count=1) if _COLOUR.match(name) else name
    return name


def _judge(text: str, start: int, label: str) -> SecretName | None:
    secret = secret_name(label)
    if secret is None and label.lower() in _SECOND_WORDS:
        before = _WORD_BEFORE.search(text, max(0, start - 24), start)
        if before:
            secret = secret_name(f"{before.group().strip()}_{label}".lower())
            return secret if secret and secret.certain else None
    return secret


def _is_no_label(text: str, start: int, label: str, secret: SecretName) -> bool:
    before = text[max(0, start - 80) : start]
    if before.endswith("[redacted:"):
        return True
    if before.endswith("/") and secret.kind == "secret" and _ANNOTATION.search(before):
        value = re.compile(r"[\s:=\"']*([\w./-]*)").match(text, start + len(label))
        return before.endswith("checksum/") or (value is not None and not looks_secret(value[1]))
    if label == "PASS" and _TEST.match(text, start + len("PASS:")):
        return True
    if secret.kind == "token" and before.lower().endswith(("unexpected ", "next ")):
        return True
    return secret.kind == "secret" and _ACCOUNT.search(before) is not None


def _is_prose(text: str, start: int, at: int) -> bool:
    """Whether a sentence goes on after the label: `no text holds a secret: details are masked`."""
    return (
        _ARTICLE.search(text, max(0, start - 12), start) is not None
        and _NEXT_WORDS.match(text, at) is not None
    )


def _is_list_of_names(reader: ValueReader, text: str, start: int, at: int) -> bool:
    """Whether what follows a quoted name and a comma is a name too, as in a list of headers or fields."""
    quoted = reader.quoted(at)
    if not quoted:
        return True
    content = text[quoted.start : quoted.end]
    if secret_name(content) is not None:
        return True
    is_pair = re.search(r"[(\[]\s*[bBuU]?\\*[\"']$", text[max(0, start - 12) : start]) is not None
    return _WORD.fullmatch(content) is not None and not (
        is_pair and text[quoted.after : quoted.after + 1] in ("]", ")")
    )


def _named(reader: ValueReader, text: str, at: int) -> SecretName | None:
    """What the value of a `name:` says of the value beside it."""
    quoted = reader.quoted(at)
    if quoted:
        name = text[quoted.start : quoted.end]
    else:
        bare = re.compile(r"[\w./-]*").match(text, at)
        name = bare.group() if bare else ""
    secret = secret_name(name.rsplit("/", 1)[-1])
    return secret if secret and secret.certain else None


def _belong(text: str, first: int, first_end: int, second: int) -> bool:
    """Whether two keys stand in the same object: near, and in YAML in the same column."""
    if second - first_end > _FAR:
        return False
    between = text[first_end:second]
    if "\n" in between:
        if _NEW_ITEM.search(between):
            return False
        return _column(text, first) == _column(text, second) or "{" in text[max(0, first - 4) : first]
    return not re.search(r"[})]\s*,", between)


def _column(text: str, at: int) -> int:
    """How far into its line a place is; only lines that are not long count."""
    start = text.rfind("\n", max(0, at - _FAR), at)
    return at - start - 1
