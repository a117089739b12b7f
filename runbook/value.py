"""The base of every value in the runbook: immutable, strict about its fields, equal by content."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable record; an unknown field is an error, so a typo cannot hide.

    An error names the field and never quotes what was given: the beginning of a token is no token's shape
    any more, and so would not be masked. A copy is checked as a new record is, text from outside included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The same record with some fields exchanged.

        Raises:
            ValidationError: a new value is none for its field.
        """
        copied = super().model_copy(deep=deep)
        if not update:
            return copied
        known = {name: getattr(copied, name) for name in self.model_fields_set}
        return self.model_validate({**known, **update})
