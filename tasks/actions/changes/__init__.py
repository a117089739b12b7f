"""The changes of the catalogue, each as a small class. A file is found by being here.

It says in its `MITIGATIONS` which action it makes. What several changes share is here too, and has none.

More than 15 files: the folder grows by one for each change.
"""

import sys

from runbook.actions.catalogue import ChangePlan
from runbook.actions.spec import ActionKind, ActionName
from runbook.actions.specs.undo import UNDO
from tasks.actions.changes.base import Change, Mitigation, Step
from tasks.actions.changes.binding import at_its_place
from tasks.actions.changes.undo import Undo
from tasks.actions.found import found_in, require_all

MITIGATIONS: dict[ActionName, Mitigation] = found_in(sys.modules[__name__], "MITIGATIONS")
MITIGATIONS[UNDO.name] = Undo(MITIGATIONS)
require_all(ActionKind.CHANGE, MITIGATIONS, "tasks/actions/changes/")


def steps_of(change: Change, plan: ChangePlan) -> tuple[Step, ...]:
    """The requests of a plan in their order, each at its place only, see `tasks.actions.changes.binding`."""
    steps = MITIGATIONS[plan.action.name].steps(change, plan)
    return tuple(at_its_place(change, plan, step) for step in steps)


__all__ = [
    "MITIGATIONS",
    "Mitigation",
    "base",
    "binding",
    "set_field",
    "standing",
    "steps_of",
    "undo",
    "workload",
]
