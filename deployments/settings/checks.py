"""How a settings table is checked against its model: unknown keys, references to secrets, paths, types.

Every mistake becomes one line that names the key, the cause and what to do, and never a value.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from deployments.settings.addresses import refuse_secrets, secret_in_address
from deployments.settings.secrets import REFERENCE, Unusable, absolute, is_reference, secret_at
from runbook.policy.settings_tables import HeaderValues, TablesOf, Unfit
from runbook.redaction import redact_secrets
from runbook.transport.addresses import SecretPart, secret_part
from runbook.transport.credential_names import names_credential

_PATHS = frozenset({"cluster.kubeconfig", "evidence.folder"})
_ADDRESSES = frozenset({"store.url", "status_page.proxy", "self_watch.alertmanager_url"})
"""Secret only where they hold something secret."""

_SEVERAL_LINES = frozenset({"cluster.kubeconfig_yaml", "receiver.signing_key"})
MarkT = TypeVar("MarkT")

_NOT_WHOLE = frozenset({"int_type", "int_parsing", "int_from_float"})
"""What pydantic calls a value that is no whole number."""

_LONGEST_NAME = 100
_SHORTEST_WORD = 8
"""A value of fewer characters is taken out of a message only where it stands in quotes."""


@dataclass(frozen=True)
class Mistake:
    """A mistake in the settings. `key` is dotted, empty for the file itself."""

    key: str
    cause: str
    next_step: str

    def __str__(self) -> str:
        where = f"{self.key}: " if self.key else ""
        separator = " " if self.next_step.startswith("(") else ": "
        return f"{where}{self.cause}{separator}{self.next_step}"


def unknown(key: str, what: str, known: Iterable[str]) -> Mistake:
    """The mistake of a key or section that does not exist, with the nearest one that does."""
    names = sorted(known)
    near = difflib.get_close_matches(key.rpartition(".")[2], names, n=1)
    advice = f'(did you mean "{near[0]}"?)' if near else f"there are {', '.join(names)}"
    return Mistake(key, f"unknown {what}", advice)


def shown(name: str) -> str:
    """A key as it is written in the file, unless somebody put a secret there."""
    if len(name) > _LONGEST_NAME or redact_secrets(name) != name or secret_part(name, is_address=True):
        return "…"
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


def unknown_keys(table: Mapping[str, Any], kind: type[BaseModel], *, at: str) -> list[Mistake]:
    """The keys of a table, and of the tables in it, that its model does not have."""
    found: list[Mistake] = []
    for key, value in table.items():
        field = _field(kind, key)
        if field is None:
            found.append(unknown(f"{at}.{shown(key)}", "key", _fields(kind)))
            continue
        for where, inner, nested in _tables_in(value, field, f"{at}.{key}"):
            found += unknown_keys(inner, nested, at=where)
    return found


def _tables_in(
    value: Any, field: FieldInfo, key: str
) -> Iterator[tuple[str, dict[str, Any], type[BaseModel]]]:
    """Each table in a value, with its place and its model: itself, or one for each name that people chose."""
    if not isinstance(value, dict):
        return
    tables_of = _mark(field, TablesOf)
    nested = tables_of.kind if tables_of else _nested(field)
    if nested is None:
        return
    if tables_of or get_origin(field.annotation) is dict:
        for name, inner in value.items():
            if isinstance(inner, dict):
                yield f"{key}.{shown(name)}", inner, nested
    else:
        yield key, value, nested


def resolved(
    table: Mapping[str, Any], kind: type[BaseModel], *, section: str, folder: Path
) -> tuple[dict[str, Any], list[Mistake]]:
    """A table with its secrets read and its paths made absolute, and what went wrong on the way."""
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for key, value in table.items():
        field = _field(kind, key)
        if field is None:
            values[key] = value  # told by `unknown_keys`
            continue
        values[key], wrong = _resolved(value, field, f"{section}.{key}", folder, kind)
        mistakes += wrong
    return values, mistakes


def mistakes_of(error: ValidationError, *, section: str) -> list[Mistake]:
    """What a model refused, without the values."""
    found = []
    for detail in error.errors(include_url=False):
        steps = [shown(str(step)) for step in detail["loc"] if step != "[key]"]  # the key itself is wrong
        key = ".".join((section, *steps))
        if detail["type"] == "missing":
            found.append(Mistake(key, "missing", "set it (runbook.example.toml explains it)"))
        elif detail["type"] == "too_short" and isinstance(detail["input"], SecretStr | str):
            shortest = detail["ctx"]["min_length"]  # pydantic counts the items of a secret
            found.append(Mistake(key, f"it is shorter than {shortest} characters", "use a longer secret"))
        elif detail["type"] in _NOT_WHOLE:
            found.append(Mistake(key, "not a whole number", "write one without quotes, such as 30"))
        elif isinstance(unfit := detail.get("ctx", {}).get("error"), Unfit):
            found.append(Mistake(key, unfit.cause, unfit.next_step))
        else:
            message = _without_values(detail["msg"].removeprefix("Value error, "), detail["input"])
            message = message.replace(
                "Input should", "the input should", 1
            )  # no word to be masked after `token:`
            found.append(Mistake(key, message[:1].lower() + message[1:], "correct the value"))
    return found


def is_secret(field: FieldInfo) -> bool:
    """Whether a field holds a secret, or a list of secrets."""
    return _names_secret(field.annotation)


def _names_secret(kind: Any) -> bool:
    return kind is SecretStr or any(_names_secret(part) for part in get_args(kind))


_ValueAndMistakes = tuple[Any, list[Mistake]]


def _resolved(
    value: Any, field: FieldInfo, key: str, folder: Path, kind: type[BaseModel]
) -> _ValueAndMistakes:
    if is_secret(field) and isinstance(value, list):
        each = [_resolved(item, field, f"{key}.{place}", folder, kind) for place, item in enumerate(value)]
        return [item for item, _ in each], [mistake for _, wrong in each for mistake in wrong]
    if is_secret(field) and isinstance(value, dict) and get_origin(field.annotation) is dict:
        return _by_name(value, key, lambda name, where: _secrets(value[name], where, folder))
    if isinstance(value, dict):
        if _mark(field, HeaderValues):
            return _by_name(value, key, lambda name, where: _header(value[name], name, where, folder))
        if tables_of := _mark(field, TablesOf):
            return _by_name(value, key, lambda name, where: _table(value, name, tables_of, where, folder))
        if (inner := _nested(field)) and get_origin(field.annotation) is not dict:
            return resolved(value, inner, section=key, folder=folder)
    try:
        return _value(value, field, key, folder, kind), []
    except Unusable as error:
        return None, [Mistake(key, error.cause, error.next_step)]


def _by_name(
    table: dict[str, Any], key: str, resolve: Callable[[str, str], _ValueAndMistakes]
) -> _ValueAndMistakes:
    """A table whose keys people chose, each value resolved with its place."""
    each = {name: resolve(name, f"{key}.{shown(name)}") for name in table}
    return {name: item for name, (item, _) in each.items()}, [
        mistake for _, wrong in each.values() for mistake in wrong
    ]


def _secrets(value: Any, key: str, folder: Path) -> _ValueAndMistakes:
    """One reference or several, as a list of secrets."""
    found: list[SecretStr] = []
    mistakes: list[Mistake] = []
    for place, item in enumerate(value if isinstance(value, list) else [value]):
        try:
            found.append(_secret(item, f"{key}.{place}", folder))
        except Unusable as error:
            mistakes.append(Mistake(f"{key}.{place}", error.cause, error.next_step))
    return found, mistakes


def _table(tables: dict[str, Any], address: str, of: TablesOf, key: str, folder: Path) -> _ValueAndMistakes:
    if secret_part(address, is_address=True):
        cause, advice = "the name of a table contains a secret in this file", "write the address without it"
        return None, [Mistake(key, cause, advice)]
    if not isinstance(tables[address], dict):
        return None, [Mistake(key, "not a table", f"write [{key}] and its keys below")]
    return resolved(tables[address], of.kind, section=key, folder=folder)


def _header(value: Any, name: str, key: str, folder: Path) -> _ValueAndMistakes:
    """A header's value: a reference, or text that is no secret by its name and its looks."""
    try:
        if isinstance(value, SecretStr):
            return value, []
        if not isinstance(value, str):
            return secret_at(value, folder), []
        if names_credential(name) or redact_secrets(value) != value or secret_part(value):
            raise Unusable("it contains a secret in this file", REFERENCE)
    except Unusable as error:
        return None, [Mistake(key, error.cause, error.next_step)]
    return value, []


