"""What housekeeping is due now, and a run for each kind of it, only then.

A schedule of Prefect makes a run whether there is something to do or not, and dozens of runs that did nothing
hide the one that answers an incident. Whoever looks anyway, as the receiver does after the runs of incidents,
looks here too and makes a run of what is due. The schedules stay, at a slower pace, for when no receiver is
there to look.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from prefect.exceptions import ObjectNotFound

from blocks.channels.channel import Unsearchable
from blocks.environment import Environment
from blocks.transport.errors import Refused
from blocks.transport.prefect_api import prefect_client
from runbook.actions.catalogue import PlannedAction
from runbook.channels.acknowledging import AcknowledgedPage, due_acknowledgements
from runbook.channels.reminders import (
    LeadNews,
    Notice,
    due_lead,
    due_notice,
    due_reports,
    is_time,
)
from runbook.channels.updates import DueUpdate, due_update, missed_announcements
from runbook.clocks.promises import DueClock, due_clocks
from runbook.evidence.manifest import due_collections
from runbook.incidents.incident import Incident
from runbook.public.gate import DuePublication, due_publications
from runbook.public.refreshing import DueRefresh, due_refreshes, has_public_entry
from tasks.channels.files import lacking_files
from tasks.channels.refresh import stale_messages
from tasks.channels.remind import audiences
from tasks.incidents import (
    incidents_to_collect_from,
    incidents_with_public_texts,
    incidents_with_switches,
    open_incidents,
)
from tasks.lease import REMINDERS, next_turn

REMIND, COLLECT = "remind/remind", "collect-evidence/collect-evidence"

PREFECT_SECONDS = 15.0
"""How long Prefect may take to start a run: its client would try for hours, and runs need their care."""

TRIED_AGAIN_SECONDS = 600
"""What is still due after this gets another run: the one before could not do it.

A run that died, or that found another one at it, was no try: see `tasks.lease.next_turn`.
"""

KEPT_TRUE = timedelta(hours=1)
"""How long after its end what a channel shows of an incident is looked at: it may have been away then."""


TEXTS_KEPT = timedelta(days=7)
"""How long after an incident's end a text for the public may still be published."""


@dataclass(frozen=True)
class DueReminders:
    """What people have to be told now."""

    notices: Sequence[tuple[Incident, Notice]]
    leads: Sequence[tuple[Incident, LeadNews]]
    acknowledged: Sequence[tuple[Incident, AcknowledgedPage]]
    reports: Sequence[tuple[Incident, PlannedAction]]
    updates: Sequence[tuple[Incident, DueUpdate]] = ()
    """The updates that people have asked for."""

    clocks: Sequence[tuple[Incident, DueClock]] = ()
    """The clocks that near their end or were missed."""
    refreshes: Sequence[tuple[Incident, DueRefresh]] = ()
    """The public entries that have to say again where things stand."""

    publications: Sequence[tuple[Incident, DuePublication]] = ()
    """The texts for the public that may go out now."""

    public: Sequence[Incident] = ()
    """The incidents with an open public entry, in which people may have written: read at each look."""

    missed: Sequence[tuple[Incident, str]] = ()
    """The channels that did not take the newest announcement of an incident."""

    messages: Sequence[tuple[Incident, Sequence[str]]] = ()
    """The incidents of which a channel shows something that is not true any more."""

    files: Sequence[tuple[Incident, Sequence[str]]] = ()
    """The incidents whose question lacks a file, each with what tells one attempt at it from the next."""

    @property
    def about(self) -> list[str]:
        """What tells this from what is due at another time."""
        told = [f"{incident.id} {notice!r}" for incident, notice in self.notices]
        told += [f"{incident.id} {news!r}" for incident, news in self.leads]
        told += [f"{incident.id} update of {update.at}" for incident, update in self.updates]
        told += [f"{incident.id} {clock.event.journal_key}" for incident, clock in self.clocks]
        told += [f"{incident.id} refresh since {entry.told_at}" for incident, entry in self.refreshes]
        told += [f"{incident.id} text {text.proposal}" for incident, text in self.publications]
        told += [f"{incident.id} missed in {channel}" for incident, channel in self.missed]
        told += [f"{page.page.id} acknowledged" for _, page in self.acknowledged]
        told += [f"{incident.id} {message}" for incident, stale in self.messages for message in stale]
        told += [f"{incident.id} {file}" for incident, lacking in self.files for file in lacking]
        return [*told, *(f"{incident.id} {action.id}" for incident, action in self.reports)]


