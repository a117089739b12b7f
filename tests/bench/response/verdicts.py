"""From an alert's POST to its decision in the journal, beside what the same takes by hand."""

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx

from blocks.environment import Environment
from runbook.checks.specs.logs import LOGS
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from tasks.checks.triage import make_check
from tests.fixtures.cases import Case
from tests.fixtures.eventually import eventually

SCRIPT = Path(__file__).with_name("quick_triage.sh")
_POLL_SECONDS = 0.05
_QUIET_SECONDS = 1.0


@dataclass(frozen=True)
class Verdict:
    """The seconds of one alert. `script` is `None` where curl or kubectl is not installed."""

    verdict: float
    """Until the decision is in the journal."""
    in_prefect: float
    """Until its artifact is in Prefect."""
    slowest_check: float
    """As the triage itself measured it."""
    alone: float
    """The logs, which are the slowest, read by themselves on a machine that does nothing else."""
    script: float | None


async def measure_verdicts(house: Case, rounds: int) -> list[Verdict]:
    """Alerts of one service after the other; the first warms up and does not count."""
    environment = await Environment.load(house.environment)
    found = []
    for number in range(rounds + 1):
        sent = datetime.now(UTC)
        incident = await _asked(house, await _report(house, f"service-{number}"))
        alone = await _timed(make_check(environment, LOGS.name))
        script = await _script(house)
        if number:
            found.append(_measured(incident, sent, alone, script))
    return found


def _measured(incident: Incident, sent: datetime, alone: float, script: float | None) -> Verdict:
    def seconds(*kinds: type[e.Event]) -> float:
        return (next(it.at for it in incident.journal if isinstance(it.event, kinds)) - sent).total_seconds()

    triaged = incident.last(e.TriageCompleted)
    assert triaged is not None
    shown = next(
        it.at
        for it in incident.journal
        if isinstance(it.event, e.ArtifactPublished) and it.event.key.endswith("-decision")
    )
    return Verdict(
        verdict=seconds(e.DecisionMade),
        in_prefect=(shown - sent).total_seconds(),
        slowest_check=max(finding.seconds or 0.0 for finding in triaged.findings.items),
        alone=alone,
        script=script,
    )


async def _report(house: Case, service: str) -> str:
    alert = {"status": "firing", "labels": {"alertname": "Down", "service": service}}
    token = house.world.endpoints.alert_token.get_secret_value()
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        answer = await http.post(
            f"{house.receiver_url}/alerts/alertmanager",
            json={"version": "4", "status": "firing", "alerts": [alert]},
            headers={"authorization": f"Bearer {token}"},
        )
    return str(answer.json()["incidents"][0]["id"])


async def _asked(house: Case, incident_id: str) -> Incident:
    """The incident once its run sleeps at the question, and the machine is quiet."""

    async def asleep() -> bool:
        gate = (await house.store.read(incident_id)).pending_gate
        run = gate and await house.client.read_flow_run(UUID(gate.flow_run_id))
        return bool(run and run.state and run.state.is_paused())

    await eventually(asleep, bool)
    await asyncio.sleep(_QUIET_SECONDS)
    return await house.store.read(incident_id)


async def _timed(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


async def _script(house: Case) -> float | None:
    if not (shutil.which("curl") and shutil.which("kubectl")):
        return None
    world = house.world.endpoints
    process = await asyncio.create_subprocess_exec(
        "sh",
        str(SCRIPT),
        env={
            **os.environ,
            "STATUS_URL": f"{world.status_page_url.rstrip('/')}/api/v1/summary",
            "HEALTH_URL": f"{world.integration_url.rstrip('/')}/health",
            "PROMETHEUS_URL": world.prometheus_url.rstrip("/"),
            "KUBECONFIG": str(world.kubeconfig),
            "SELECTOR": world.selector,
            "NO_PROXY": "127.0.0.1",
        },
    )
    return await _timed(process.wait())
