"""What an inspection must be able to do."""

from collections.abc import Awaitable, Callable, Mapping

from blocks.environment import Environment
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.spec import ActionSpec

Inspection = Callable[[Environment], Awaitable[tuple[ActionOutcome, str]]]
"""Makes the inspection, and returns how it ended and what it saw, in one line. May raise `OutsideError`."""

Inspections = Mapping[ActionSpec, Inspection]
"""Which actions a file makes, and how."""
