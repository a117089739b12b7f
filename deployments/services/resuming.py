"""Handing the response back after its run has stopped, or people went on by hand."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from blocks.transport.errors import Unavailable
from deployments.services.refusals import ActRefused, Refusal, checked
from deployments.services.speaker import Speaker
from runbook.approvals.names import tidy
from runbook.caretaking.runs import Revival, RunState
from runbook.incidents.incident import Incident
from runbook.outside_text import let_in
from runbook.policy.policy import Policy
from runbook.value import Value

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from blocks.store.journal import IncidentStore


_WAITS = {RunState.DUE: "waits for a worker", RunState.QUEUED: "is queued"}
"""What a run waits for that goes on by itself."""


class Resumed(Value):
    """What became of it: the run that goes on, and how."""

    incident: str
    flow_run: str
    run: str
    done: str
    did: tuple[str, ...]


async def resume_response(
    store: "IncidentStore",
    incident: Incident,
    *,
    done: str,
    did: Sequence[str],
    speaker: Speaker,
    policy: Policy,
    prefect: "Callable[[], AbstractAsyncContextManager[PrefectClient]]",
) -> Resumed:
    """Journal what was done by hand, then have the run go on, or another one in its place.

    Args:
        store: Where the incident is kept.
        incident: The incident, as read before.
        done: What was done by hand, in their words.
        did: Ids of the actions of the plan among it.
        speaker: Who hands it back.
        policy: The rules, as they are now.
        prefect: Opens a client of Prefect; what was done is journalled before that.

    Raises:
        ActRefused: the incident is closed or being worked on, an action is none of its open ones, or this
            person may not.
        Refused: Prefect refused.
        Unavailable: the store or Prefect cannot be reached.
    """
    from tasks.caretaking.resume import record_resumption

    at = datetime.now(UTC)
    with _checked(incident.id):
        handed = await record_resumption(
            store,
            incident,
            done=done,
            did=did,
            by=speaker.name,
            identify=lambda statement: speaker.signed(statement, at=at),
            policy=policy,
            at=at,
        )
    try:
        async with prefect() as client:
            run, how = await _go_on(
                store, handed, client=client, because=f"{tidy(speaker.name)} handed the response back"
            )
    except Unavailable as error:
        kept = "What was done by hand is recorded, but the run does not continue yet"
        next_step = f"{kept}. {error.next_step}, then resume again with nothing more done by hand"
        raise Unavailable(error.system, error.detail, next_step) from error
    return Resumed(incident=incident.id, flow_run=run, run=how, done=let_in(done), did=tuple(did))


async def require_stopped(store: "IncidentStore", found: Incident) -> None:
    """Do nothing if nobody works on the incident.

    Raises:
        ActRefused: it is closed, or its run shows signs of life.
        Unavailable: the store cannot be reached.
    """
    from tasks.caretaking import resume

    with _checked(found.id):
        await resume.require_stopped(store, found)


@contextmanager
def _checked(incident: str) -> Iterator[None]:
    """What is refused, as a refusal."""
    from tasks.caretaking.resume import StillActive

    try:
        with checked(incident, passing=StillActive):
            yield
    except StillActive as error:
        next_step = f"see `runbook incident {incident}`; cancel its run in Prefect to continue by hand"
        raise ActRefused(Refusal.NOTHING, str(error), next_step) from None


async def _go_on(
    store: "IncidentStore", found: Incident, *, client: "PrefectClient", because: str
) -> tuple[str, str]:
    """The run that goes on, and how: continued, or another one started in its place."""
    from tasks.caretaking.runs import ensure_run

    ensured = await ensure_run(found, store=store, client=client, because=because)
    if ensured.how is Revival.BY_ITSELF:
        return ensured.flow_run_id, _WAITS[ensured.was]
    return ensured.flow_run_id, "is started" if ensured.how is Revival.START else "goes on"
