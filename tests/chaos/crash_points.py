"""Preloaded into a worker: its runs stop once at a chosen point of the journal, to be killed there.

Every step writes into the journal, and every effect before and after it is made. So a stop before and after
each entry is a stop before, in and after every step and effect.

The folder in RUNBOOK_CRASH_POINTS holds the orders: `point` names the point; `reached` is made there, and
the process stands still until there is `go`. Each point that is passed is noted in `passed`.
"""

import os
import re
import time
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

from blocks.store.journal import IncidentStore
from runbook.incidents import events as e

FOLDER = "RUNBOOK_CRASH_POINTS"
STAND_STILL_SECONDS = 20.0
"""Whoever is not killed within this time goes on: the point was meant for another process."""

_POLL_SECONDS = 0.005
_CHANNEL = "(?:slack|email|email-support|teams|teams-support)"


def label(incident_id: str, event: e.Event) -> str:
    """The entry in words that are the same in each incident of a scenario."""
    match event:
        case e.EffectIntended() | e.EffectSettled():
            detail = tail(incident_id, event.effect.id)
        case e.StatusAnnounced():
            detail = f"{event.channel}/{event.state.lower()}"
        case e.EvidenceCollected():
            detail = event.collection
        case e.ArtifactPublished():
            detail = event.key.removeprefix(f"{incident_id}-")
        case e.ActionPreviewed():
            detail = event.plan.action.id
        case e.ActionFinished():
            detail = event.result.action.id
        case e.ApprovalRequested():
            detail = event.action_id
        case e.PublicTextProposed():
            detail = event.message
        case e.PublicTextRefused():
            detail = event.state.lower()
        case e.ClockReminded():
            detail = f"{event.clock} {'missed' if event.missed else 'nearing'}"
        case _:
            detail = ""
    return f"{event.type} {detail}".strip()


def tail(incident_id: str, effect_id: str) -> str:
    """An effect's id without its incident, and without the number that a message has among its like.

    Nor with what is random in the gate of a question, also where a file goes with it: it would have another
    name in each incident.
    """
    own = effect_id.removeprefix(f"{incident_id}/")
    bare = re.sub(rf"^({_CHANNEL}/.*question-.*)-\d+-[0-9a-f]{{16}}$", r"\1", own)
    if "/public-text-" in bare:
        return bare  # another number is another text
    return re.sub(rf"^({_CHANNEL}/.*)-\d+$", r"\1", bare)


def stop_at(when: str, entry: str, folder: Path) -> None:
    """Stand still if this is the point, and nobody has stood here before."""
    point = f"{when} {entry}"
    with (folder / "passed").open("a") as passed:
        passed.write(f"{point}\n")
    orders = folder / "point"
    if not orders.exists() or orders.read_text() != point:
        return
    try:
        with (folder / "reached").open("x") as reached:
            reached.write(str(os.getpid()))
    except FileExistsError:
        return
    deadline = time.monotonic() + STAND_STILL_SECONDS
    while not (folder / "go").exists() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


Append = Callable[..., Coroutine[Any, Any, e.Recorded]]


def stopping(append: Append, folder: Path) -> Append:
    """`IncidentStore.append`, with a point before it and one after it."""

    @wraps(append)
    async def stopping_append(
        self: IncidentStore, incident_id: str, event: e.Event, **options: Any
    ) -> e.Recorded:
        entry = label(incident_id, event)
        stop_at("before", entry, folder)
        recorded = await append(self, incident_id, event, **options)
        stop_at("after", entry, folder)
        return recorded

    return stopping_append


if FOLDER in os.environ:
    setattr(IncidentStore, "append", stopping(IncidentStore.append, Path(os.environ[FOLDER])))  # noqa: B010
