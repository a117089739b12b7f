"""Secrets that the settings only name: each is read from an environment variable or a file.

What people make with editors and shells is taken as it is meant: a byte order mark, CRLF and white space
around a secret are no part of it. What cannot be a secret is refused, in words that never hold any of it.
"""

import os
import re
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from runbook.redaction import redact_secrets

REFERENCE = 'write a reference, { env = "NAME" } or { file = "path" }'
_LARGEST_FILE = 1024 * 1024  # bytes; the largest honest one is a kubeconfig
_BYTE_ORDER_MARK = "\ufeff"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WORD = r"(?:[A-Z]{1,16}\d{0,3}|[A-Z0-9]{1,4})"
_VARIABLE = re.compile(rf"(?!\d){_WORD}(?:_{_WORD}){{0,7}}")
"""What looks like a variable's name, and not like a key in capital letters."""

_PART_OF_A_NAME = re.compile(r"[A-Za-z]{0,20}\d{0,2}|\d{1,14}")


class Unusable(Exception):
    """What was read cannot be used. Neither text holds any of it."""

    def __init__(self, cause: str, next_step: str) -> None:
        self.cause = cause
        self.next_step = next_step
        super().__init__(cause)


def text_of(content: bytes) -> str:
    """The text of a file that a person wrote, without a byte order mark.

    Raises:
        Unusable: it is no UTF-8 text.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or _every_other_is_nul(content):
        raise Unusable("is not UTF-8 text but UTF-16", "save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable("is not UTF-8 text", "save it as UTF-8") from None


def secret_at(reference: Any, folder: Path, *, several_lines: bool = False) -> SecretStr:
    """The secret that a reference names; paths are relative to the folder.

    Raises:
        Unusable: it is no reference, leads nowhere, or to what is no secret.
    """
    if not isinstance(reference, dict) or len(reference) != 1:
        raise Unusable("not a reference to a secret", REFERENCE)
    [(source, name)] = reference.items()
    if source not in ("env", "file") or not isinstance(name, str):
        raise Unusable("not a reference to a secret", REFERENCE)
    if source == "env":
        return _from_environment(name, several_lines=several_lines)
    return _from_file(name, folder, several_lines=several_lines)


def is_reference(value: object) -> bool:
    """Whether a value has the form of a reference."""
    return isinstance(value, dict) and value.keys() in ({"env"}, {"file"})


def absolute(path: str, folder: Path) -> Path:
    """A path as the settings file means it."""
    return folder / Path(path).expanduser()


def _from_environment(name: str, *, several_lines: bool) -> SecretStr:
    # Whoever pastes the secret instead of its variable's name must not find it in a log.
    plausible = _VARIABLE.fullmatch(name) and redact_secrets(name) == name
    what = f"the environment variable {name}" if plausible else "the environment variable of that name"
    secret = _without_rim("" if "\0" in name or "=" in name else os.environ.get(name, ""))
    if not secret:
        advice = (
            "set it, or refer to another one"
            if plausible
            else "write the name of the variable there, and set it"
        )
        raise Unusable(f"{what} is not set", advice)
    return _checked(secret, what, several_lines=several_lines)


def _from_file(name: str, folder: Path, *, several_lines: bool) -> SecretStr:
    path = absolute(name, folder)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        shown = path if _plausible(name) else "the file of that name"
        cause = error.strerror if isinstance(error, OSError) else "not a path"
        raise Unusable(f"cannot read {shown} ({cause})", "write the secret there") from None
    if len(content) > _LARGEST_FILE:
        raise Unusable(f"{path} is larger than any secret", "give the path of the file with the secret")
    try:
        secret = _without_rim(text_of(content))
    except Unusable as error:
        raise Unusable(f"{path} {error.cause}", error.next_step) from None
    if not secret:
        raise Unusable(f"{path} is empty", "write the secret there")
    return _checked(secret, str(path), several_lines=several_lines)


def _checked(secret: str, what: str, *, several_lines: bool) -> SecretStr:
    lines = len(re.split(r"\r\n|\r|\n", secret))
    if not _is_unicode(secret):
        raise Unusable(f"{what} is not UTF-8 text", "write the secret there as UTF-8 text")
    if "\0" in secret:
        raise Unusable(
            f"{what} contains NUL bytes, in {_lines(lines)}", "write the secret there as UTF-8 text"
        )
    if lines > 1 and not several_lines:
        raise Unusable(f"{what} has {_lines(lines)}", "keep only the secret there, on one line")
    if _CONTROL.search(secret):
        raise Unusable(f"{what} contains control characters", "write the secret there again")
    return SecretStr(secret)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of a variable that are no UTF-8
        return False
    return True


def _lines(count: int) -> str:
    return f"{count} line{'s' if count > 1 else ''}"


def _without_rim(text: str) -> str:
    return text.removeprefix(_BYTE_ORDER_MARK).strip()


def _every_other_is_nul(content: bytes) -> bool:
    """ASCII in UTF-16, without the mark that would say so."""
    return len(content) >= 4 and any(set(content[first:1024:2]) == {0} for first in (0, 1))


def _plausible(name: str) -> bool:
    """Whether this is a file's name rather than a secret that was put in the place of one."""
    parts = re.split(r"[/._ ~-]", name)
    return len(parts) > 1 and redact_secrets(name) == name and all(map(_PART_OF_A_NAME.fullmatch, parts))
