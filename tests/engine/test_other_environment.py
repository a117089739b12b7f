"""A receiver responds for the service of another environment, from its alert to the change and the end."""

import dataclasses
import sys
from pathlib import Path

import httpx
import pytest

from deployments.processes.process import Process, free_port
from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.identity import Proof
from runbook.incidents.events import ApprovalAnswered
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import eventually

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

FRONT = """
[prefect]
environment = "front"
[policy]
service = "front"
[integration]
health_url = "http://127.0.0.1:9/health"
[services."front"]
environment = "front"
[services."posthog-integration"]
environment = "{environment}"
[receiver]
token = {{ file = "{secrets}/alert-token" }}
[store]
url = {{ file = "{secrets}/store-url" }}
"""


async def test_another_environment_s_incident_is_responded_to_from_here(
    engine: Engine, tmp_path: Path
) -> None:
    """It opens there, is run there with its systems, and is answered through the receiver that took it."""
    async with case(engine, "posthog-outage", tmp_path, real_prometheus=False) as own:
        folder = tmp_path / "front"
        folder.mkdir()
        text = FRONT.format(environment=own.environment, secrets=own.folder / "secrets")
        (folder / "runbook.toml").write_text(text)
        port = free_port()
        front = await Process.start(
            "The receiver in front",
            [
                sys.executable,
                "-m",
                "deployments.receiver",
                "--config",
                folder / "runbook.toml",
                "--port",
                str(port),
            ],
            log=folder / "receiver.log",
            environment=engine.environment,
        )
        try:
            response = dataclasses.replace(own, receiver_url=f"http://127.0.0.1:{port}")
            await serves(response)
            await response.alert()
            own.incident_id = response.incident_id
            gate = await response.gate()
            assert (await response.read()).environment == own.environment
            await approve(folder, response, gate.plan_digest)
            incident = await response.until(lambda it: "1-enable-fallback" in it.results)
            assert incident.results["1-enable-fallback"].outcome is ActionOutcome.RECOVERED
            assert (await response.run()).parameters["environment"] == own.environment
            [answer] = incident.events(ApprovalAnswered)
            assert answer.answer.identity is not None
            assert answer.answer.identity.how is Proof.OS_PEER
        finally:
            await front.stop()


async def serves(response: Case) -> None:
    """Wait until the receiver has proved the other environment."""
    async with httpx.AsyncClient(base_url=response.receiver_url, trust_env=False, timeout=30) as client:

        async def served() -> int:
            try:
                ready = (await client.get("/readyz")).json()
            except httpx.TransportError:
                return 0
            return int(ready["environments"]["served"])

        await eventually(served, lambda number: number == 1)


async def approve(folder: Path, response: Case, plan: str) -> None:
    """Approve over the receiver's local socket, as the account of this test."""
    transport = httpx.AsyncHTTPTransport(uds=str(folder / ".runbook" / "receiver.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://receiver", timeout=60) as client:
        body = {"decision": "approve", "plan": plan}
        answer = await client.post(f"/api/incidents/{response.incident_id}/answers", json=body)
    assert answer.status_code == 200, answer.text
