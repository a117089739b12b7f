"""Types for the fields of models that hold text from outside: making the model takes it through the door.

class Note(Value):
    by: OutsideName
    text: OutsideText
    title: Annotated[str, Outside(200, lines=False)]
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, JsonValue
from pydantic_core import CoreSchema, core_schema

from runbook.outside_text.door import (
    MAX_LINE,
    MAX_NAME,
    MAX_TEXT,
    let_in,
    let_in_identity,
    let_in_json,
    let_in_line,
    let_in_name,
    let_in_named,
)


@dataclass(frozen=True)
class Outside:
    """Marks a field of text: at most so many characters, of several lines or put on one."""

    limit: int = MAX_TEXT
    lines: bool = True

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The field's own schema, and the door behind it."""
        let = let_in if self.lines else let_in_line
        return core_schema.no_info_after_validator_function(self._through(let), handler(source))

    def _through(self, let: Callable[[str, int], str]) -> Callable[[str], str]:
        limit = self.limit
        return lambda text: let(text, limit)


OutsideText = Annotated[str, Outside()]
"""A text of several lines."""

OutsideLine = Annotated[str, Outside(MAX_LINE, lines=False)]
"""A text on one line."""

OutsideName = Annotated[str, AfterValidator(let_in_name)]
"""A name that tells one thing from another: a service, a person, a pod."""

OutsideIdentity = Annotated[str, AfterValidator(let_in_identity)]
"""An identity that a program gives and nobody reads: a fingerprint, a delivery."""


@dataclass(frozen=True)
class OutsideJson:
    """Marks a field of a JSON value: each text in it has at most so many characters."""

    limit: int = MAX_TEXT

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The field's own schema, and the door behind it."""
        return core_schema.no_info_after_validator_function(self._through, handler(source))

    def _through(self, value: Any) -> JsonValue:
        return let_in_json(value, self.limit)


OutsideFields = Annotated[dict[str, JsonValue], OutsideJson()]
"""A JSON object."""


@dataclass(frozen=True)
class OutsideNamed:
    """Marks a field of texts by name, as labels are, with the longest name and text that it holds."""

    name_limit: int = MAX_NAME
    limit: int = MAX_TEXT
    most: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The field's own schema, and the door behind it."""
        return core_schema.no_info_after_validator_function(self._through, handler(source))

    def _through(self, texts: Mapping[str, str]) -> dict[str, str]:
        kept = dict(list(texts.items())[: self.most])
        return let_in_named(kept, name_limit=self.name_limit, limit=self.limit)


OutsideTexts = Annotated[dict[str, str], OutsideNamed()]
"""Texts by name."""
