"""Marks on settings whose value is a table that people name the keys of, and that may hold secrets."""

from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True)
class HeaderValues:
    """The value of each key is that of a header: a reference to a secret, or text that is none."""


@dataclass(frozen=True)
class TablesOf:
    """The value of each key is a table of this kind."""

    kind: type[BaseModel]
