"""Somebody else's rollout: it is left to finish before anybody judges what came of it."""

import asyncio
from datetime import timedelta

from blocks.transport.errors import OutsideError, Unavailable
from runbook.incidents.events import TriageStarted
from tasks.channels.shown import update
from tasks.incident import OpenIncident, now

_LONGEST_PAUSE_SECONDS = 1.0


async def wait_for_rollout(incident: OpenIncident, *, round: int) -> None:
    """Wait until the rollout under way has finished or failed, or until the rollout deadline.

    A promised update is given meanwhile. Triage says what came of it, and what cannot be read. One whose
    triage has begun is waited for no more.
    """
    if any(event.round == round for event in (await incident.read()).events(TriageStarted)):
        return
    deadline = now() + timedelta(seconds=incident.policy.rollout_deadline_seconds)
    while now() < deadline:
        try:
            if (await incident.environment.cluster.workload.rollout_status()).state != "progressing":
                return
        except Unavailable:
            pass  # it may answer again within the deadline
        except OutsideError:
            return
        await update(incident)
        await asyncio.sleep(min(_LONGEST_PAUSE_SECONDS, incident.policy.watch_poll_seconds))
