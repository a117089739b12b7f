"""`runbook handover`: what the next lead has to know, and the lead with it."""

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from deployments.cli.errors import ExitCode
from deployments.cli.options import BY_DEFAULT, ActOptions, Reference
from deployments.cli.output import console, print_json, write


async def handover(
    incident: Reference,
    /,
    *,
    to: Annotated[str | None, Parameter(show_default=False)] = None,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Print what the next lead has to know: what is known, done, open and promised, on a page.

    Parameters
    ----------
    to
        Hand the lead over to this person first, as `runbook assign` does.
    """
    from deployments.cli.people.acts import do

    if to is not None:
        with redirect_stdout(sys.stderr):  # the packet alone is what this prints
            await do(incident, "assign", "lead", replace(options, json=False), name=to)
    packet = await _packet(incident, options)
    page = str(packet.pop("page"))
    if options.json:
        print_json(packet)
    else:
        _show(page.rstrip("\n"))
    return ExitCode.OK


def _show(page: str) -> None:
    """Print the page: laid out on a terminal, as Markdown to be copied anywhere else."""
    from rich.markdown import Markdown

    out = console()
    if out.is_terminal:
        out.print(Markdown(page))
    else:
        write(page)


async def _packet(incident: str, options: ActOptions) -> dict[str, object]:
    from deployments.cli.people.door import DoorAway, find_remote, nobody_there
    from deployments.cli.sources import find_sources
    from deployments.services.finding import find_incident
    from runbook.handover.packet import packet_markdown, packet_of

    if remote := find_remote():
        try:
            return await remote.read(incident, "handover")
        except DoorAway as away:
            raise nobody_there(remote, away) from None
    sources = find_sources(options.config, options.environment)
    found = await find_incident(await sources.store(), incident)
    packet = packet_of(found, await sources.for_incident(found).policy(), now=datetime.now(UTC))
    return {**packet.model_dump(mode="json"), "page": packet_markdown(packet)}
