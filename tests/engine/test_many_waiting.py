"""A storm of alerts, and incidents that wait for an answer, many at once: they hold no process."""

import os
from functools import partial
from operator import eq, le
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from runbook.checks.findings import Status
from runbook.checks.spec import CheckName
from runbook.incidents.events import IncidentEscalated, TriageCompleted
from runbook.incidents.incident import Incident
from tests.engine.processes import engines
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import eventually

MANY = int(os.environ.get("RUNBOOK_MANY_WAITING", "12"))
STORM = int(os.environ.get("RUNBOOK_STORM", "12"))
AT_ONCE = 4
"""Services that are in trouble at once, one such group after the other, where it is not a storm."""

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(120 + 20 * max(MANY, STORM))]


async def test_incidents_that_wait_for_an_answer_hold_no_process(engine: Engine, tmp_path: Path) -> None:
    """As many services are in trouble at once; each run sleeps at its question, and has left its process."""
    async with case(engine, "posthog-outage", tmp_path, real_prometheus=False) as house:
        waiting = [await house.alert()]
        await house.gate()
        for first in range(1, MANY, AT_ONCE):
            services = [f"service-{number}" for number in range(first, min(first + AT_ONCE, MANY))]
            opened = await report(house, services)
            await eventually(partial(asleep, house, opened), partial(eq, len(opened)))
            waiting += opened

        async def running() -> list[int]:
            return engines(engine.worker.pid)

        await eventually(running, lambda pids: pids == [])
        assert len(set(waiting)) == MANY
        assert await asleep(house, waiting) == MANY
        assert house.changes() == []


async def test_a_storm_of_alerts_ends_in_questions(engine: Engine, tmp_path: Path) -> None:
    """All services are in trouble at once: each is triaged as one alone would be, then waits for its answer.

    Nobody is called because the machine is busy.
    """
    policy = {"takeover_after_seconds": 30}  # the drill's are five, for a machine that has nothing else to do
    async with case(engine, "posthog-outage", tmp_path, real_prometheus=False, policy=policy) as house:
        alone = await house.alert()
        await house.gate()
        storm = await report(house, [f"service-{number}" for number in range(1, STORM)])
        for asked in range(AT_ONCE, STORM, AT_ONCE):
            await eventually(partial(asleep, house, storm), partial(le, asked))
        await eventually(partial(asleep, house, storm), partial(eq, STORM - 1))
        assert house.changes() == []
        incidents = [await house.store.read(incident) for incident in storm]
        assert [incident.id for incident in incidents if incident.events(IncidentEscalated)] == []
        unknown_alone = unknown(await house.store.read(alone))
        assert {incident.id: unknown(incident) - unknown_alone for incident in incidents} == {
            incident.id: set() for incident in incidents
        }


def unknown(incident: Incident) -> set[CheckName]:
    """The checks of its first triage that came to no answer."""
    (first, *_) = incident.events(TriageCompleted)
    return {finding.check for finding in first.findings.items if finding.status is Status.UNKNOWN}


async def report(house: Case, services: list[str]) -> list[str]:
    """Have an alert source tell that something is wrong with each of these; return the incidents' ids."""
    token = house.world.endpoints.alert_token.get_secret_value()
    opened = []
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        for service in services:
            alert = {"status": "firing", "labels": {"alertname": "Down", "service": service}}
            answer = await http.post(
                f"{house.receiver_url}/alerts/alertmanager",
                json={"version": "4", "status": "firing", "alerts": [alert]},
                headers={"authorization": f"Bearer {token}"},
            )
            assert answer.status_code == 202, answer.text
            opened += [str(incident["id"]) for incident in answer.json()["incidents"]]
    return opened


async def asleep(house: Case, incidents: list[str]) -> int:
    """How many of these incidents have an open question whose run is suspended."""
    gates = [(await house.store.read(incident)).pending_gate for incident in incidents]
    states = [
        (await house.client.read_flow_run(UUID(gate.flow_run_id))).state for gate in gates if gate is not None
    ]
    return sum(state is not None and state.is_paused() for state in states)
