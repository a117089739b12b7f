"""`runbook resume`: hand the response back after its run has stopped, or people went on by hand."""

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.login import login
from deployments.cli.options import ByOption, ConfigOption, EnvironmentOption, JsonOption, Reference
from deployments.cli.output import print_json

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from blocks.store import IncidentStore
    from runbook.actions import PlannedAction
    from runbook.incident import Incident


async def resume(
    incident: Reference,
    /,
    *,
    done: Annotated[str | None, Parameter(show_default=False)] = None,
    did: Annotated[list[str] | None, Parameter(show_default=False)] = None,
    by: ByOption = None,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """Hand the response back to the runbook.

    For an incident whose run was cancelled, has failed too often, or whose steps you took from the paper
    runbook. At a terminal you are asked what was done by hand. The run goes on from the journal: what has
    ended is not done again, and a change is previewed anew before it is asked about.

    Parameters
    ----------
    done
        What was done by hand, in a line for the timeline; empty for nothing. Without it you are asked.
    did
        An action of the plan that was done by hand, by its id (`1-restart-deployment`). May be repeated.
    """
    from datetime import UTC, datetime

    from deployments.cli.finding import find_incident, require_own
    from deployments.cli.sources import find_sources, prefect_client
    from tasks.resume import hand_back, left_to_do

    sources = find_sources(config, environment)
    store = await sources.store()
    found = await find_incident(store, incident)
    require_own(found, sources.environment_name())
    await _require_stopped(store, found)
    open_actions = left_to_do(found)
    said, taken = _asked(open_actions) if done is None else (done.strip(), did or [])
    _require_known(taken, open_actions, found)
    who = (by or login()).strip()
    at = datetime.now(UTC)
    handed = await hand_back(store, found, by=who, done=said, actions=taken, at=at)
    async with prefect_client() as client:
        run, how = await _go_on(store, handed, client=client, because=f"{who} handed the response back")
    if json:
        print_json({"incident": found.id, "flow_run": run, "run": how, "done": said, "did": list(taken)})
    else:
        print(f"{found.id}: run {run} {how}")
    return ExitCode.OK


async def _require_stopped(store: "IncidentStore", found: "Incident") -> None:
    from datetime import UTC, datetime

    from tasks.lease import duty

    if found.closed:
        raise CommandError(f"{found.id} is closed", "a new alert opens a new incident", code=ExitCode.NOTHING)
    held = await store.lease_end(duty(found.id))
    if held is not None and not held.let_go and held.at > datetime.now(UTC):
        raise CommandError(
            f"{found.id} is being worked on: its run shows signs of life",
            f"see `runbook incident {found.id}`; cancel its run in Prefect to go on by hand",
            code=ExitCode.NOTHING,
        )


def _asked(actions: "tuple[PlannedAction, ...]") -> tuple[str, list[str]]:
    """What the person at the terminal says."""
    if not sys.stdin.isatty():
        raise CommandError(
            "nobody is at the terminal to ask",
            'say what was done by hand: --done "TEXT" (empty for nothing), --did ID for each action',
            code=ExitCode.USAGE,
        )
    try:
        taken = [
            action.id
            for action in actions
            if input(f"{action.spec.title} on {action.target}: done by hand? [y/N] ").strip().lower()
            in ("y", "yes")
        ]
        return input(
            "What else was done by hand? (a line for the timeline, empty for nothing): "
        ).strip(), taken
    except EOFError:
        raise CommandError("nothing was handed back", "answer the questions", code=ExitCode.USAGE) from None


def _require_known(taken: list[str], actions: "tuple[PlannedAction, ...]", found: "Incident") -> None:
    known = [action.id for action in actions]
    for name in taken:
        if name not in known:
            raise CommandError(
                f"{found.id} has no open action {name!r}",
                f"open are: {', '.join(known) or 'none'}",
                code=ExitCode.USAGE,
            )


async def _go_on(
    store: "IncidentStore", found: "Incident", *, client: "PrefectClient", because: str
) -> tuple[str, str]:
    """The run that goes on, and how: continued, or another one started in its place."""
    from datetime import UTC, datetime

    from runbook.events import RunContinued
    from runbook.watchdog import RunState, newest_run
    from tasks.runs import continue_run, read_run, start_run

    run_id = newest_run(found)
    if run_id is None:
        return await start_run(found, store=store, client=client), "is started"
    state = (await read_run(client, run_id)).state
    if state is RunState.DUE:
        return run_id, "waits for a worker"
    if state is RunState.QUEUED:
        return run_id, "waits for its turn"
    continued = RunContinued(flow_run_id=run_id, because=because)
    await store.append(found.id, continued, at=datetime.now(UTC))
    if state in (RunState.UNKNOWN_TO_PREFECT, RunState.COMPLETED):
        return await start_run(await store.read(found.id), store=store, client=client), "is started"
    await continue_run(client, run_id)
    return run_id, "goes on"
