"""A drill from beginning to end: world and runbook up, alert sent, incident followed, evidence kept."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from rich.console import Console
from rich.text import Text

from blocks.files.private_files import private_folder, write_private
from blocks.transport.errors import OutsideError
from deployments.drill.run.following import Approve, Follower
from deployments.drill.run.kubectl import require_kubectl, run_kubectl
from deployments.drill.run.others import judge_others, send_others
from deployments.drill.run.readers import judge_readers, told_readers
from deployments.drill.run.report import DrillResult
from deployments.drill.run.scenario import Scenario
from deployments.drill.run.screen import Screen
from deployments.drill.run.settings import ENVIRONMENT, REPLACEMENT_KEY_BLOCK, trusted, write_settings
from deployments.drill.run.slack_answers import ACCOUNT, PERSON, SlackAnswers
from deployments.drill.world.process import WorldProcess, running_world
from deployments.drill.world.prometheus.metrics import SERVICE
from deployments.prefect.server import PrefectServer
from deployments.processes.foreground import until_stopped
from deployments.processes.stack import Stack
from deployments.progress.rows import nearby
from deployments.services.runs import PrefectRuns
from deployments.settings.settings import load_settings
from runbook.incidents import summary
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy

# Prefect is imported where it is used: the processes start first, and import it at the same time as we do.
if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore

ROOT = Path(".runbook")
KEPT = ROOT / "drills"
"""Evidence and post-mortem drafts of all drills, a folder per incident."""

ERRORS_SHOW_AFTER_SECONDS = 4.0
"""An alert fires about trouble that has lasted; the world's shows in metrics and logs within 3 s."""


class Drill:
    """One drill. `finished` gets the result while everything is still up."""

    def __init__(
        self,
        scenario: Scenario,
        console: Console,
        *,
        approve: Approve,
        keep: bool,
        finished: Callable[[DrillResult], None],
    ) -> None:
        self._scenario = scenario
        self._console = console
        self._approve = approve
        self._keep = keep
        self._finished = finished

    async def run(self) -> DrillResult:
        """Run the drill and return its result.

        Raises:
            Refused: somebody in the scenario uses kubectl, which is not installed.
            OutsideError: something did not start, or the response got stuck; the folder with the logs stays.
        """
        if self._scenario.commands:
            require_kubectl()
        with Screen(self._console) as screen:
            screen.say(f"{self._scenario.name}: {self._scenario.title}", style="bold")
            screen.say(self._scenario.story)
            for line in private_folder(ROOT, thoroughly=True):
                screen.say(line)
            screen.wait_for("starting the world, Prefect, the worker and the receiver")
            async with _state_folder(datetime.now(UTC)) as state:
                try:
                    result = await self._run_in(state, screen)
                except (OutsideError, ExceptionGroup):
                    screen.wait_for("")
                    screen.say(f"The logs are in {nearby(str(state))}.", style="bold")
                    raise
        return result

    async def _run_in(self, state: Path, screen: Screen) -> DrillResult:
        store_url = f"sqlite+aiosqlite:///{state / 'incidents.db'}"
        async with _starting_server(state) as server, running_world(self._scenario.name, state) as world:
            path = write_settings(
                world.endpoints,
                state,
                store_url=store_url,
                evidence=KEPT.absolute(),
                services=_services(self._scenario),
                people={PERSON: ACCOUNT} if self._approve == "slack" else {},
                policy=self._scenario.policy,
                notifies=True,
            )
            trust = trusted(world.endpoints.authority)
            settings = load_settings(path, systems=False)
            screen.answered_with(path)
            async with Stack(settings, config=path, state=state, server=server, more=trust) as stack:
                await _save_replacement_key(world)
                screen.wait_for("waiting until the fault shows in metrics and logs")
                await _until_trouble_shows(world)
                result = await self._respond(screen, world, stack, _store(store_url), settings.policy)
                screen.wait_for("")
                self._finished(result)
                if self._keep:
                    await _stay_up(screen, stack, world, path, result)
                else:
                    screen.say("Its runs and artifacts are deleted with the drill; --keep keeps them.")
        return result

    async def _respond(
        self, screen: Screen, world: WorldProcess, stack: Stack, store: "IncidentStore", policy: Policy
    ) -> DrillResult:
        from prefect.client.orchestration import get_client

        opened = await send_others(self._scenario, world, screen, stack.receiver_url)
        alerted_at = datetime.now(UTC)
        answer = await world.send_alert(f"{stack.receiver_url}/alerts/alertmanager")
        incident_id = str(answer["incidents"][0]["id"])
        screen.say(f"Incident:      {incident_id}", style="bold")
        screen.wait_for("responding")
        async with get_client() as client:
            runs = PrefectRuns(client)
            follower = Follower(
                store,
                screen,
                approve=self._approve,
                policy=policy,
                runs=runs,
                run_ended=runs.how_it_ended,
                scenario=self._scenario,
                click=SlackAnswers(world, stack.receiver_url, store).answer,
                kubectl=partial(
                    run_kubectl,
                    kubeconfig=world.endpoints.kubeconfig,
                    cache=world.endpoints.state_dir / "kubectl",
                ),
            )
            incident = await _while_all_runs(stack, follower.follow(incident_id))
        kept = _keep(incident, policy)
        differences = await judge_others(self._scenario, opened, store, world, screen, stack.receiver_url)
        facts = await world.state()
        return DrillResult.of(
            self._scenario,
            incident,
            others=(*differences, *judge_readers(incident, facts)),
            readers=told_readers(facts),
            alerted_at=alerted_at,
            evidence=str(kept.absolute()),
            postmortem=summary.postmortem(incident),
            links={"Prefect run": summary.flow_run_url(incident) or stack.ui_url},
        )


