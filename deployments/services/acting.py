"""What a person does about an incident beside answering: lead it, acknowledge it, write a note, end it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployments.services.refusals import checked
from deployments.services.speaker import Speaker
from runbook.approvals.acts import Act
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tasks.acts import Acted, record_act

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from blocks.store.journal import IncidentStore


async def act_on_incident(
    store: "IncidentStore",
    incident: Incident,
    act: Act,
    *,
    speaker: Speaker,
    policy: Policy,
    prefect: "Callable[[], AbstractAsyncContextManager[PrefectClient]]",
    key: str | None = None,
) -> Acted:
    """Journal an act of somebody whom the receiver or a key may have proven, and have its run notice it.

    Where Prefect is away, the act stands, and its result says so: the run goes on when Prefect is back.
    `key` is that of a request which may come twice, see `record_act`.

    Raises:
        ActRefused: the incident is closed and it is no note, the act is not complete, or this person may not.
        Unavailable: the store cannot be reached.
    """
    from tasks.caretaking.going_on import NOTICED_BY_THE_RUN, go_on_in_time

    at = datetime.now(UTC)
    with checked(incident.id):
        done = await record_act(
            store,
            incident,
            act,
            by=speaker.name,
            identify=lambda statement: speaker.signed(statement, at=at),
            policy=policy,
            at=at,
            key=key,
        )
    if act.kind not in NOTICED_BY_THE_RUN:
        return done
    waits = await go_on_in_time(incident.id, by=done.by, store=store, prefect=prefect)
    return done.model_copy(update={"waits_for": waits}) if waits else done
