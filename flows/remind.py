"""Remind people of approvals that nobody answers and of switches that were left on: on a schedule."""

import asyncio

from prefect import flow

from blocks.environment import Environment
from flows.current_run import flow_run_id
from flows.parameters import checked
from runbook.incidents.incident import Incident
from runbook.incidents.sentences import sentence
from tasks.caretaking.due import due_reminders
from tasks.channels.shown import (
    acknowledge_page,
    announce_missed,
    announce_now,
    publish_text,
    read_public_page,
    refresh_messages,
    refresh_public,
    remind_of_clock,
    remind_of_gate,
    report_switch,
    share_files,
    tell_of_lead,
)
from tasks.incident import OpenIncident, now
from tasks.lease import REMINDERS, exclusively, miss_turn


@flow(name="remind", flow_run_name="housekeeping: remind", validate_parameters=False)
@checked
async def remind(environment: str = "default") -> list[str]:
    """Tell people what is due: reminders, pages, leads and reports. Returns a sentence for each thing told.

    The pager is told which of its pages somebody has acknowledged.

    A suspended run holds no process, so somebody else has to look at the clock: the receiver, which makes a
    run of this flow when something is due, and a slower schedule besides. Nothing is ever applied for lack of
    an answer.

    Args:
        environment: Which configuration to use: the name that `runbook configure` saved it under.
    """
    blocks = await Environment.load(environment)
    run = str(flow_run_id())
    async with exclusively(blocks, REMINDERS, run) as ours:
        if ours:
            return await remind_of_everything(blocks)
    await miss_turn(blocks, REMINDERS, run)
    return []


async def remind_of_everything(environment: Environment) -> list[str]:
    """Tell people everything that is due now; what fails for one incident costs no other its reminder.

    Raises:
        ExceptionGroup: something failed in a way that was not foreseen; all else was told.
    """
    due = await due_reminders(environment, now())
    notices, leads, pages, reports = due.notices, due.leads, due.acknowledged, due.reports
    read = await asyncio.gather(
        *(read_public_page(_open(incident, environment)) for incident in due.public), return_exceptions=True
    )  # first: what a person has written keeps what was promised
    told = await asyncio.gather(
        *(remind_of_gate(_open(incident, environment), notice) for incident, notice in notices),
        *(remind_of_clock(_open(incident, environment), clock) for incident, clock in due.clocks),
        *(tell_of_lead(_open(incident, environment), news) for incident, news in leads),
        *(acknowledge_page(_open(incident, environment), page) for incident, page in pages),
        *(announce_now(_open(incident, environment), update) for incident, update in due.updates),
        *(refresh_public(_open(incident, environment), entry) for incident, entry in due.refreshes),
        *(publish_text(_open(incident, environment), text) for incident, text in due.publications),
        *(announce_missed(_open(incident, environment), channel) for incident, channel in due.missed),
        *(report_switch(_open(incident, environment), action) for incident, action in reports),
        return_exceptions=True,
    )
    shown = await asyncio.gather(
        *(refresh_messages(_open(incident, environment)) for incident, _ in due.messages),
        return_exceptions=True,
    )
    shared = await asyncio.gather(
        *(share_files(_open(incident, environment)) for incident, _ in due.files), return_exceptions=True
    )  # last: people wait for none of them
    if failed := [
        outcome for outcome in [*told, *read, *shown, *shared] if isinstance(outcome, BaseException)
    ]:
        raise BaseExceptionGroup("not all reminders could be sent", failed)
    about = [
        incident.id
        for incident, _ in [
            *(*notices, *due.clocks, *leads, *pages),
            *(*due.updates, *due.refreshes, *due.publications, *due.missed, *reports),
        ]
    ]
    said = [f"{incident}: {sentence(event)}" for incident, event in zip(about, told, strict=True) if event]
    seen = [
        f"{incident.id}: {sentence(event)}"
        for incident, events in zip(due.public, read, strict=True)
        if isinstance(events, list)
        for event in events
    ]
    changed = [
        f"{incident.id}: {len(done)} of its messages brought up to date"
        for (incident, _), done in zip(due.messages, shown, strict=True)
        if isinstance(done, list) and done
    ]
    beside = [
        f"{incident.id}: {len(done)} files shared beside its question"
        for (incident, _), done in zip(due.files, shared, strict=True)
        if isinstance(done, list) and done
    ]
    return [*said, *seen, *changed, *beside]


def _open(incident: Incident, environment: Environment) -> OpenIncident:
    return OpenIncident(id=incident.id, environment=environment)
