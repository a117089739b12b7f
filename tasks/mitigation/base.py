"""What a change must be able to do: show itself, see itself, happen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from blocks.environment import Environment
from runbook.actions import ChangePlan, PlannedAction
from tasks.effects import Act, Observe


@dataclass(frozen=True)
class Change:
    """An action about to be taken. `since` fixes every time that goes into a request, so that a preview can
    be repeated to the letter; `effect_id` is noted on the changed object.
    """

    action: PlannedAction
    environment: Environment
    effect_id: str
    since: datetime


@dataclass(frozen=True)
class Step:
    """One request of a change, an effect of its own. `name` is unique within the action."""

    name: str
    target: str
    summary: str
    observe: Observe
    act: Act


class Mitigation(Protocol):
    """A change of the catalogue."""

    async def preview(self, change: Change) -> ChangePlan:
        """Dry-run the very request that would be sent, and show what it would change.

        Raises:
            OutsideError: the target cannot be read or refuses the request.
        """
        ...

    def steps(self, change: Change) -> tuple[Step, ...]:
        """The requests in their order; the next is sent only when the one before has taken effect."""
        ...
