"""`runbook incident` and `paper`: one incident, what is asked now, and how to go on by hand."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import ConfigOption, EnvironmentOption, JsonOption, Reference
from deployments.cli.output import console, print_json, warn, write

if TYPE_CHECKING:
    from pathlib import Path

    from deployments.cli.people.door import Door
    from deployments.cli.sources import Sources
    from runbook.approvals.awaited import Awaited
    from runbook.channels.next_up import NextUp
    from runbook.clocks.response import ResponseClock
    from runbook.incidents.incident import Incident
    from runbook.policy.policy import Policy


async def incident(
    incident: Reference,
    /,
    *,
    full: Annotated[bool, Parameter(show_default=False)] = False,
    follow: Annotated[bool, Parameter(show_default=False)] = False,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Show one incident: what it is, what is asked, and what comes next.

    With RUNBOOK_URL, as the receiver there has it.

    Parameters
    ----------
    full
        The whole timeline, with the decision, every change and all messages.
    follow
        Go on with new events as they come, one line each, until the incident is closed; Ctrl-C ends it
        before. With `--json`, each event is a line of JSON.
    """
    from deployments.cli.people.door import find_remote
    from deployments.cli.sources import find_sources
    from deployments.services.finding import find_incident

    if remote := find_remote():
        return await _from_receiver(remote, incident, full=full, follow=follow, json=json)
    sources = find_sources(config, environment)
    store = await sources.store()
    found = await find_incident(store, incident)
    policy = await _policy_of(found, sources)
    if json and not follow:
        from runbook.incidents.summary import everything

        print_json(everything(found, policy))
        return ExitCode.OK
    if not json:
        from runbook.channels.next_up import next_up
        from runbook.channels.told_state import told_instead
        from runbook.clocks.response import response_clock

        coming, response = next_up(found, policy), response_clock(found, policy)
        awaited, told = _awaited(found, policy), told_instead(found, policy)
        _print(found, awaited=awaited, coming=coming, response=response, told=told, full=full, config=config)
    if follow:
        from deployments.cli.looking.following import follow_journal

        await follow_journal(store, found, config=config, json=json)
    return ExitCode.OK


async def _policy_of(found: "Incident", sources: "Sources") -> "Policy":
    """The policy of its environment; ours where Prefect, which has that one, cannot be asked."""
    from blocks.transport.errors import OutsideError

    try:
        return await sources.for_incident(found).policy()
    except (OutsideError, CommandError) as error:
        if sources.config is None:
            raise
        policy = await sources.policy()
        if found.pending_gate is not None:
            warn(f"who may answer is shown by the policy of this settings file: {error}")
        return policy


async def _from_receiver(remote: "Door", reference: str, *, full: bool, follow: bool, json: bool) -> int:
    from deployments.cli.people.elsewhere import (
        awaited_of,
        coming_of,
        incident_of,
        left_out,
        read_one,
        response_of,
        told_of,
    )

    answer = await read_one(remote, reference)
    if json and not follow:
        print_json(answer)
        return ExitCode.OK
    found = incident_of(remote, answer)
    if full and (number := left_out(answer)):
        warn(f"{number} older events are not shown: `runbook incident` on the receiver's machine has them")
    if not json:
        response, told, coming = response_of(answer), told_of(answer), coming_of(answer)
        _print(found, awaited=awaited_of(answer), coming=coming, response=response, told=told, full=full)
    if follow:
        from deployments.cli.looking.following import follow_receiver

        await follow_receiver(remote, found, json=json)
    return ExitCode.OK


def _awaited(found: "Incident", policy: "Policy") -> "Awaited | None":
    from runbook.approvals.approvals import awaited

    gate = found.pending_gate
    plan = found.previews.get(gate.action_id) if gate else None
    return awaited(found, plan, policy) if plan else None


def _print(
    found: "Incident",
    *,
    awaited: "Awaited | None",
    coming: "tuple[NextUp, ...]",
    response: "ResponseClock | None",
    told: str,
    full: bool,
    config: "Path | None" = None,
) -> None:
    from deployments.cli.looking.views import print_full, print_short

    out, now = console(), datetime.now(UTC)
    if full:
        print_full(out, found, now=now, response=response, told=told, config=config)
    else:
        print_short(
            out,
            found,
            awaited=awaited,
            coming=coming,
            now=now,
            response=response,
            told=told,
            config=config,
        )


async def paper(
    incident: Reference,
    /,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
) -> int:
    """Print the steps to continue an incident by hand, with its values and the exact commands.

    With a settings file this needs nothing but the incident store: neither Prefect nor any other system.
    """
    from deployments.cli.sources import find_sources
    from deployments.services.finding import find_incident, require_own
    from tasks.evidence.paper import paper_of

    sources = find_sources(config, environment)
    found = await find_incident(await sources.store(), incident)
    require_own(found, sources.environments())
    systems = await sources.for_incident(found).systems()
    write(paper_of(found, systems).rstrip("\n"))
    return ExitCode.OK
