"""Respond to an incident: the runbook, from the alert to the post-mortem draft.

A gate suspends the run; when someone has answered, the flow runs again from the top. Every step looks into
the incident's journal first, so what was done is not done again.
"""

import asyncio
from pathlib import Path
from typing import Annotated

from prefect import flow
from prefect.settings import PREFECT_LOCAL_STORAGE_PATH
from pydantic import Field

from blocks.environment import Environment
from flows.action import take_action
from flows.current_run import flow_run_id, sleep_until, sole_process
from flows.failure import tell_a_person
from flows.gate import agreed_decision
from flows.parameters import checked, run_name
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.spec import ActionKind
from runbook.alerts.alert import Alert
from runbook.channels.told_state import word_is_over
from runbook.checks.recovery import Recovery
from runbook.decision.severity import Severity
from runbook.decision.verdict import Decision, Verdict
from runbook.evidence.manifest import before_mitigation, last_collection
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import DecisionMade, IncidentAbsorbed
from runbook.incidents.incident import PERSON
from runbook.incidents.loose_ends import removal_of, switches_to_take_off
from runbook.incidents.outcome import IncidentReport, conclude
from runbook.incidents.state import IncidentOutcome, State
from tasks.actions.outage import NoLongerNeeded
from tasks.actions.shown import tell_of_unfinished_rollout, wait_for_rollout
from tasks.artifacts import publish_decision, publish_timeline, publish_triage
from tasks.channels.page import NO_DECISION
from tasks.channels.shown import (
    announce,
    escalate,
    page_on_opening,
    resolve_absorbed,
    resolve_page,
    show_messages,
    tell_of_merger,
    tell_of_new_verdict,
    update,
)
from tasks.checks.shown import (
    decide_response,
    look_again,
    note_dispute,
    note_maintenance,
    triage_incident,
    watch_until_recovered,
)
from tasks.ended import Ended, require_open
from tasks.evidence.keep import keep_evidence
from tasks.evidence.shown import leave_paper
from tasks.incident import OpenIncident
from tasks.leave_draft import leave_draft
from tasks.shown import close, note_pause, open_incident, resolve, withdraw_question
from tasks.waiting import Waiting, asks_about, is_given_up, pause_watch, with_next_look

# What a parameter means stands in the flow's docstring: Prefect's form takes descriptions only from there.
Service = Annotated[str, Field(min_length=1, max_length=255)]
Summary = Annotated[str, Field(min_length=1)]


@flow(
    name="respond",
    flow_run_name=run_name("{service}: {summary}"),
    validate_parameters=False,
    persist_result=False,
    # Named, so that Prefect does not ask its server for one. No result is kept.
    result_storage=Path(PREFECT_LOCAL_STORAGE_PATH.value()),
    on_failure=[tell_a_person],
    on_cancellation=[tell_a_person],
)
@checked
async def respond(
    service: Service = "posthog-integration",
    summary: Summary = "PostHog integration in trouble",
    severity: Severity | None = None,
    incident: str | None = None,
    requested_by: str = "",
    dry_run: bool = False,
    environment: str = "default",
) -> IncidentReport:
    """Respond to a PostHog incident: triage, decide, mitigate, communicate, collect evidence, draft.

    Nothing outside is changed before a person has approved exactly that change.

    Args:
        service: The service that is in trouble.
        summary: What you see, in one line.
        severity: Your own estimate. The runbook assesses the severity from what it finds; yours decides where
            the facts do not suffice.
        incident: Id of an incident that is open already, in this environment; leave it empty to open one.
        requested_by: Your name. Whoever asks for a high-risk change is not its only approver.
        dry_run: A rehearsal: do everything except change the cluster, page somebody or publish. It is fixed
            when the incident is opened.
        environment: Which configuration to use: the name that `runbook configure` saved it under.
    """
    blocks = await Environment.load(environment)
    alert = Alert(
        source=PERSON,
        service=service,
        name="manual",
        summary=summary,
        severity=severity,
        requested_by=requested_by,
    )
    opened, ours = await open_incident(
        blocks, alert, incident_id=incident, flow_run_id=flow_run_id(), dry_run=dry_run
    )
    if not ours:
        return IncidentReport.of(await opened.read(), joined=True)

    try:
        async with sole_process(opened) as current:
            return await wrap_up(current, await bring_to_an_end(current))
    except Waiting as waiting:
        await sleep_until(waiting.until)


async def bring_to_an_end(incident: OpenIncident) -> IncidentOutcome:
    """The response itself: understand, mitigate, watch. It ends with a recovery, or when a person says so."""
    try:
        while True:
            await require_going_on(incident)
            decision = await agreed_decision(incident)
            if decision is None:
                decision = await understand(incident)
                await require_going_on(incident)
                await get_ready(incident, decision)
            recovery = await act_on(incident, decision)
            if recovery is not None and recovery.recovered:
                return await end(incident, decision, recovery)
            if decision.verdict is Verdict.UNKNOWN or recovery is not None:
                await wait(incident, decision, recovery)
    except Ended as ended:
        return ended.outcome


async def require_going_on(incident: OpenIncident) -> None:
    """Make sure that the response goes on, or that a change has begun, which is to be proved first.

    Raises:
        Ended: somebody has ended it.
    """
    journal = await incident.read()
    if not journal.changing:
        require_open(journal)