def _value(value: Any, field: FieldInfo, key: str, folder: Path, kind: type[BaseModel]) -> Any:
    if is_secret(field):
        return _secret(value, key, folder)
    if is_reference(value) and get_origin(field.annotation) is not dict:
        raise Unusable("not a secret, and only secrets are given by a reference", "write its value here")
    refuse_secrets(value, key, kind)
    if key in _PATHS and isinstance(value, str):
        return os.pathsep.join(str(absolute(part, folder)) for part in value.split(os.pathsep))
    if value == "none" and NoneType in get_args(field.annotation) and str not in get_args(field.annotation):
        return None  # TOML has no null
    return value


def _secret(value: Any, key: str, folder: Path) -> SecretStr:
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, str):
        return secret_at(value, folder, several_lines=key in _SEVERAL_LINES)
    if key not in _ADDRESSES:
        raise Unusable("it contains a secret in this file", REFERENCE)
    match secret_in_address(value, key):
        case None:
            return SecretStr(value)
        case SecretPart.PASSWORD:
            raise Unusable("it contains a password in this file", REFERENCE)
        case part:
            raise Unusable(f"it contains a secret in this file (its {part})", REFERENCE)


def _without_values(message: str, given: Any) -> str:
    """A message that does not quote what was given: it may be a secret in the wrong place."""
    for text in sorted(set(_texts(given)), key=len, reverse=True):
        for quoted in (repr(text), f'"{text}"'):
            message = message.replace(quoted, "the value")
        if len(text) >= _SHORTEST_WORD:
            message = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", "the value", message)
    return message


def _texts(given: Any) -> Iterator[str]:
    """The texts in a value. The names in a table are no values, but for those that people choose."""
    if isinstance(given, SecretStr):
        yield given.get_secret_value()
    elif isinstance(given, str):
        yield given
    elif isinstance(given, Mapping):
        for inner in given.values():
            yield from _texts(inner)
    elif isinstance(given, list | tuple):
        for inner in given:
            yield from _texts(inner)


def _mark(field: FieldInfo, kind: type[MarkT]) -> MarkT | None:
    return next((mark for mark in field.metadata if isinstance(mark, kind)), None)


def _nested(field: FieldInfo) -> type[BaseModel] | None:
    kinds = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _field(kind: type[BaseModel], key: str) -> FieldInfo | None:
    """The field that the settings mean, also by the name that it had in an earlier release."""
    earlier: Mapping[str, str] = getattr(kind, "EARLIER_NAMES", {})
    return _fields(kind).get(earlier.get(key, key))


def _fields(kind: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model as the settings call them."""
    return {field.alias or name: field for name, field in kind.model_fields.items()}
