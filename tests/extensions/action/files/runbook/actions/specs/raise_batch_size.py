"""Send events to PostHog in larger batches, which takes fewer requests."""

from typing import TYPE_CHECKING

from runbook.actions.by_hand import switch_on_command
from runbook.actions.spec import (
    CHANGES_WORKLOAD,
    ActionKind,
    ActionName,
    ActionSpec,
    ByHand,
    Parameter,
    Proof,
    Risk,
)
from runbook.actions.switch import Switch
from runbook.checks.specs.error_rate import ERROR_RATE

if TYPE_CHECKING:
    from runbook.policy.policy import Policy

VARIABLE = "POSTHOG_BATCH_SIZE"
MOST_EVENTS = 1000


def events_flaw(value: str, _policy: "Policy") -> str | None:
    """Why this cannot be the new number of events in a batch, `None` where it can."""
    if not value.isdecimal() or not 1 <= int(value) <= MOST_EVENTS:
        return f"{value!r} is not a number from 1 to {MOST_EVENTS}"
    return None


RAISE_BATCH_SIZE = ActionSpec(
    name=ActionName("raise_batch_size"),
    title="Send events in larger batches",
    kind=ActionKind.CHANGE,
    risk=Risk.LOW,
    success="the rollout finishes and the rate of 429 falls under the threshold",
    proof=Proof(checks=(ERROR_RATE,), errors_like="429"),
    editable=(Parameter(name="events", flaw=events_flaw, as_stored=lambda value: str(int(value))),),
    undo="put the number of events back to what it was",
    reversible=True,
    by_hand=ByHand(
        when="429, although requests are queued: larger batches:",
        commands=lambda target, _policy: [
            switch_on_command(Switch(variable=VARIABLE, value=str(MOST_EVENTS)), target)
        ],
    ),
    rights=CHANGES_WORKLOAD,
)
