"""How a settings table is checked against its model: unknown keys, references to secrets, paths, types.

Every mistake becomes one line that names the key, the cause and what to do, and never a value.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

_REFERENCE = 'write a reference, { env = "NAME" } or { file = "path" }'
_PATHS = frozenset({"cluster.kubeconfig", "evidence.folder"})
_ADDRESSES = frozenset({"store.url", "status_page.proxy", "self_watch.alertmanager_url"})
"""Secret only where they hold a user and a password."""


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


class SecretMissing(Exception):
    """A reference to a secret leads nowhere."""

    def __init__(self, cause: str, next_step: str) -> None:
        self.cause = cause
        self.next_step = next_step
        super().__init__(cause)


def unknown(key: str, what: str, known: Iterable[str]) -> Mistake:
    """The mistake of a key or section that does not exist, with the nearest one that does."""
    names = sorted(known)
    near = difflib.get_close_matches(key.rpartition(".")[2], names, n=1)
    advice = f'(did you mean "{near[0]}"?)' if near else f"there are {', '.join(names)}"
    return Mistake(key, f"unknown {what}", advice)


def unknown_keys(table: Mapping[str, Any], kind: type[BaseModel], *, at: str) -> list[Mistake]:
    """The keys of a table, and of the tables in it, that its model does not have."""
    found: list[Mistake] = []
    for key, value in table.items():
        field = kind.model_fields.get(key)
        if field is None:
            found.append(unknown(f"{at}.{key}", "key", kind.model_fields))
        elif isinstance(value, dict) and (nested := _nested(field)):
            named = get_origin(field.annotation) is dict  # a table of tables: `[policy.approvals.high]`
            tables = value if named else {"": value}
            for name, inner in tables.items():
                if isinstance(inner, dict):
                    found += unknown_keys(inner, nested, at=".".join(filter(None, (at, key, name))))
    return found


def resolved(
    table: Mapping[str, Any], kind: type[BaseModel], *, section: str, folder: Path
) -> tuple[dict[str, Any], list[Mistake]]:
    """A table with its secrets read and its paths made absolute, and what went wrong on the way."""
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for key, value in table.items():
        field = kind.model_fields.get(key)
        values[key], wrong = _resolved(value, field, f"{section}.{key}", folder)
        mistakes += wrong
    return values, mistakes


def mistakes_of(error: ValidationError, *, section: str) -> list[Mistake]:
    """What a model refused, without the values."""
    found = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        steps = (str(step) for step in detail["loc"] if step != "[key]")  # the key itself is what is wrong
        key = ".".join((section, *steps))
        if detail["type"] == "missing":
            found.append(Mistake(key, "missing", "set it (runbook.example.toml explains it)"))
        else:
            message = detail["msg"].removeprefix("Value error, ")
            found.append(Mistake(key, message[:1].lower() + message[1:], "correct the value"))
    return found


def is_secret(field: FieldInfo) -> bool:
    """Whether a field holds a secret, or a list of secrets."""
    return _names_secret(field.annotation)


def _names_secret(kind: Any) -> bool:
    return kind is SecretStr or any(_names_secret(part) for part in get_args(kind))


def _resolved(value: Any, field: FieldInfo | None, key: str, folder: Path) -> tuple[Any, list[Mistake]]:
    if field is not None and is_secret(field) and isinstance(value, list):
        each = [_resolved(item, field, f"{key}.{position}", folder) for position, item in enumerate(value)]
        return [item for item, _ in each], [mistake for _, wrong in each for mistake in wrong]
    if field is not None and is_secret(field) and get_origin(field.annotation) is dict:
        return _secrets_by_name(value, key, folder)
    if inner := _table_of(field, value):
        return resolved(value, inner, section=key, folder=folder)
    try:
        return _value(value, field, key, folder), []
    except SecretMissing as error:
        return None, [Mistake(key, error.cause, error.next_step)]


def _secrets_by_name(value: Any, key: str, folder: Path) -> tuple[Any, list[Mistake]]:
    """A table of references to secrets, one or several for each name."""
    if not isinstance(value, dict):
        return value, []
    found: dict[str, list[SecretStr]] = {}
    mistakes: list[Mistake] = []
    for name, references in value.items():
        found[name] = []
        for position, item in enumerate(references if isinstance(references, list) else [references]):
            at = f"{key}.{name}.{position}"
            try:
                found[name].append(_secret(item, at, folder))
            except SecretMissing as error:
                mistakes.append(Mistake(at, error.cause, error.next_step))
    return found, mistakes


def _table_of(field: FieldInfo | None, value: Any) -> type[BaseModel] | None:
    """The model of a table within a section; a table of tables is no such."""
    if field is None or not isinstance(value, dict) or get_origin(field.annotation) is dict:
        return None
    return _nested(field)


def _value(value: Any, field: FieldInfo | None, key: str, folder: Path) -> Any:
    if field is None:
        return value
    if is_secret(field):
        return _secret(value, key, folder)
    if key in _PATHS and isinstance(value, str):
        return os.pathsep.join(str(_absolute(part, folder)) for part in value.split(os.pathsep))
    if value == "none" and NoneType in get_args(field.annotation) and str not in get_args(field.annotation):
        return None  # TOML has no null
    return value


def _secret(value: Any, key: str, folder: Path) -> SecretStr:
    if isinstance(value, SecretStr):
        return value
    if isinstance(value, str):
        if key in _ADDRESSES and "@" not in value:
            return SecretStr(value)
        cause = "holds a password in this file" if key in _ADDRESSES else "holds a secret in this file"
        raise SecretMissing(cause, _REFERENCE)
    if not isinstance(value, dict) or len(value) != 1 or not isinstance(next(iter(value.values())), str):
        raise SecretMissing("not a reference to a secret", _REFERENCE)
    [(source, name)] = value.items()
    if source == "env":
        return _from_environment(name)
    if source == "file":
        return _from_file(_absolute(name, folder))
    raise SecretMissing("not a reference to a secret", _REFERENCE)


def _from_environment(name: str) -> SecretStr:
    secret = os.environ.get(name, "").strip()
    if not secret:
        raise SecretMissing(f"the environment variable {name} is not set", "set it, or name another")
    return SecretStr(secret)


def _from_file(path: Path) -> SecretStr:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SecretMissing(f"cannot read {path} ({error.strerror})", "write the secret there") from None
    except UnicodeDecodeError:
        raise SecretMissing(f"{path} is not UTF-8 text", "write the secret there, and nothing else") from None
    if not secret:
        raise SecretMissing(f"{path} is empty", "write the secret there")
    return SecretStr(secret)


def _absolute(path: str, folder: Path) -> Path:
    return folder / Path(path).expanduser()


def _nested(field: FieldInfo) -> type[BaseModel] | None:
    kinds = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
