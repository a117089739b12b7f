"""An incident with a cluster to change, signals to judge by and a PostHog that knows one good key."""

import asyncio
import dataclasses
import random
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.blocks.system import Secret
from prefect.context import AsyncClientContext
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from blocks.integration import IntegrationService
from blocks.posthog import PostHogApi
from blocks.prometheus.metrics import Prometheus
from deployments.drill.cluster.recording import RecordedRequest
from deployments.drill.world.keys import Keys
from deployments.drill.world.posthog.api import PostHogApi as ImitatedPostHog
from deployments.drill.world.servers.wire import listening
from flows.action import take_action
from runbook.actions.catalogue import ActionResult, ChangePlan, PlannedAction
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import ApprovalAnswered, ApprovalRequested, IncidentEscalated
from tasks.actions.mitigate import make_change
from tasks.actions.preview import preview_change
from tasks.incident import OpenIncident
from tests.blocks.cluster_world import USER, ClusterWorld, cluster_world, deployment, rules
from tests.fixtures.stores import disconnect_stores
from tests.tasks.environments import open_incident
from tests.tasks.signals import Signals

KEYS = Keys.generated(random.Random(11))  # noqa: S311 - repeatable on purpose
NEW_KEY = KEYS.replacement_project_key.get_secret_value()

CLOCKS: dict[str, Any] = {
    "hold_seconds": 0,
    "success_deadline_seconds": 0.05,
    "watch_poll_seconds": 0.02,
    "check_deadline_seconds": 5,
    "rollout_deadline_seconds": 20,
}
"""Nothing here waits for trouble to pass; a busy machine has its time all the same."""

WITHIN_SECONDS = 20.0
"""How long a test waits for something that is under way already."""


@dataclass(repr=False)  # asyncio describes the task that made it, for an error that it suppresses
class Bench:
    """The incident, and everything that its changes meet."""

    world: ClusterWorld
    incident: OpenIncident
    signals: Signals

    async def approve(self, action: PlannedAction, *, approver: str = "ada") -> ApprovalAnswered:
        """Preview the action, ask about the plan, and say yes as someone whose name is proven."""
        return await self.answer(action, Answer(choice=Choice.APPROVE, approver=approver))

    async def answer(self, action: PlannedAction, answer: Answer) -> ApprovalAnswered:
        """Preview the action, ask about the plan, and answer."""
        plan = await self.preview(action)
        gate = f"{action.id}-{len((await self.incident.read()).events(ApprovalRequested)) + 1}"
        await self.incident.record(
            ApprovalRequested(
                gate=gate, action_id=action.id, plan_digest=plan.digest, question="now?", flow_run_id="run-1"
            )
        )
        identity = Identity(name=answer.approver, how=Proof.OS_PEER)
        proven = answer.model_copy(update={"identity": identity, "channel": "cli"})
        event = ApprovalAnswered(gate=gate, action_id=action.id, plan_digest=plan.digest, answer=proven)
        await self.incident.record(event)
        return event

    async def preview(self, action: PlannedAction) -> ChangePlan:
        """The plan as it is now."""
        return await preview_change(self.incident, action)

    async def make(self, plan: ChangePlan, decided: ApprovalAnswered) -> ActionResult | None:
        """Carry out the plan."""
        return await make_change(self.incident, plan, decided)

    async def take(self, action: PlannedAction) -> ActionResult:
        """Take the action as the response does; what is approved stands in the journal."""
        async with AsyncClientContext.get_or_create():  # one client for all steps, as in a flow run
            return await take_action(self.incident, action)

    def writes(self, method: str = "", path: str = "") -> list[RecordedRequest]:
        """What the runbook asked to be changed, dry runs left out; `path` is a regular expression."""
        return [
            request
            for request in self.changing_requests()
            if not is_dry_run(request) and method in ("", request.method) and re.search(path, request.path)
        ]

    def changing_requests(self) -> list[RecordedRequest]:
        """Everything that the runbook sent but for reads."""
        return [
            request
            for request in self.world.imitation.requests
            if request.method in ("PATCH", "PUT", "POST", "DELETE") and request.user in (USER, "")
        ]

    async def effects(self, action: PlannedAction) -> dict[str, EffectOutcome | None]:
        """How each request of the action ended, by the name of its step."""
        prefix = f"{self.incident.id}/{action.id}/"
        effects = (await self.incident.read()).effects
        return {
            name.removeprefix(prefix): item.outcome
            for name, item in effects.items()
            if name.startswith(prefix)
        }

    async def escalations(self) -> list[str]:
        """What people were called for."""
        return [event.because for event in (await self.incident.read()).events(IncidentEscalated)]

    async def quiet(self) -> None:
        """Wait until the cluster's controllers have nothing more to write."""
        seen: list[str] = []

        def no_news() -> bool:
            kinds = ("Deployment", "StatefulSet", "Pod")
            objects = [item for kind in kinds for item in self.world.imitation.objects(kind)]
            seen.append(str([item["metadata"]["resourceVersion"] for item in objects]))
            return len(seen) >= 8 and len(set(seen[-8:])) == 1

        await until(no_news, "the controllers have nothing more to write")


