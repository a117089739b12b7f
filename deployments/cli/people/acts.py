"""`runbook take`, `assign`, `comms`, `note` and `ack`: who does what, and what happened."""

from collections.abc import Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import BY_DEFAULT, ActOptions, Reference
from deployments.cli.output import print_json, warn, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from prefect.client.orchestration import PrefectClient

    from deployments.cli.sources import Sources
    from runbook.approvals.acts import Act
    from tasks.acts import Acted

Name = Annotated[str, Parameter(help="Who it is: a name or a login of the settings, or any other name.")]


async def take(
    incident: Reference,
    /,
    *,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Take the lead of an incident.

    The lead brings in the right people, keeps notes and tells stakeholders. The team is told who it is.
    """
    return await do(
        incident,
        "take",
        "lead",
        options,
    )


async def assign(
    incident: Reference,
    name: Name,
    /,
    *,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Hand the lead of an incident to somebody; the team is told who it is."""
    return await do(incident, "assign", "lead", options, name=name)


async def comms(
    incident: Reference,
    name: Name,
    /,
    *,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Say who leads the communication with customers, beyond what the status page tells them."""
    return await do(incident, "comms", "comms", options, name=name)


async def note(
    incident: Reference,
    text: str,
    /,
    *,
    at: str | None = None,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Write a note into the timeline of an incident, also of one that is closed.

    Parameters
    ----------
    text
        What happened, what was seen or tried.
    at
        When it happened, if not now: HH:MM on the clocks of the policy's calendar, or in full with its zone,
        as 2026-11-22T14:05+01:00.
    """
    if at is not None and not at.strip():
        raise CommandError("--at is empty", "leave it out for now, or write HH:MM", code=ExitCode.USAGE)
    return await do(
        incident,
        "note",
        "notes",
        options,
        text=text,
        at=at or "",
    )


async def ack(
    incident: Reference,
    /,
    *,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Acknowledge an incident: you have seen it and work on it.

    Nobody is reminded or paged again about the question that is open now, and the pages that were sent are
    acknowledged at the pager. A new question, or anything else that needs a person, is told as before.
    """
    return await do(
        incident,
        "ack",
        "acknowledgements",
        options,
    )


async def update(
    incident: Reference,
    /,
    *,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Have the team told now where things stand, before the promised time of the next update."""
    return await do(
        incident,
        "update",
        "updates",
        options,
    )


async def do(
    reference: str,
    kind: str,
    path: str,
    options: ActOptions,
    body: Mapping[str, str | int] | None = None,
    **said: Any,
) -> int:
    """Do it through the receiver at that path, or in the store.

    `said` is what the act says; `body` is the same for the receiver, where its words are others.
    """
    from deployments.cli.people.door import act as through_the_door
    from deployments.cli.sources import find_sources
    from runbook.approvals.acts import Act, ActKind
    from tasks.acts import Acted

    by = options.by
    if by is not None and not by.strip():
        raise CommandError("--by cannot be empty", "say who does this", code=ExitCode.USAGE)
    if "name" in said and not said["name"].strip():
        raise CommandError("the name cannot be empty", "say who it is", code=ExitCode.USAGE)
    sources, act = find_sources(options.config, options.environment), Act(kind=ActKind(kind), **said)
    done = await through_the_door(
        Acted,
        reference,
        path,
        {"by": by or "", **(said if body is None else body)},
        config=sources.config,
        directly=lambda: _write(reference, act, by, sources),
    )
    if options.json:
        print_json(done.model_dump(mode="json"))
    else:
        write(f"{done.incident}: {done.said}{_aside(done)}")
    for switch in done.switches:
        warn(f"still on: {switch}; the runbook reminds you of it once a day")
    if done.waits_for:
        warn(f"this is recorded, but the run does not go on yet ({done.waits_for}); it does by itself later")
    return ExitCode.OK


def _aside(done: "Acted") -> str:
    """What the sentence does not say: when it happened, or that nothing is new."""
    if done.happened_at is not None:
        return f" (happened {done.happened_at:%Y-%m-%d %H:%M} UTC)"
    return "" if done.recorded else " (it was so already)"


@asynccontextmanager
async def _prefect(config: "Path | None") -> "AsyncIterator[PrefectClient]":
    """A client of Prefect; that no server is named is no reason to refuse an act that needs none.

    Raises:
        Unavailable: no server is named, or it does not answer.
    """
    from blocks.transport.errors import Unavailable
    from deployments.cli.sources import prefect_client

    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(prefect_client(config))
        except CommandError as error:
            raise Unavailable("Prefect", error.problem, error.next_step) from None
        yield client


async def _write(reference: str, act: "Act", by: str | None, sources: "Sources") -> "Acted":
    """Write it into the store."""
    from deployments.cli.people.speaking import speaker
    from deployments.services.acting import act_on_incident
    from deployments.services.finding import find_incident, find_own

    store = await sources.store()
    found = await find_own(store, reference, sources.environments())
    policy = await sources.for_incident(found).policy()
    me = speaker(by, policy, role=await store.role())
    if act.into:
        act = act.model_copy(update={"into": (await find_incident(store, act.into)).id})
    return await act_on_incident(
        store, found, act, speaker=me, policy=policy, prefect=partial(_prefect, sources.config)
    )