async def due_reminders(environment: Environment, at: datetime) -> DueReminders:
    """The reminders, pages, leads, acknowledgements of pages and reports that are due.

    Raises:
        Unavailable: the store cannot be reached.
    """
    policy = environment.runbook_policy.policy
    shown = await open_incidents(environment, or_closed_since=at - KEPT_TRUE)
    known = {incident.id for incident in shown}
    asked = await incidents_with_public_texts(environment, closed_since=at - TEXTS_KEPT)
    shown += [incident for incident in asked if incident.id not in known]
    going_on = [incident for incident in shown if not incident.closed]
    channels = [channel.kind for channel in environment.speakers]
    pagers = [channel.kind for channel in environment.paging_channels]
    unsearchable = [it.kind for it in environment.announcers if isinstance(it, Unsearchable)]
    notices = ((incident, due_notice(incident, policy=policy, now=at)) for incident in going_on)
    leads = (
        (incident, due_lead(incident, channels=channels, policy=policy, now=at)) for incident in going_on
    )
    told = {incident.id: audiences(environment, incident) for incident in shown}
    updates = (
        (incident, due_update(incident, channels=told[incident.id][0], policy=policy, now=at))
        for incident in going_on
    )
    messages, files = [], []
    for incident in shown:
        if lacking := lacking_files(environment, incident, at):
            files.append((incident, lacking))
        if stale := stale_messages(environment, incident, at):
            messages.append((incident, stale))
        await asyncio.sleep(0)  # the receiver, which looks here, has to answer meanwhile
    return DueReminders(
        notices=[(incident, notice) for incident, notice in notices if notice is not None],
        leads=[(incident, news) for incident, news in leads if news is not None],
        acknowledged=[
            (incident, page)
            for incident in going_on
            for page in due_acknowledgements(incident, pagers=pagers, policy=policy, now=at)
        ],
        updates=[(incident, update) for incident, update in updates if update is not None],
        clocks=[
            (incident, clock)
            for incident in shown
            for team, public in [told[incident.id]]
            for clock in due_clocks(incident, team=team, public=public, policy=policy, now=at)
            if is_time(incident, clock.since, at)
        ],
        refreshes=[
            (incident, entry)
            for incident in going_on
            for entry in due_refreshes(incident, channels=told[incident.id][1], policy=policy, now=at)
        ],
        public=[it for it in going_on if any(has_public_entry(it, channel) for channel in told[it.id][1])],
        missed=[
            (incident, channel)
            for incident in shown
            for channel in missed_announcements(incident, channels=unsearchable, policy=policy, now=at)
        ],
        publications=[
            (incident, text)
            for incident in shown
            for text in due_publications(incident, channels=told[incident.id][1], policy=policy, now=at)
        ],
        messages=messages,
        files=files,
        reports=due_reports(await incidents_with_switches(environment), now=at),
    )


async def due_runs(environment: Environment, at: datetime) -> dict[str, list[str]]:
    """The deployments that have something to do, each with what it is about.

    Raises:
        Unavailable: the store cannot be reached.
    """
    policy = environment.runbook_policy.policy
    collections = [
        f"{incident.id} {collection}"
        for incident in await incidents_to_collect_from(environment)
        for collection in due_collections(incident, policy=policy, now=at)
    ]
    due = {REMIND: (await due_reminders(environment, at)).about, COLLECT: collections}
    return {name: about for name, about in due.items() if about}


async def start_due_runs(environment: Environment, at: datetime) -> list[str]:
    """A run for each deployment that has something to do, the same one at every look; a sentence for each.

    Raises:
        Refused: there is no such deployment.
        Unavailable: the store or Prefect cannot be reached.
    """
    told = []
    for name, about in (await due_runs(environment, at)).items():
        turn = await next_turn(environment, REMINDERS, at=at) if name == REMIND else ""
        if turn is None:
            continue  # one is at it; what it leaves is seen at the next look
        async with prefect_client(within=PREFECT_SECONDS) as client:
            try:
                deployment = await client.read_deployment_by_name(name)
            except ObjectNotFound:
                raise Refused(
                    "Prefect", f"there is no deployment {name}", "Run `runbook configure`"
                ) from None
            run = await client.create_flow_run_from_deployment(
                deployment.id,
                parameters={"environment": environment.name},
                idempotency_key=_key(environment.name, about, turn, at),
            )
        told.append(f"{name.partition('/')[0]} is due: {run.name}")
    return told


def _key(environment: str, about: list[str], turn: str, at: datetime) -> str:
    window = int(at.timestamp()) // TRIED_AGAIN_SECONDS
    return sha256("\n".join([environment, str(window), turn, *sorted(about)]).encode()).hexdigest()
