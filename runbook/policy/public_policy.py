"""What the public is told and who has to agree, beside whether it is told at all (`publish_from`)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from runbook.decision.severity import Severity
from runbook.value import Value

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]


class PublicPolicy(Value):
    """How the team writes for the public."""

    publish_without_asking: tuple[Severity, ...] = Field(
        default=(),
        title="Publish without asking",
        description="Severities whose public texts go out without a person. Of the others, one is asked.",
    )
    never_say: tuple[Word, ...] = Field(
        default=(),
        title="Never say",
        description="Words that no public text may have, such as names of customers; capitals do not matter.",
    )
