"""An approved change whose API server goes away and comes back, and what the channel is told meanwhile."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_httpserver import HTTPServer

from blocks.channels.slack import Slack
from deployments.drill.cluster import Fault, Rule
from deployments.drill.world.channels.slack import CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.servers.wire import listening
from runbook.actions.catalogue import PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.incidents.events import OutageNoted
from tests.blocks.cluster_world import RULES
from tests.tasks.changes import CHANGES
from tests.tasks.mitigation_bench import KEYS, Bench, in_time, mitigation_bench, until

(FALLBACK,) = (change for change in CHANGES if change.name == ENABLE_FALLBACK.name)


@asynccontextmanager
async def approved(
    folder: Path, httpserver: HTTPServer, *, patience: float = 1, **policy: Any
) -> AsyncIterator[tuple[Bench, PlannedAction]]:
    """A bench on which a change is possible, previewed and approved."""
    async with mitigation_bench(folder, httpserver, patience=patience, **policy) as bench:
        action = await FALLBACK.planned(bench.world)
        await bench.quiet()
        await bench.approve(action)
        yield bench, action


@asynccontextmanager
async def with_channel(bench: Bench) -> AsyncIterator["Told"]:
    """The incident has a channel; yields what it is told, a first line for each message."""
    workspace = Workspace(KEYS)
    async with listening(workspace.app) as url:
        slack = Slack(token=KEYS.slack_token, channel=CHANNEL_ID, base_url=f"{url}/api/")
        environment = dataclasses.replace(bench.incident.environment, slack=slack)
        bench.incident = dataclasses.replace(bench.incident, environment=environment)
        yield Told(workspace)


@dataclass
class Told:
    """What the channel was told so far."""

    workspace: Workspace

    def about(self, words: str) -> list[str]:
        """The first lines of the messages with these words."""
        lines = [message["text"].splitlines()[0] for message in self.workspace.messages]
        return [line for line in lines if words in line]


def go_away(bench: Bench, method: str = "*") -> None:
    """From now on the API server cuts every connection without an answer."""
    bench.world.imitation.faults.append(Fault(method=method, close="before_effect", times=None))


def come_back(bench: Bench) -> None:
    """The API server answers again."""
    bench.world.imitation.faults.clear()


async def waiting(bench: Bench) -> None:
    """Until the action waits for the cluster."""
    async with in_time("the action waits for the cluster"):
        while not (await bench.incident.read()).events(OutageNoted):  # noqa: ASYNC110 - a journal tells nobody
            await asyncio.sleep(0.02)


async def patched(bench: Bench) -> None:
    """Wait until the change is in the cluster."""
    await until(lambda: FALLBACK.shows(bench.world) == FALLBACK.after, "the change is in the cluster")


def without_pods() -> tuple[Rule, ...]:
    """All rules but for the one that lists pods."""
    return tuple(rule for rule in RULES if (rule.verbs[0], rule.resources[0]) != ("list", "pods"))
