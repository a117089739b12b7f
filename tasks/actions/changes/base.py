"""What a change must be able to do: show itself, see itself, happen; and be undone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, runtime_checkable

from blocks.environment import Environment
from blocks.kubernetes.cluster import Cluster
from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.actions.spec import ActionSpec
from runbook.kubernetes.reversals import Reversal
from runbook.policy.policy import Policy
from tasks.effects import Act, Observe, no_traces


@dataclass(frozen=True)
class Change:
    """An action about to be taken. `since` fixes every time that goes into a request, so that a preview can
    be repeated to the letter; `effect_id` is noted on the changed object. `policy` is the one in force for
    the incident. `done` is the plan that an undo takes back, or whose switch a removal takes off.
    """

    action: PlannedAction
    environment: Environment
    effect_id: str
    since: datetime
    policy: Policy
    done: ChangePlan | None = None

    def of(self, done: ChangePlan) -> "Change":
        """The change that was made, for those who have to know what it had set."""
        return replace(self, action=done.action)


@dataclass(frozen=True)
class Step:
    """One request of a change, and one effect. `name` is unique within the action.

    `traces` tells that it was made once, where somebody has changed the same since.
    """

    name: str
    target: str
    summary: str
    observe: Observe
    act: Act
    traces: Observe = no_traces


class Mitigation(Protocol):
    """A change of the catalogue."""

    async def preview(self, change: Change) -> ChangePlan:
        """Dry-run the very request that would be sent, and show what it would change.

        Raises:
            OutsideError: the target cannot be read or refuses the request.
        """
        ...

    def steps(self, change: Change, plan: ChangePlan) -> tuple[Step, ...]:
        """The requests in their order; the next is sent only when the one before has taken effect.

        Each is bound to the version of the object that the plan was made on.
        """
        ...


@runtime_checkable
class Reversible(Mitigation, Protocol):
    """A change that can be taken back: what it set is put back to what it was, and nothing else."""

    async def preview_undo(self, change: Change, done: ChangePlan) -> ChangePlan:
        """Dry-run the undo. Blocked where somebody else has changed the same since: theirs is kept.

        Raises:
            OutsideError: the target cannot be read or refuses the request.
        """
        ...

    def undo_steps(self, change: Change, plan: ChangePlan, done: ChangePlan) -> tuple[Step, ...]:
        """The requests of the undo, as `steps`."""
        ...


@runtime_checkable
class Lasting(Mitigation, Protocol):
    """A change of more than a single field, which itself can tell whether it still stands."""

    async def reversal(self, cluster: Cluster, plan: ChangePlan) -> Reversal | None:
        """How what the plan has set was changed since; `None` while it stands.

        Raises:
            OutsideError: the target cannot be read.
        """
        ...


Mitigations = Mapping[ActionSpec, Mitigation]
"""Which actions a file makes, and how."""
