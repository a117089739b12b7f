"""A receiver at the wire, with a stand-in for Prefect and what is sent to it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.receiver.app import create_app
from deployments.receiver.connections.server import DoorServer
from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.sources.confirmations import Confirmations
from deployments.receiver.watching import SelfWatching
from deployments.services.environments import OtherEnvironments
from runbook.actions.catalogue import PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.alerts.unrouted import Routing
from runbook.checks.findings import Findings
from runbook.decision.decide import decide
from runbook.incidents.events import ApprovalRequested, DecisionMade, RunStarted
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy

TOKEN = "a-token-of-some-length"
AUTHORIZED = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
CONFIG = ReceiverSettings(token=SecretStr(TOKEN), max_body_bytes=20_000)
DEADLINE_SECONDS = 10.0


class Prefect:
    """Stands in for Prefect: starts responses when it is up, and remembers which."""

    def __init__(self) -> None:
        self.up = asyncio.Event()
        self.up.set()
        self.attempts = 0
        self.asked_for_due = 0
        self.store: IncidentStore | None = None
        self.started: list[Incident] = []
        self.woken: list[str] = []
        self.called: list[tuple[str, str]] = []
        self.called_about_the_store: list[str] = []
        self.store_works_again = 0

    async def start(self, incident: Incident) -> str:
        """Start a response, and journal it."""
        assert self.store is not None
        run = f"run-of-{incident.id}"
        await self.store.append(
            incident.id, RunStarted(flow_run_id=run), at=datetime.now(UTC), key=f"run:{run}"
        )
        self.started.append(incident)
        return run

    async def wake(self, incident: Incident) -> bool:
        """Wake the run that asks a question which is needless now."""
        if incident.needless_gate is None:
            return False
        self.woken.append(incident.needless_gate.gate)
        return True

    async def page(self, incident: Incident, because: str) -> None:
        """Call a person."""
        self.called.append((incident.id, because))

    async def page_about_the_store(self, because: str, since: datetime) -> bool:
        """Call a person."""
        assert since <= datetime.now(UTC)
        self.called_about_the_store.append(because)
        return True

    async def end_the_page_about_the_store(self, since: datetime) -> bool:
        """Tell them that it is over."""
        assert since <= datetime.now(UTC)
        self.store_works_again += 1
        return True

    async def look_after(self) -> list[str]:
        """Nothing stops here."""
        return []

    async def start_due(self) -> list[str]:
        """Somebody has acted."""
        self.asked_for_due += 1
        return []

    async def reachable(self) -> bool:
        """Whether it is up."""
        self.attempts += 1
        return self.up.is_set()


@contextlib.asynccontextmanager
async def serving(
    store: IncidentStore,
    prefect: Prefect,
    config: ReceiverSettings = CONFIG,
    self_watching: SelfWatching | None = None,
    places: int = 64,
    confirmations: Confirmations | None = None,
    routing: Routing | None = None,
    others: OtherEnvironments | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A running receiver; yields a client that knows its address."""
    metrics = ReceiverMetrics()
    prefect.store = store
    app = create_app(
        config,
        store,
        prefect,
        service="the-integration",
        environment="staging",
        self_watching=self_watching,
        metrics=metrics,
        confirmations=confirmations,
        routing=routing,
        others=others,
    )
    config_of_server = uvicorn.Config(app, log_config=None, access_log=False, ws="none")
    most = config.max_body_bytes
    server = DoorServer(config_of_server, places=places, most_body_bytes=most, metrics=metrics)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client:
                yield client
        finally:
            server.should_exit = True
            await running


async def eventually(condition: Any) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110  the receiver's own state: it sets no event for tests
            await asyncio.sleep(0.01)


def notification(*alerts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Alertmanager's payload of a group."""
    return {
        "version": "4",
        "groupKey": '{}:{service="posthog-integration"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "posthog-runbook",
        "groupLabels": {"service": "posthog-integration"},
        "commonLabels": {"service": "posthog-integration"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": list(alerts),
    } | fields


def sent_alert(name: str = "PostHogErrorsHigh", status: str = "firing", **labels: str) -> dict[str, Any]:
    """One alert of a notification."""
    return {
        "status": status,
        "labels": {"alertname": name, "service": "posthog-integration", "severity": "P2"} | labels,
        "annotations": {"summary": f"{name} in short", "description": "at length"},
        "startsAt": "2026-03-01T10:00:00.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": f"print-of-{name}",
    }


async def post(client: httpx.AsyncClient, payload: Any, path: str = "/alerts/alertmanager") -> dict[str, Any]:
    """The answer to a payload that is taken."""
    answer = await client.post(path, json=payload, headers=AUTHORIZED)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def ask(store: IncidentStore, incident: Incident) -> None:
    """Have a run decide on a fallback, and ask about it."""
    action = PlannedAction(
        id="1-enable-fallback", name=ENABLE_FALLBACK.name, target="deployment/x", because="a test"
    )
    decision = decide(Findings(items=()), claimed=None, policy=Policy())
    decided = DecisionMade(round=1, decision=decision.model_copy(update={"plan": (action,)}))
    await store.append(incident.id, decided, at=datetime.now(UTC))
    asked = ApprovalRequested(
        gate="1-enable-fallback-1", action_id=action.id, plan_digest="d", question="?", flow_run_id="r"
    )
    await store.append(incident.id, asked, at=datetime.now(UTC), key=f"ask:{asked.gate}")