async def act_on(incident: OpenIncident, decision: Decision) -> Recovery | None:
    """Mitigate and watch; how the watch ended. `None` where there is nothing to act on, or to decide anew."""
    if decision.verdict is Verdict.UNKNOWN or not await mitigate(incident, decision):
        return None
    await page_on_opening(incident)  # where the severity has risen since the question
    return await watch(incident, decision)


async def wait(incident: OpenIncident, decision: Decision, recovery: Recovery | None) -> None:
    """Wait for new facts; page a person where the runbook cannot go on by itself.

    Returns where the facts ask for another decision.

    Raises:
        Waiting: they do not yet; no process is held meanwhile.
    """
    await update(incident)
    if recovery is not None and not await is_given_up(incident):
        raise Waiting(await pause_watch(incident))
    if recovery is None:
        what, because = Escalation(kind=EscalationKind.NO_DECISION), NO_DECISION
    else:
        what = Escalation(kind=EscalationKind.NOT_OVER)
        because = f"not over within the watch limit: {'; '.join(recovery.because)}"
    await escalate(incident, what, await with_next_look(incident, because))
    if not await look_again(incident, decision):
        raise Waiting(await note_pause(incident, because))


async def understand(incident: OpenIncident) -> Decision:
    """Triage and decide, and tell people what is known; again after a plan was outdated.

    Raises:
        Ended: somebody has ended the incident meanwhile.
    """
    round = (await incident.read()).round
    if round > 1:
        await tell_of_new_verdict(incident, round=round)
        await wait_for_rollout(incident, round=round)
    findings, _ = await asyncio.gather(
        triage_incident(incident, round=round), announce(incident, State.INVESTIGATING)
    )
    await require_going_on(incident)
    decision = await decide_response(incident, findings, round=round)
    await note_maintenance(incident, findings)
    await asyncio.gather(
        publish_triage(incident, findings, round=round),
        publish_decision(incident, decision, round=round),
        page_on_opening(incident),
        leave_paper(incident),
    )
    return decision


async def get_ready(incident: OpenIncident, decision: Decision) -> None:
    """Tell people what is to be done, and keep what a change would destroy."""
    if decision.plan:
        await announce(incident, State.IDENTIFIED)
    elif word_is_over(journal := await incident.read(), incident.policy):
        await announce(incident, journal.state.told)  # people were told more by somebody's word
    if any(action.spec.kind is ActionKind.CHANGE for action in decision.plan):
        await keep_evidence(incident, before_mitigation(await incident.read()))


async def mitigate(incident: OpenIncident, decision: Decision) -> bool:
    """Take the actions of the plan, one at a time.

    Once all alerts are resolved, what has not begun is left out: the watch checks whether it is over.
    Returns false if the plan is outdated: the runbook has to decide again.
    """
    for action in decision.plan:
        journal = await incident.read()
        if action.id not in journal.results:
            require_open(journal, action)
        if asks_about(journal, action) and await look_again(incident, decision):
            return False
        if journal.alerts_over and action in journal.untaken:
            await withdraw_question(incident)
            return True
        try:
            taken = await take_action(incident, action)
        except NoLongerNeeded:
            return True
        if taken.outdated or (
            taken.outcome is ActionOutcome.REJECTED and await note_dispute(incident, action.id)
        ):
            return False
    return True


async def watch(incident: OpenIncident, decision: Decision) -> Recovery | None:
    """Watch until it is over; `None` where an alert fires again and something is left to do about it.

    The state is not monitoring while nothing was done about what was found.
    """
    if (await incident.read()).something_done:
        await announce(incident, State.MONITORING)
    return await watch_until_recovered(incident, decision)


async def end(incident: OpenIncident, decision: Decision, recovery: Recovery) -> IncidentOutcome:
    """It is over: offer to take the temporary switches off again."""
    await remove_switches(incident)
    await tell_of_unfinished_rollout(incident)
    made = (await incident.read()).events(DecisionMade)
    outcome = conclude(decision, recovery, earlier=tuple(event.decision for event in made))
    return await resolve(incident, outcome, recovery.because)


async def remove_switches(incident: OpenIncident) -> None:
    """Each switch that this incident turned on is offered for removal, as a change with its own approval."""
    for switched_on in switches_to_take_off(await incident.read()):
        await take_action(incident, removal_of(switched_on))


async def wrap_up(incident: OpenIncident, outcome: IncidentOutcome) -> IncidentReport:
    """Say how it ended, keep the evidence, draft the post-mortem, and let go."""
    if outcome.good:
        await announce(incident, State.RESOLVED)
        if (await incident.read()).events(IncidentAbsorbed):
            await resolve_absorbed(incident)
    if outcome is IncidentOutcome.MERGED:
        await tell_of_merger(incident)
    if outcome.good or outcome is IncidentOutcome.MERGED:
        await resolve_page(incident)
    await keep_evidence(incident, last_collection(await incident.read()))
    path = await leave_draft(incident)
    await publish_timeline(incident)
    await close(incident, outcome)
    await show_messages(incident)
    return IncidentReport.of(await incident.read(), postmortem=path)
