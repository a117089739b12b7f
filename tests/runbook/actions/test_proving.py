"""A success is proved by holding for its window; what nobody could tell is unknown."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook.actions.catalogue import ActionOutcome
from runbook.actions.proving import proof_deadline, proved_outcome
from runbook.checks.recovery import Recovery
from runbook.policy.policy import Policy

BEGAN_AT = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
POLICY = Policy(success_deadline_seconds=60, hold_seconds=30)


@pytest.mark.parametrize(
    ("recovered", "held_since", "seconds", "outcome"),
    [
        (True, 0, 29, None),
        (True, 0, 30, ActionOutcome.RECOVERED),
        (True, 60, 89, None),
        (True, 60, 90, ActionOutcome.RECOVERED),  # it began to hold in time
        (True, 61, 90, ActionOutcome.NOT_RECOVERED),  # it began to hold too late
        (False, None, 89, None),
        (False, None, 90, ActionOutcome.NOT_RECOVERED),
        (None, None, 89, None),
        (None, None, 90, ActionOutcome.UNKNOWN),
    ],
)
def test_how_a_proof_ends(
    recovered: bool | None, held_since: int | None, seconds: int, outcome: ActionOutcome | None
) -> None:
    """It ends when the success has held, or at the deadline."""
    assert (
        proved_outcome(
            Recovery(recovered=recovered, because=("seen",)),
            held_since=None if held_since is None else BEGAN_AT + timedelta(seconds=held_since),
            deadline=proof_deadline(BEGAN_AT, POLICY),
            policy=POLICY,
            now=BEGAN_AT + timedelta(seconds=seconds),
        )
        is outcome
    )
