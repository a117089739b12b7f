"""`runbook handover`: what the next lead has to know, and the lead with it."""

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from deployments.cli.errors import ExitCode
from deployments.cli.options import BY_DEFAULT, ActOptions, Reference
from deployments.cli.output import console, print_json, write

if TYPE_CHECKING:
    from runbook.incidents.incident import Incident
    from runbook.policy.policy import Policy


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


async def _packet(incident: str, options: ActOptions) -> dict[str, Any]:
    from deployments.cli.people.door import read_page
    from runbook.handover.packet import packet_markdown, packet_of

    def made(found: "Incident", policy: "Policy") -> dict[str, Any]:
        packet = packet_of(found, policy, now=datetime.now(UTC))
        return {**packet.model_dump(mode="json"), "page": packet_markdown(packet)}

    return await read_page(incident, "handover", options, made)