def _services(scenario: Scenario) -> dict[str, str]:
    """The environments of the services in a scenario with others; one without an environment has no table."""
    if not scenario.others:
        return {}
    theirs = {other.service: other.environment for other in scenario.others if other.environment}
    return {SERVICE: ENVIRONMENT, **theirs}


async def _while_all_runs(stack: Stack, following: Coroutine[Any, Any, Incident]) -> Incident:
    """Follow the incident until it is closed or one of the processes that work on it ends."""
    tasks = asyncio.create_task(following), asyncio.create_task(stack.watch())
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0] not in done:
            await tasks[1]
        return await tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _store(url: str) -> "IncidentStore":
    from blocks.store.journal import IncidentStore

    return IncidentStore(url=SecretStr(url))


async def _save_replacement_key(world: WorldProcess) -> None:
    """Put a good key into Prefect, as the policy asks for: somebody made it in PostHog's dashboard."""
    from prefect.blocks.system import Secret

    key = world.endpoints.replacement_project_key.get_secret_value()
    await Secret(value=SecretStr(key)).asave(REPLACEMENT_KEY_BLOCK, overwrite=True)


def _keep(incident: Incident, policy: Policy) -> Path:
    """Put the journal beside the incident's evidence, because its database is deleted with the drill."""
    folder = KEPT / incident.id
    text = json.dumps(summary.everything(incident, policy), ensure_ascii=False, indent=2)
    write_private(folder / "incident.json", f"{text}\n".encode())
    return folder


@asynccontextmanager
async def _starting_server(state: Path) -> AsyncIterator[PrefectServer]:
    """Prefect's server, whose imports take the longest, so that the world starts meanwhile."""
    server = await PrefectServer.start(state)
    try:
        yield server
    finally:
        await server.process.stop()


@asynccontextmanager
async def _state_folder(now: datetime) -> AsyncIterator[Path]:
    """A folder for this drill only. If the drill fails, the folder stays with its logs."""
    folder = (ROOT / "drill" / f"{now:%Y%m%d-%H%M%S}-{os.getpid()}").resolve()
    private_folder(folder)
    try:
        yield folder
    except (KeyboardInterrupt, asyncio.CancelledError):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


async def _until_trouble_shows(world: WorldProcess) -> None:
    lasted = datetime.now(UTC) - await world.trouble_began()
    await asyncio.sleep(max(0.0, ERRORS_SHOW_AFTER_SECONDS - lasted.total_seconds()))


async def _stay_up(
    screen: Screen, stack: Stack, world: WorldProcess, config: Path, result: DrillResult
) -> None:
    """Say where everything is, and wait for Ctrl-C."""
    for line in (
        f"Prefect:       {stack.ui_url}/runs",  # Prefect shows no login behind a link to a run
        *(f"Password:      {password}" for password in stack.login(terminal=screen.console.file.isatty())),
        f"Run:           {result.links['Prefect run']} (log in first)",
        f"Slack:         {world.endpoints.control_url}/slack",
        f"E-mail, Teams: {world.endpoints.control_url}/read",
        f"World:         {world.endpoints.control_url}/state",
        f"Other shells:  {stack.exports} RUNBOOK_CONFIG={config}",
    ):
        screen.console.print(Text(line), soft_wrap=True)  # unwrapped, to be copied
    screen.say("Everything is left running. Ctrl-C stops it.", style="bold")
    await until_stopped(stack.watch())
