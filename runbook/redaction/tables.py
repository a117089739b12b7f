"""Secrets in columns and rows: CSV, tables of databases, of kubectl and of Markdown, and `.pgpass`."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from runbook.redaction.marks import MARK, Span
from runbook.redaction.names import SecretName, secret_name
from runbook.redaction.values.harmless import stays
from runbook.redaction.words import is_harmless

_LINE = re.compile(r"[^\r\n]+")
_SIGNS = re.compile(r"[,;\t|\u2502\u2503\u252c]|\S {2,}\S")
_NEEDLES = re.compile(
    r"pass|pwd|secret|token|key|cred|auth|cookie|salt|dsn|otp|pin|sess|code|kennwort|[^\x00-\x7f]",
    re.IGNORECASE,
)
_FRAMES = str.maketrans("\u2502\u2503\u250c\u2510\u252c\u250f\u2513\u2533\u2500\u2501", "|||||||| " + " ")
_RULER = re.compile(r"[\s|+:=\u2500-\u257f-]+")
_NAME = re.compile(r"[\"']?[^\W\d][\w.#/-]*(?: [\w.#/-]+){0,2}[\"']?")
_CELLS = {
    sign: re.compile(rf"\s*(?:\"(?:[^\"\r\n]|\"\")*\"|[^{sign}\r\n]*)(?:{sign}|$)")
    for sign in (",", ";", "\t", r"\|")
}
_COLUMNS = re.compile(r"[A-Z][A-Z0-9_./()-]*(?: [A-Z0-9_./()-]+)*")
_HEADING = re.compile(rf"{_COLUMNS.pattern}(?: {{2,}}{_COLUMNS.pattern})+ *")
_ROW_OF_RECORD = re.compile(
    r"^[ \t]*(?P<name>[\w. -]{2,60}?)[ \t]+\|[ \t]+(?P<value>[^\s|]+)[ \t]*$", re.MULTILINE
)
_TYPE = re.compile(r"[a-z]+(?:\(\d+\)|\[\])?")
_PGPASS = re.compile(
    r"(?<![\w:/.@\\-])(?P<host>\*|[A-Za-z0-9][\w.-]*|/[\w./-]+):(?P<port>\*|\d{2,5}):(?P<database>\*|[\w.-]+)"
    r":(?P<user>\*|[A-Za-z_][\w.@-]*):(?P<value>(?:[^\s:\\\"'`]|\\.)+)(?=[\s\"'`]|$)"
)
_PASSWORDS = ("password", "passwd", "pwd", "passphrase", "api-key")
_LONGEST = 4000


class _Cell(NamedTuple):
    text: str
    start: int


def find_in_tables(text: str) -> Iterator[Span]:
    """Values in a column whose heading is the name of a secret."""
    if "\n" not in text or not _SIGNS.search(text):
        return
    heading: list[SecretName | None] = []
    sign, count, aligned = "", 0, list[int]()
    for found in _LINE.finditer(text):
        line, start = found.group(), found.start()
        if len(line) > _LONGEST:
            heading = []
            continue
        if heading:
            if _RULER.fullmatch(line):
                continue
            cells = _at_columns(line, start, aligned) if aligned else _cells(line, start, sign)
            if len(cells) == count:
                for secret, cell in zip(heading, cells, strict=True):
                    if secret and cell.text and not _says_nothing(cell.text, secret):
                        yield Span(cell.start, cell.start + len(cell.text), secret.kind)
                continue
            heading = []
        if _NEEDLES.search(line) and _SIGNS.search(line):
            sign, aligned, heading = _heading(line)
            count = len(heading)


def find_in_rows(text: str) -> Iterator[Span]:
    """Rows of `.pgpass`, and of records that are shown with a row for each column."""
    if ":" in text:
        for found in _PGPASS.finditer(text):
            if (found["host"] + found["port"]).isdigit() or is_harmless(found["value"]):
                continue
            yield Span(*found.span("value"), "password")
    if "|" in text:
        for found in _ROW_OF_RECORD.finditer(text):
            secret = secret_name(found["name"].replace(" ", "_"))
            if (
                secret
                and secret.certain
                and not stays(found["value"], secret)
                and not _TYPE.fullmatch(found["value"])
            ):
                yield Span(*found.span("value"), secret.kind)


def _heading(line: str) -> tuple[str, list[int], list[SecretName | None]]:
    """The separator, the starts of the columns where there is no separator, and what the headings say."""
    plain = line.translate(_FRAMES)
    for sign in (r"\|", "\t", ";", ","):
        if sign[-1] not in plain:
            continue
        cells = [cell.text for cell in _cells(line, 0, sign)]
        if len(cells) < 2 or not all(_NAME.fullmatch(cell) for cell in cells):
            continue
        secrets = [secret_name(cell.replace(" ", "_")) for cell in cells]
        if sign == "," and ", " in line:  # a sentence may be written so
            secrets = [secret and secret._replace(certain=False) for secret in secrets]
        return (sign, [], secrets) if any(secrets) else ("", [], [])
    if _HEADING.fullmatch(line.strip()):
        columns = [found.start() for found in _COLUMNS.finditer(line)]
        secrets = [secret_name(found.group().replace(" ", "_")) for found in _COLUMNS.finditer(line)]
        if any(secrets):
            return "", columns, [secret and _among_blanks(secret) for secret in secrets]
    return "", [], []


def _among_blanks(secret: SecretName) -> SecretName:
    """A column TOKEN or SECRET may hold names of tokens and secrets. A column PASSWORD holds passwords."""
    return secret._replace(certain=secret.certain and secret.kind in _PASSWORDS)


def _cells(line: str, start: int, sign: str) -> list[_Cell]:
    plain = line.translate(_FRAMES) if sign == r"\|" else line
    if sign == r"\|":
        bare = plain.strip()
        start += plain.index(bare) + (bare[:1] == "|")
        plain = bare[bare[:1] == "|" : len(bare) - (bare[-1:] == "|")]
    cells, at = [], 0
    while at <= len(plain) and (found := _CELLS[sign].match(plain, at)):
        whole = found.group()
        inside = whole[: len(whole) - (whole[-1:] == sign[-1])]
        bare = inside.strip(" \t\"'")
        cells.append(_Cell(bare, start + at + (inside.index(bare) if bare else 0)))
        at = found.end()
        if whole[-1:] != sign[-1]:
            break
    return cells


def _at_columns(line: str, start: int, columns: list[int]) -> list[_Cell]:
    ends = [*columns[1:], len(line)]
    if any(line[column - 1 : column].strip() for column in columns if 0 < column <= len(line)):
        return []
    cells = []
    for column, end in zip(columns, ends, strict=True):
        inside = line[column:end]
        bare = inside.strip()
        cells.append(_Cell(bare, start + column + (inside.index(bare) if bare else 0)))
    return cells


def _says_nothing(value: str, secret: SecretName) -> bool:
    if MARK.search(value) or (secret.kind == "secret" and stays(value, secret._replace(certain=False))):
        return True
    return stays(value, secret)
