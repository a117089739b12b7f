"""The read-only actions of the catalogue, a file for each. A file is found by being here.

It says in its `INSPECTIONS` which action it makes.
"""

import sys

from runbook.actions.spec import ActionKind, ActionName
from tasks.actions.found import found_in, require_all
from tasks.actions.inspections.base import Inspection

INSPECTIONS: dict[ActionName, Inspection] = found_in(sys.modules[__name__], "INSPECTIONS")
require_all(ActionKind.INSPECTION, INSPECTIONS, "tasks/actions/inspections/")

__all__ = ["INSPECTIONS"]
