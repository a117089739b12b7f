"""`runbook resume`: hand the response back after its run has stopped, or people went on by hand."""

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import BY_DEFAULT, ActOptions, Reference
from deployments.cli.output import ask, print_json, write

if TYPE_CHECKING:
    from deployments.cli.sources import Sources
    from deployments.services.resuming import Resumed
    from runbook.actions.catalogue import PlannedAction


async def resume(
    incident: Reference,
    /,
    *,
    done: Annotated[str | None, Parameter(show_default=False)] = None,
    did: Annotated[list[str] | None, Parameter(show_default=False)] = None,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Hand the response back to the runbook.

    For an incident whose run was cancelled or has failed too often, or whose steps you took from the paper
    runbook. At a terminal you are asked what was done by hand. The run continues from the journal: what has
    ended is not done again, and a change is previewed again before you are asked about it.

    Parameters
    ----------
    done
        What was done by hand, in a line for the timeline; empty for nothing. Without it you are asked.
    did
        An action of the plan that was done by hand, by its id (`1-restart-deployment`). May be repeated.
    """
    from deployments.cli.people.door import act
    from deployments.cli.sources import find_sources
    from deployments.services.resuming import Resumed

    sources = find_sources(options.config, options.environment)
    said, taken = await _ask(incident, sources) if done is None else (done.strip(), did or [])
    resumed = await act(
        Resumed,
        incident,
        "resumption",
        {"by": options.by or "", "done": said, "did": taken},
        config=sources.config,
        directly=lambda: _write(incident, said, taken, options.by, sources),
    )
    if options.json:
        print_json(resumed.model_dump(mode="json"))
    else:
        write(f"{resumed.incident}: run {resumed.flow_run} {resumed.run}")
    return ExitCode.OK


async def _write(reference: str, done: str, did: list[str], by: str | None, sources: "Sources") -> "Resumed":
    """Write it into the store, and have the run go on."""
    from deployments.cli.people.speaking import speaker
    from deployments.cli.sources import prefect_client
    from deployments.services.finding import find_own
    from deployments.services.resuming import resume_response

    store = await sources.store()
    found = await find_own(store, reference, sources.environments())
    policy = await sources.for_incident(found).policy()
    me = speaker(by, policy, role=await store.role())
    return await resume_response(
        store,
        found,
        done=done,
        did=did,
        speaker=me,
        policy=policy,
        prefect=partial(prefect_client, sources.config),
    )


async def _ask(reference: str, sources: "Sources") -> tuple[str, list[str]]:
    """Ask the person at the terminal about each action that has not ended."""
    from deployments.services.finding import find_own
    from deployments.services.resuming import require_stopped
    from tasks.caretaking.resume import left_to_do

    store = await sources.store()
    found = await find_own(store, reference, sources.environments())
    await require_stopped(store, found)
    return _asked(left_to_do(found))


def _asked(actions: "tuple[PlannedAction, ...]") -> tuple[str, list[str]]:
    """What the person at the terminal says."""
    if not sys.stdin.isatty():
        raise CommandError(
            "there is no terminal to ask at",
            'say what was done by hand: --done "TEXT" (empty for nothing), --did ID for each action',
            code=ExitCode.USAGE,
        )
    try:
        taken = [
            action.id
            for action in actions
            if ask(f"{action.spec.title} on {action.target}: done by hand? [y/N] ").strip().lower()
            in ("y", "yes")
        ]
        return ask(
            "What else was done by hand? (a line for the timeline, empty for nothing): "
        ).strip(), taken
    except EOFError:
        raise CommandError("nothing was handed back", "answer the questions", code=ExitCode.USAGE) from None
