"""Why an act is not done: in words for people, and in a kind for programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from runbook.actions.catalogue import ChangePlan
from runbook.actions.essence import essence
from runbook.approvals.acts import ActOnClosed
from runbook.approvals.gates import InvalidAnswer, PendingGate, Unproven
from runbook.incidents.incident import Incident
from runbook.value import Value


class Refusal(StrEnum):
    """The kinds of refusal. `failed` is the only one where something was written before.

    `unseen`: an approval does not say which plan was seen.
    """

    NOT_FOUND = "not-found"
    NOTHING = "nothing-to-do"
    UNSEEN = "unseen"
    INVALID = "invalid"
    UNPROVEN = "unproven"
    FAILED = "failed"


class Asked(Value):
    """What an incident asks at this moment, for somebody who has not seen it: the question and its plan."""

    incident: str
    gate: PendingGate
    plan: ChangePlan
    in_one_line: str = ""
    """What the change does, told with the live object; a receiver of an earlier release does not say."""

    @classmethod
    def by(cls, incident: Incident, gate: PendingGate, plan: ChangePlan) -> "Asked":
        """The open question of an incident, without the whole live object: the diff shows what counts."""
        shown = plan.model_copy(update={"live": ""})
        return cls(incident=incident.id, gate=gate, plan=shown, in_one_line=essence(plan))


class ActRefused(Exception):
    """An act that was not done, or not to its end: what is wrong, and what to do next.

    `asked` is there where another plan was named than the one that is asked about, or none.
    """

    def __init__(self, kind: Refusal, problem: str, next_step: str, *, asked: Asked | None = None) -> None:
        super().__init__(f"{problem}; {next_step}")
        self.kind = kind
        self.problem = problem
        self.next_step = next_step
        self.asked = asked


@contextmanager
def checked(incident: str, *, passing: type[InvalidAnswer] | None = None) -> Iterator[None]:
    """What the rules refuse about that incident, as a refusal; `passing` is what the caller tells better."""
    see = f"see `runbook incident {incident}`"
    try:
        yield
    except Unproven as error:
        raise ActRefused(Refusal.UNPROVEN, str(error), see) from None
    except ActOnClosed as error:
        next_step = (
            f"a note is still taken: `runbook note {incident} TEXT`; "
            f"`runbook reopen {incident} --reason TEXT` goes on with it"
        )
        raise ActRefused(Refusal.NOTHING, str(error), next_step) from None
    except InvalidAnswer as error:
        if passing is not None and isinstance(error, passing):
            raise
        raise ActRefused(Refusal.INVALID, str(error), see) from None
