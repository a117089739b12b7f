"""Secrets in SQL and in what databases and their clients print about it."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.names import SecretName, secret_name
from runbook.redaction.values.harmless import stays

_LITERAL = r"[NEBnebx]?'(?P<literal>(?:[^'\\\r\n]|''|\\.)*)'"
_INSERT = re.compile(
    r"\b(?:insert(?:\s+ignore)?|replace)\s+into\s+[\w.\"`\[\]]{1,120}\s*\((?P<columns>[^()]{1,2000})\)\s*values\s*(?=\()",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"\s*(?:[NEBnebx]?'(?P<literal>(?:[^'\\]|''|\\.)*+)'(?:::[\w \[\]]+)?|\$(?P<number>\d{1,3})|"
    r"(?P<bare>[^\s'(),]*))\s*"
    r"(?P<sign>[,)])"
)
_ROWS = 500
_AMONG = re.compile(
    r"(?P<name>[\w.\"`]{2,120})\s+(?:not\s+)?in\s*\((?P<values>[^()]{1,2000})\)|"
    r"\bset\s+(?P<set>password)\s+for\s+\S{1,120}\s*=\s*(?:password\s*\(\s*)?(?P<set_value>'[^'\r\n]*')|"
    r"\bpragma\s+(?P<pragma>(?:hex)?(?:re)?key)\s*=\s*(?P<pragma_value>(?:\"?x)?'[^'\r\n]*')",
    re.IGNORECASE,
)
_ANY_LITERAL = re.compile(_LITERAL)
_KEY = re.compile(
    r"\bKey \((?P<columns>[^()=\r\n]{1,500})\)=\((?P<values>[^\r\n]{1,2000}?)\) (?=already|is |conflicts)"
)
_BOUND = re.compile(r"(?P<name>[\w.\"`]{2,120})\s*=\s*\$(?P<number>\d{1,3})\b")
_PARAMETER = re.compile(r"\$(?P<number>\d{1,3}) = '(?P<value>(?:[^'\r\n]|'')*)'")
_CONNECT = re.compile(
    r"\b(?:PDO(?:->__construct)?|mysqli?(?:_p?connect|->__construct|->real_connect)?|mysqli_real_connect)\("
    r"(?:'[^'\r\n]*'|Object\(\w+\)),\s*'[^'\r\n]*',\s*'(?P<third>[^'\r\n]+)'"
    r"|\b(?:postgresql|mysql|mongodb)\((?:'[^'\r\n]*',\s*){4}'(?P<fifth>[^'\r\n]+)'"
)
_FAR = 4000


def find_in_sql(text: str) -> Iterator[Span]:
    """Values of columns whose names are those of secrets, and of parameters that are bound to them."""
    if "Key (" in text:
        for found in _KEY.finditer(text):
            yield from _of_key(found)
    if "'" not in text:
        return
    bound: list[tuple[int, str, SecretName]] = []
    for found in _INSERT.finditer(text):
        columns = [_certain(column) for column in found["columns"].split(",")]
        if any(columns):
            spans, numbers = _of_rows(text, found.end(), columns)
            yield from spans
            bound += [(found.end(), number, secret) for number, secret in numbers]
    for found in _AMONG.finditer(text):
        yield from _among(text, found)
    if "= '" not in text or "$" not in text:
        return
    for found in _BOUND.finditer(text):
        if secret := _certain(found["name"]):
            bound.append((found.end(), found["number"], secret))
    yield from _bound(text, bound)


def find_in_connections(text: str) -> Iterator[Span]:
    """Passwords among the arguments of calls that open a connection, as traces of PHP have them."""
    for found in _CONNECT.finditer(text):
        yield Span(*found.span("third" if found["third"] else "fifth"), "password")


def _certain(name: str) -> SecretName | None:
    secret = secret_name(name.strip().strip('"`[]').rpartition(".")[2].strip('"`[]'))
    return secret if secret and secret.certain else None


def _of_rows(
    text: str, at: int, columns: list[SecretName | None]
) -> tuple[list[Span], list[tuple[str, SecretName]]]:
    spans: list[Span] = []
    numbers: list[tuple[str, SecretName]] = []
    for _ in range(_ROWS):
        if text[at : at + 1] != "(":
            break
        at += 1
        for secret in columns:
            found = _VALUE.match(text, at)
            if not found:
                return spans, numbers
            at = found.end()
            if secret and found["number"]:
                numbers.append((found["number"], secret))
            elif secret and found["literal"] and not stays(found["literal"], secret):
                spans.append(Span(*found.span("literal"), secret.kind))
            if found["sign"] == ")":
                break
        while text[at : at + 1] in (",", " ", "\n", "\r", "\t"):
            at += 1
    return spans, numbers


def _among(text: str, found: re.Match[str]) -> Iterator[Span]:
    if found["set_value"] or found["pragma_value"]:
        group = "set_value" if found["set_value"] else "pragma_value"
        start = found.start(group) + found[group].index("'") + 1
        if start < found.end(group) - 1:
            yield Span(start, found.end(group) - 1, "password" if found["set"] else "key")
        return
    secret = _certain(found["name"])
    if secret:
        for literal in _ANY_LITERAL.finditer(text, *found.span("values")):
            if not stays(literal["literal"], secret):
                yield Span(*literal.span("literal"), secret.kind)


def _of_key(found: re.Match[str]) -> Iterator[Span]:
    """The values in `Key (token)=(x) already exists.`; where they have commas, from the secret's on."""
    columns = [_certain(column) for column in found["columns"].split(",")]
    values = found["values"].split(", ")
    at = found.start("values")
    for index, value in enumerate(values):
        secret = columns[index] if index < len(columns) else None
        if secret and not stays(value, secret):
            end = at + len(value) if len(values) == len(columns) else found.end("values")
            yield Span(at, end, secret.kind)
        at += len(value) + 2


def _bound(text: str, bound: list[tuple[int, str, SecretName]]) -> Iterator[Span]:
    """The values of parameters, which PostgreSQL logs in a line after the statement."""
    if not bound:
        return
    for found in _PARAMETER.finditer(text):
        for at, number, secret in bound:
            if number == found["number"] and 0 <= found.start() - at <= _FAR and found["value"]:
                if not stays(found["value"], secret):
                    yield Span(*found.span("value"), secret.kind)
                break
