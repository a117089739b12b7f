"""The facts of a check, as a model and as they stand in a journal."""

from typing import Self, TypeVar

from pydantic import ConfigDict, PrivateAttr, RootModel, ValidationError

from runbook.outside_text import OutsideFields
from runbook.value import Value


class Facts(Value):
    """What a check saw; each check has its own model.

    Every fact has a default, `None` or empty, which says that it was not seen. So journals of releases that
    did not have the fact yet can be read, and a check without an answer has facts, too.
    """


F = TypeVar("F", bound=Facts)


class RecordedFacts(RootModel[OutsideFields]):
    """The facts of some check as a journal has them: a JSON object.

    Whoever wants to know one asks for the model of the check, see `runbook.checks.spec.CheckSpec`.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
    _read: dict[type[Facts], Facts] = PrivateAttr(default_factory=dict)

    @classmethod
    def of(cls, facts: Facts) -> Self:
        """The facts as they are recorded."""
        return cls(facts.model_dump(mode="json"))

    def read(self, kind: type[F]) -> F:
        """The facts as the model of their check.

        Another release may have written them: what the model does not know is left out, and what it cannot
        read counts as not seen.
        """
        known = self._read.get(kind)
        if not isinstance(known, kind):
            known = self._read[kind] = _read(kind, self)
        return known

    def __eq__(self, other: object) -> bool:
        return self.root == other.root if isinstance(other, RecordedFacts) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # a JSON object has none either


def _read(kind: type[F], recorded: RecordedFacts) -> F:
    told = {name: fact for name, fact in recorded.root.items() if name in kind.model_fields}
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        unreadable = {flaw["loc"][0] for flaw in error.errors()}
        return kind.model_validate({name: fact for name, fact in told.items() if name not in unreadable})
