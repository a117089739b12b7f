"""What the public is told, beside whether it is told at all (`publish_from`)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from runbook.value import Value

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]


SIX_HOURS = 6 * 60


class PublicPolicy(Value):
    """How the team writes for the public."""

    never_say: tuple[Word, ...] = Field(
        default=(),
        title="Never say",
        description="Words that no public text may have, such as names of customers; capitals do not matter.",
    )
    refresh_minutes: int = Field(
        default=SIX_HOURS,
        ge=15,
        le=SIX_HOURS,
        title="Refresh every",
        description="Minutes until an open public entry says again where things stand; at most six hours.",
    )
