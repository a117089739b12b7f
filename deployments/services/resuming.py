"""Handing the response back after its run has stopped, or people went on by hand."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from blocks.transport.errors import Unavailable
from deployments.services.refusals import ActRefused, Refusal, checked
from deployments.services.speaker import Speaker
from runbook.approvals.authority import require_may_act, resumption_statement
from runbook.approvals.identity import Identity
from runbook.approvals.names import tidy
from runbook.approvals.signatures import Statement
from runbook.caretaking.runs import Revival, RunState
from runbook.incidents.events import ResponseResumed
from runbook.incidents.incident import Incident
from runbook.outside_text import let_in
from runbook.policy.in_force import policy_in_force
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
    from tasks.caretaking.resume import hand_back

    await require_stopped(store, incident)
    _require_open(did, incident)
    who, done = tidy(speaker.name), done.strip()

    def statement(identity: Identity) -> Statement:
        return resumption_statement(incident.id, ResponseResumed(by=who, done=done, identity=identity), did)

    at = datetime.now(UTC)
    identity = speaker.signed(statement, at=at)
    with checked(incident.id):
        require_may_act(who, identity, statement(identity), policy_in_force(incident, policy))
    handed = await hand_back(store, incident, by=who, identity=identity, done=done, actions=did, at=at)
    try:
        async with prefect() as client:
            run, how = await _go_on(store, handed, client=client, because=f"{who} handed the response back")
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
    from tasks.lease import duty

    if found.closed:
        raise ActRefused(Refusal.NOTHING, f"{found.id} is closed", "a new alert opens a new incident")
    held = await store.lease_end(duty(found.id))
    if held is not None and not held.let_go and held.at > datetime.now(UTC):
        raise ActRefused(
            Refusal.NOTHING,
            f"{found.id} is being worked on: its run is active",
            f"see `runbook incident {found.id}`; cancel its run in Prefect to continue by hand",
        )


def _require_open(taken: Sequence[str], found: Incident) -> None:
    from tasks.caretaking.resume import left_to_do

    known = [action.id for action in left_to_do(found)]
    for name in taken:
        if name not in known:
            raise ActRefused(
                Refusal.INVALID,
                f"{found.id} has no unfinished action {name!r}",
                f"unfinished actions: {', '.join(known) or 'none'}",
            )


async def _go_on(
    store: "IncidentStore", found: Incident, *, client: "PrefectClient", because: str
) -> tuple[str, str]:
    """The run that goes on, and how: continued, or another one started in its place."""
    from tasks.caretaking.runs import ensure_run

    ensured = await ensure_run(found, store=store, client=client, because=because)
    if ensured.how is Revival.BY_ITSELF:
        return ensured.flow_run_id, _WAITS[ensured.was]
    return ensured.flow_run_id, "is started" if ensured.how is Revival.START else "goes on"
