"""Marks on settings whose value is a table that people name the keys of, and why a setting is refused."""

from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True)
class HeaderValues:
    """The value of each key is that of a header: a reference to a secret, or text that is none."""


@dataclass(frozen=True)
class TablesOf:
    """The value of each key is a table of this kind."""

    kind: type[BaseModel]


class Unfit(ValueError):
    """A setting is refused. Neither text quotes its value, which may be a secret."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(f"{cause}: {next_step}")
        self.cause = cause
        self.next_step = next_step
