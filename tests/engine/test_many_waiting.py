"""Incidents that wait for an answer, many at once: they hold no process."""

import os
from functools import partial
from operator import eq
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from tests.engine.processes import engines
from tests.fixtures.engine import Case, Engine, case, eventually

MANY = int(os.environ.get("RUNBOOK_MANY_WAITING", "12"))
AT_ONCE = 4
"""Runs that start together: on two cores, the checks of more would miss their deadlines."""

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(120 + 20 * MANY)]


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
