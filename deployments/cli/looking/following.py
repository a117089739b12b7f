"""`runbook incident --follow`: each new event in a line, until the incident is closed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.looking.views import commands_of
from deployments.cli.output import console, print_json_line, warn

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore
    from deployments.cli.people.door import Door
    from runbook.incidents.events import Recorded
    from runbook.incidents.incident import Incident

STORE_SECONDS, RECEIVER_SECONDS = 1.0, 3.0
"""Seconds between two looks for new events, which are found by their place in the journal."""

Newer = Callable[[int], "Awaitable[list[Recorded]]"]


class Away(Exception):
    """What is read is away for the moment; the text says what and why."""


async def follow_journal(
    store: "IncidentStore", found: "Incident", *, config: Path | None, json: bool
) -> None:
    """Follow an incident in its store."""
    from blocks.store.tail import events_after
    from blocks.transport.errors import Unavailable

    async def newer(seq: int) -> "list[Recorded]":
        try:
            return await events_after(store, found.id, seq)
        except Unavailable as error:
            raise Away(str(error)) from None

    await follow(found, newer, every=STORE_SECONDS, config=config, json=json)


async def follow_receiver(door: "Door", found: "Incident", *, json: bool) -> None:
    """Follow an incident through the receiver."""
    from deployments.cli.people.door import DoorAway
    from deployments.cli.people.elsewhere import read_newer

    async def newer(seq: int) -> "list[Recorded]":
        try:
            return await read_newer(door, found.id, seq)
        except DoorAway as away:
            raise Away(f"the receiver at {door.where} cannot be reached ({away})") from None
        except CommandError as error:
            if error.code is not ExitCode.UNREACHABLE:
                raise
            raise Away(error.problem) from None

    await follow(found, newer, every=RECEIVER_SECONDS, config=None, json=json)


async def follow(
    found: "Incident", newer: Newer, *, every: float, config: Path | None, json: bool
) -> "Incident":
    """Print each event after those of `found`, and return the incident once it is closed.

    That what is read is away is told once for each reason, and so is that it is back. A change of the state
    has a line of its own; under a question stands how to answer it, and under a merger how to go on.
    """
    from deployments.progress import Progress
    from deployments.progress.pasting import pasted
    from runbook.incidents.events import IncidentMerged
    from runbook.incidents.incident import Incident

    progress = Progress(console(), opened_at=found.opened_at, clock=True)
    away = ""
    while not found.closed:
        try:
            events = await newer(found.journal[-1].seq)
        except Away as error:
            if str(error) != away:
                warn(f"{error}; following goes on when it is back")
            away = str(error)
            await asyncio.sleep(every)
            continue
        if away:
            warn("it is back")
            away = ""
        for recorded in events:
            state, asked = found.state, found.pending_gate
            found = Incident.from_events(found.id, (*found.journal, recorded))
            if json:
                print_json_line(recorded.model_dump(mode="json"))
                continue
            progress.show_in_one_line(recorded)
            if found.state is not state:
                progress.mark(f"{state} {progress.arrow} {found.state}", recorded)
            if found.pending_gate is not None and found.pending_gate != asked:
                progress.copy(commands_of(found, config)["1 approve"])
            if isinstance(recorded.event, IncidentMerged):
                progress.copy(pasted("incident", recorded.event.into, "--follow", config=config))
        if not events:
            await asyncio.sleep(every)
    return found
