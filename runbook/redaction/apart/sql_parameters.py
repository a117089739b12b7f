"""Parameters of a statement that are printed beside it, matched to its columns by their places."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import MARK, Span
from runbook.redaction.names import SecretName, secret_name
from runbook.redaction.values.harmless import stays

_STATEMENT = re.compile(
    r"\b(?:insert\s+into|replace\s+into|update|select|delete\s+from|merge\s+into)\b", re.IGNORECASE
)
_PLACE = re.compile(r"(?<![\w?])(?:\?(?![?|&])|%s|:\d{1,3}\b|@p\d{1,3}\b)")
_PARAMETERS = re.compile(
    r"\b(?:param(?:eter)?s?|args|arguments|bind(?:s|ings?)?|values|with)\b[\"']?\s*(?:[:=]|are|->)?\s*(?P<open>[\[(])",
    re.IGNORECASE,
)
_INSERT = re.compile(
    r"\binto\s+[\w.\"`\[\]]{1,120}\s*\((?P<columns>[^()]{1,4000})\)\s*values\s*(?=\()", re.IGNORECASE
)
_COMPARED = re.compile(
    r"(?P<name>[\w.\"`\[\]]{1,120})\s*(?:=|<>|!=|like|ilike)\s*(?:\w+\s*\(\s*)?$", re.IGNORECASE
)
_VALUE = re.compile(
    r"\s*(?:[bBuUrN]?'(?P<single>(?:[^'\\\n]|\\.|'')*+)'|[bBuU]?\"(?P<double>(?:[^\"\\\n]|\\.)*+)\""
    r"|(?P<bare>[^,()\[\]\n'\"]+|\w+\([^()\n]*\)))\s*(?P<sign>[,\])])"
)
_BINDING = re.compile(
    r"\bbinding parameter (?:\[(?P<first>\d{1,3})\]|\((?P<second>\d{1,3}):\w+\)) as \[\w+\] - "
    r"\[(?P<value>[^\]\n]+)\]"
    r"|\bbinding parameter \((?P<third>\d{1,3}):\w+\) <- \[(?P<latest>[^\]\n]+)\]"
)
_FAR = 4000
_LONGEST = 8000
_MOST = 200


def find_sql_parameters(text: str) -> Iterator[Span]:
    """Values of `?` and `%s` under a secret column, in the list of parameters that follows the statement."""
    lists = [found for found in _PARAMETERS.finditer(text) if not _is_values(text, found)]
    bindings = list(_BINDING.finditer(text))
    if not (lists or bindings) or not _STATEMENT.search(text):
        return
    yield from _of_lists(text, lists)
    yield from _of_bindings(text, bindings)


def _is_values(text: str, found: re.Match[str]) -> bool:
    """Whether this is the statement's own `VALUES (?, ?)`."""
    return found.group().lower().startswith("values") and _PLACE.match(text, found.end()) is not None


def _of_lists(text: str, lists: list[re.Match[str]]) -> Iterator[Span]:
    before = 0
    for found in lists:
        if columns := _columns_before(text, before, found.start()):
            yield from _of_list(text, found.end(), columns)
        before = found.end()


def _of_bindings(text: str, bindings: list[re.Match[str]]) -> Iterator[Span]:
    """Each on a line of its own; the first of a statement begins with the number 1."""
    before, columns = 0, list[SecretName | None]()
    for found in bindings:
        number = int(found["first"] or found["second"] or found["third"])
        if number == 1 or not columns:
            columns = _columns_before(text, before, found.start())
        if 0 < number <= len(columns) and (secret := columns[number - 1]):
            yield from _span(found, "value" if found["value"] else "latest", secret)
        before = found.end()


def _columns_before(text: str, start: int, end: int) -> list[SecretName | None]:
    """What the columns of the statement between two places say; empty where none of them is secret."""
    begin = _STATEMENT.search(text, max(start, end - _LONGEST), end)
    columns = _columns(text, begin.start(), end) if begin else []
    return columns if any(columns) else []


def _columns(text: str, start: int, end: int) -> list[SecretName | None]:
    """What the column of each place in a statement says."""
    insert = _INSERT.search(text, start, end)
    names = [_secret(name) for name in insert["columns"].split(",")] if insert else []
    columns: list[SecretName | None] = []
    for index, place in enumerate(_PLACE.finditer(text, start, end)):
        if index >= _MOST:
            break
        if names:
            columns.append(names[index % len(names)])
        else:
            before = _COMPARED.search(text, max(start, place.start() - 200), place.start())
            columns.append(_secret(before["name"]) if before else None)
    return columns


def _of_list(text: str, at: int, columns: list[SecretName | None]) -> Iterator[Span]:
    for secret in columns:
        found = _VALUE.match(text, at, at + _FAR)
        if not found:
            return
        group = (
            "single" if found["single"] is not None else "double" if found["double"] is not None else "bare"
        )
        if secret:
            yield from _span(found, group, secret)
        if found["sign"] != ",":
            return
        at = found.end()


def _span(found: re.Match[str], group: str, secret: SecretName) -> Iterator[Span]:
    value = found[group].strip()
    if value and not MARK.fullmatch(value) and not stays(value, secret):
        start = found.start(group) + found[group].index(value)
        yield Span(start, start + len(value), secret.kind)


def _secret(name: str) -> SecretName | None:
    secret = secret_name(name.strip().strip('"`[]').rpartition(".")[2].strip('"`[]'))
    return secret if secret and secret.certain else None
