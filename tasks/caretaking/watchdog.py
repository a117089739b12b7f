"""The watchdog: checks the runs of open incidents, and continues those that have stopped.

It runs on a schedule, and in the receiver in case the worker is what died. Whatever it does may be done
twice without harm: a run that is continued fences off the process before it.
"""

import asyncio
from collections.abc import Awaitable

from prefect.client.orchestration import PrefectClient
from prefect.logging import get_logger

from blocks.environment import Environment
from blocks.logs import own_lines
from blocks.store.overview import incident_of_run
from blocks.transport.errors import OutsideError
from blocks.transport.prefect_api import prefect_client
from runbook.caretaking.runs import Revival, Run, RunState, newest_run
from runbook.caretaking.watchdog import (
    ADOPT_AFTER,
    BY_HAND_SINCE,
    CLOSED_SINCE,
    REMINDERS_LATE,
    Care,
    CareKind,
    due_care,
    stopped_before_opening,
    told_of_doubt,
)
from runbook.channels.reminders import due_notice
from runbook.incidents.incident import Incident
from tasks.caretaking.in_doubt import read_changes_in_doubt
from tasks.caretaking.runs import continue_run, ensure_run, interrupted_by_hand, read_run, wake_run
from tasks.channels.page import escalate
from tasks.channels.remind import remind_of_gate
from tasks.evidence.paper import how_to_go_on, leave_paper
from tasks.incident import OpenIncident, now
from tasks.incidents import open_incidents
from tasks.lease import last_sign_of_life

log = own_lines(get_logger("runbook"))

PATIENCE_SECONDS = 5.0
"""How long Prefect may take to say that it is there."""

CARE_SECONDS = 60.0
"""How long looking after one incident may take: all of it may be done again."""

SETTLE_SECONDS = 20.0
"""How long a person who has to be paged may wait for what can be read of changes in doubt."""


async def look_after(environment: Environment) -> list[str]:
    """Look after all incidents of an environment; says what was done, a sentence for each.

    Raises:
        Unavailable: the incident store cannot be reached.
    """
    incidents = await open_incidents(environment, or_closed_since=now() - CLOSED_SINCE)
    try:
        async with prefect_client() as client:
            async with asyncio.timeout(PATIENCE_SECONDS):  # the client itself would try again and again
                await client.hello()
            done = [await _attempt(it.id, _look_after_run(environment, it, client)) for it in incidents]
            async with asyncio.timeout(CARE_SECONDS):
                done += await _look_after_runs_by_hand(environment, client)
    except (OutsideError, TimeoutError) as error:
        log.warning("Prefect does not answer the watchdog: %s", str(error) or "no answer in time")
        done = [await _attempt(it.id, _look_after_run(environment, it, None)) for it in incidents]
    done += [await _attempt(it.id, _remind(environment, it)) for it in incidents]
    return [sentence for sentence in done if sentence]


async def note_policies(environment: Environment) -> None:
    """Journal an edit of the policy while a run sleeps: people see it beside the open question.

    Only for runs, which act by the policy that Prefect keeps; a receiver's settings file may be another one.

    Raises:
        Unavailable: the incident store cannot be reached.
    """
    for incident in await open_incidents(environment):
        if newest_run(incident) is not None:
            await OpenIncident(id=incident.id, environment=environment).note_policy()


async def _attempt(incident: str, work: Awaitable[str]) -> str:
    """What was done; a defect or an outage met with one incident costs no other its care."""
    try:
        async with asyncio.timeout(CARE_SECONDS):
            did = await work
    except Exception as error:
        log.error("%s was not checked: %s: %s", incident, type(error).__name__, error)
        return f"{incident}: not checked ({type(error).__name__})"
    return f"{incident}: {did}" if did else ""


async def _look_after_run(environment: Environment, incident: Incident, client: PrefectClient | None) -> str:
    """What was done for the newest run of an incident, nothing if it needs nothing.

    A process writes to the journal first, then lets go of its lease, then tells Prefect. Read the other way
    round, so that a run which comes to its end meanwhile is not taken for one that has stopped.
    """
    run_id, at = newest_run(incident), now()
    if run_id is None:
        return await _adopt(environment, incident, client)
    if client is None:
        run = Run(id=run_id, state=RunState.UNREACHABLE, since=incident.journal[-1].at)
    else:
        run = await read_run(client, run_id)
    opened = OpenIncident(id=incident.id, environment=environment)
    alive_at = await last_sign_of_life(opened)
    incident = await opened.read()
    if newest_run(incident) != run_id:
        return ""
    care = due_care(incident, run, alive_at=alive_at, policy=opened.policy, now=at)
    match care.kind:
        case CareKind.LEAVE:
            return ""
        case CareKind.PAGE:
            if not told_of_doubt(incident):  # else what is read now would page a second time
                incident = await _settled(opened)
                care = due_care(incident, run, alive_at=alive_at, policy=opened.policy, now=at)
            return await _page(opened, incident, care)
    if client is None:
        return ""
    if care.kind is CareKind.WAKE:
        await wake_run(incident, run, store=environment.store, client=client)
        return f"its run goes on: {care.because}"
    ensured = await ensure_run(
        incident, store=environment.store, client=client, because=care.because, run=run
    )
    done = "another run is started" if ensured.how is Revival.START else "its run is continued"
    return f"{done}: {care.because}"


async def _settled(opened: OpenIncident) -> Incident:
    """The incident, with its changes in doubt read as far as time allows: a page waits for that."""
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            await read_changes_in_doubt(opened)
    except TimeoutError:
        log.warning("%s: its changes in doubt could not be read in time", opened.id)
    return await opened.read()


async def _adopt(environment: Environment, incident: Incident, client: PrefectClient | None) -> str:
    """Start the response that nobody has started, as when the receiver died in between."""
    if client is None or now() - incident.begun_at < ADOPT_AFTER:
        return ""
    await ensure_run(incident, store=environment.store, client=client, because="it had no run")
    return "its run is started: it had none"


async def _page(opened: OpenIncident, incident: Incident, care: Care) -> str:
    """Page a person, unless that was done for the same; where to go on by hand is part of the page."""
    if care.what is None:
        return ""
    because = f"the response has stopped: {care.because}. {how_to_go_on(opened)}"
    told = await escalate(opened, care.what, because, in_doubt=care.in_doubt)
    paged = told and len((await opened.read()).journal) > len(incident.journal)
    await leave_paper(opened)
    return f"a person is paged: {care.because}" if paged else ""


async def _remind(environment: Environment, incident: Incident) -> str:
    """Send the reminder that the schedule should already have sent."""
    policy = environment.runbook_policy.policy
    notice = due_notice(incident, policy=policy, now=now() - REMINDERS_LATE)
    if notice is None:
        return ""
    told = await remind_of_gate(OpenIncident(id=incident.id, environment=environment), notice)
    return f"reminded of {notice.gate.gate}" if told else ""


async def _look_after_runs_by_hand(environment: Environment, client: PrefectClient) -> list[str]:
    """Continue the runs that were interrupted before they had opened an incident."""
    at, policy = now(), environment.runbook_policy.policy
    done = []
    for run in await interrupted_by_hand(client, environment.name, since=at - BY_HAND_SINCE):
        if await incident_of_run(environment.store, run.id) is None and stopped_before_opening(
            run, policy=policy, now=at
        ):
            await continue_run(client, run.id)
            done.append(f"run {run.id} is continued: it had stopped before it opened an incident")
    return done
