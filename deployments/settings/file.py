"""The settings file: its TOML tables, each section checked against its model, all mistakes together."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from deployments.settings.checks import Mistake, mistakes_of, resolved, shown, unknown, unknown_keys
from deployments.settings.secrets import Unusable, text_of

ModelT = TypeVar("ModelT", bound=BaseModel)

_QUOTED = re.compile(r"'([^']{2,})'|\"([^\"]{2,})\"")
"""What tomllib quotes of a file, but for single characters: the names of keys."""


def read_tables(path: Path) -> dict[str, Any]:
    """The tables of a settings file, which may begin with a byte order mark and have lines that end in CRLF.

    Raises:
        Unusable: it cannot be read, or is no TOML. Nothing of a line is told but its place and its keys.
    """
    try:
        return tomllib.loads(text_of(path.read_bytes()))
    except FileNotFoundError:
        advice = "copy deployments/runbook.example.toml there and fill it in"
        raise Unusable("there is no such file", advice) from None
    except IsADirectoryError:
        raise Unusable("is a folder", "give the path of the settings file in it") from None
    except OSError as error:
        raise Unusable(str(error.strerror), "make it readable") from None
    except tomllib.TOMLDecodeError as error:
        cause = _QUOTED.sub(lambda found: shown(found[1] or found[2]), str(error))
        raise Unusable(f"not TOML: {cause}", "correct that line") from None
    except RecursionError:
        raise Unusable("not TOML: nested too deeply", "correct it") from None
    except Unusable as error:
        raise Unusable(f"not TOML: it {error.cause}", error.next_step) from None


class SectionsCheck:
    """Collects the mistakes of one file, so that all are told at once. Relative paths begin at `folder`."""

    def __init__(self, tables: Mapping[str, Any], folder: Path) -> None:
        self.tables = tables
        self.folder = folder
        self.mistakes: list[Mistake] = []
        self.warnings: list[Mistake] = []

    def known_sections(self, known: Iterable[str]) -> None:
        """Note the sections that do not exist."""
        names = sorted(known)
        self.mistakes += [unknown(shown(name), "section", names) for name in self.tables if name not in names]

    def section(self, name: str, kind: type[ModelT]) -> ModelT | None:
        """The section as its model; None where it has a mistake."""
        table = self.tables.get(name, {})
        if not isinstance(table, dict):
            self.mistakes.append(Mistake(name, "not a section", f"write [{name}] and its keys below"))
            return None
        values, mistakes = resolved(table, kind, section=name, folder=self.folder)
        mistakes += unknown_keys(table, kind, at=name)
        if not mistakes:
            try:
                return kind.model_validate(values)
            except ValidationError as error:
                mistakes = mistakes_of(error, section=name)
        self.mistakes += mistakes
        return None
