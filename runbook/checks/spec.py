"""What a check is: one value that says everything about it but how its system is asked.

Each check has its value in a file of `runbook/checks/specs/`, with the model of its facts and its judgement.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from runbook.checks.facts import Facts
from runbook.decision.leaves import Verdict

if TYPE_CHECKING:  # they name checks themselves
    from runbook.checks.findings import Finding
    from runbook.policy.policy import Policy


class CheckName(str):
    """The name of a check as journals have it: `error_rate`.

    Code names a check by its spec (`ERROR_RATE.name`), so that a typing mistake is an import error.
    """

    __slots__ = ()

    @property
    def words(self) -> str:
        """The name in a sentence: `error rate`."""
        return self.replace("_", " ")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


class WitnessFacts(Facts):
    """What a check saw that can see PostHog answering our requests with errors.

    `posthog_errors` says whether it saw that, `None` where it could not tell; the decision tree's first
    question is asked of it.
    """

    posthog_errors: bool | None = None

    def supposing(self, errors: bool | None) -> "WitnessFacts":
        """The same facts where it had seen that instead."""
        return self.model_copy(update={"posthog_errors": errors})


F_co = TypeVar("F_co", bound=Facts, covariant=True)
R_contra = TypeVar("R_contra", contravariant=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckSpec(Generic[F_co, R_contra]):
    """A check of Quick Triage.

    `name` stands in journals and never changes; `title` is what people read. `order` is its place in Quick
    Triage, lowest first. `question` is what it asks, as a person would; `hope` is what is true when it is
    ok, for saying what is waited for; `asked` is who did not answer where a deadline passes.

    `facts` is the model of what it saw. `judge` makes a finding of a reading, the policy and the time (aware
    UTC). `lasting` are the verdicts after which it has to be ok, for the settling time, for the incident to
    be over; after `unknown` every check has to be.
    """

    name: CheckName
    title: str
    order: int
    question: str
    hope: str
    asked: str
    facts: type[F_co]
    judge: "Callable[[R_contra, Policy, datetime], Finding]"
    lasting: frozenset[Verdict] = frozenset()


AnyCheck = CheckSpec[Facts, Any]
"""A check of which only is asked what all have."""
