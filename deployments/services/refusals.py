"""Why an act is not done: in words for people, and in a kind for programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from runbook.approvals.gates import InvalidAnswer, Unproven


class Refusal(StrEnum):
    """The kinds of refusal. `failed` is the only one where something was written before."""

    NOT_FOUND = "not-found"
    NOTHING = "nothing-to-do"
    INVALID = "invalid"
    UNPROVEN = "unproven"
    FAILED = "failed"


class ActRefused(Exception):
    """An act that was not done, or not to its end: what is wrong, and what to do next."""

    def __init__(self, kind: Refusal, problem: str, next_step: str) -> None:
        super().__init__(f"{problem}; {next_step}")
        self.kind = kind
        self.problem = problem
        self.next_step = next_step


@contextmanager
def checked(incident: str) -> Iterator[None]:
    """What the rules refuse about that incident, as a refusal."""
    see = f"see `runbook incident {incident}`"
    try:
        yield
    except Unproven as error:
        raise ActRefused(Refusal.UNPROVEN, str(error), see) from None
    except InvalidAnswer as error:
        raise ActRefused(Refusal.INVALID, str(error), see) from None
