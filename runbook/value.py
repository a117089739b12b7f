"""The base of every value in the runbook: immutable, strict about its fields, equal by content."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable record; an unknown field is an error, so a typo cannot hide."""

    model_config = ConfigDict(frozen=True, extra="forbid")