def is_dry_run(request: RecordedRequest) -> bool:
    """A deletion's options are in its body, those of other requests in their query."""
    options = request.body if request.method == "DELETE" and isinstance(request.body, dict) else {}
    return request.query.get("dryRun") == "All" or options.get("dryRun") == ["All"]


@asynccontextmanager
async def mitigation_bench(
    folder: Path,
    httpserver: HTTPServer,
    *,
    manifest: dict[str, Any] | None = None,
    patience: float = 5,
    dry_run: bool = False,
    **policy: Any,
) -> AsyncIterator[Bench]:
    """A bench whose files are in the folder; `policy` differs from the runbook's.

    `patience` is how many seconds the Cluster block waits for an answer; `dry_run` makes it a rehearsal.
    """
    signals = Signals(httpserver)
    manifest = manifest or deployment()
    async with (
        cluster_world(manifest, rules=rules(manifest["kind"])) as world,
        listening(ImitatedPostHog(KEYS).app) as posthog,
    ):
        opened = await open_incident(folder, dry_run=dry_run, **{**CLOCKS, **policy})
        environment = dataclasses.replace(
            opened.environment,
            cluster=world.block_with(container="app", timeout_seconds=patience),
            prometheus=Prometheus(url=signals.url),
            integration=IntegrationService(health_url=f"{signals.url}/health"),
            posthog=PostHogApi(app_url=posthog, ingest_url=posthog),
        )
        try:
            yield Bench(world, dataclasses.replace(opened, environment=environment), signals)
        finally:
            await disconnect_stores()


async def save_replacement_key(key: str = NEW_KEY, *, name: str | None = None) -> str:
    """Keep the key in a Secret block, by default in one of its own; returns the block's name."""
    name = name or f"replacement-{uuid.uuid4().hex[:12]}"
    await Secret(value=SecretStr(key)).asave(name, overwrite=True)
    return name


async def stop_controllers() -> None:
    """The control plane stands still; the API server still answers."""
    (controllers,) = [
        task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__qualname__", "") == "Cluster.run"
    ]
    controllers.cancel()
    with suppress(asyncio.CancelledError):
        await controllers


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that makes no event."""
    async with in_time(what):
        while not holds():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.01)


@asynccontextmanager
async def in_time(what: str) -> AsyncIterator[None]:
    """Fail where this takes too long.

    pytest's own limit is no help here: its exception is raised once, in whichever task runs at that moment,
    and hypothesis takes it for a failure of the example, which it then runs again without any limit.
    """
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            yield
    except TimeoutError:
        raise AssertionError(f"not within {WITHIN_SECONDS:g} s: {what}") from None
