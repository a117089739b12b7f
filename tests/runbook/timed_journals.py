"""Incidents whose events happened at given times, for what is due later."""

from datetime import UTC, datetime, timedelta

from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, FALLBACK, effect

ASKED_AT = datetime(2026, 11, 22, 15, 2, tzinfo=UTC)
POLICY = Policy(remind_after_seconds=300, escalate_after_seconds=900)
QUEUE = FALLBACK.model_copy(update={"id": "2-enable-request-queue", "name": ENABLE_REQUEST_QUEUE.name})
DAY = 24 * 3600

Timed = tuple[float, e.Event]
"""Seconds after `ASKED_AT`, and what was journalled then."""


def journal(*timed: Timed, name: str = "inc-1", opened: float = -120) -> Incident:
    """An incident to which these events happened at these times."""
    events = [(opened, e.IncidentOpened(alert=ALERT)), *timed]
    return Incident.from_events(
        name,
        [
            e.Recorded(seq=number, at=ASKED_AT + timedelta(seconds=seconds), event=event)
            for number, (seconds, event) in enumerate(events, start=1)
        ],
    )


def failed(kind: str = "slack", outcome: EffectOutcome = EffectOutcome.FAILED) -> e.EffectSettled:
    """A message that did not get through."""
    return e.EffectSettled(effect=effect(outcome, kind=kind))
