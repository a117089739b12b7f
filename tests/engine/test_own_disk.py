"""The runbook's own disk fails under a whole response: it goes on, or a person is called."""

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.drill.run.scenario import load_scenario
from deployments.drill.run.settings import write_settings
from deployments.drill.world.world import World
from deployments.prefect.configure import configure
from deployments.prefect.server import PrefectServer, until_answers
from deployments.processes.process import Process, free_port
from deployments.settings.settings import load_settings
from runbook.actions.catalogue import ActionOutcome
from runbook.incidents.events import EvidenceCollected, FileNotWritten, PostmortemDrafted
from runbook.incidents.state import IncidentOutcome
from tests.deployments.receiver_bench import notification, sent_alert
from tests.fixtures.cases import case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import eventually
from tests.fixtures.own_disk import fill, small_disk
from tests.fixtures.prefect_server import speaking_to

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

FILES = {"evidence before-mitigation", "evidence resolution", "paper runbook", "post-mortem"}


async def test_a_response_goes_on_without_a_place_for_its_files(engine: Engine, tmp_path: Path) -> None:
    """Nothing can be written: the key is replaced all the same, proved, and the incident closed."""
    (tmp_path / "evidence").write_text("a file where the folder should be")
    async with case(engine, "expired-key", tmp_path) as response:
        await response.alert()
        incident = await response.follow("auto")

        assert incident.outcome is IncidentOutcome.RECOVERED
        assert ActionOutcome.RECOVERED in {result.outcome for result in incident.results.values()}
        assert {event.what for event in incident.events(FileNotWritten)} == FILES
        assert incident.events(EvidenceCollected) == []
        assert incident.events(PostmortemDrafted) == []
        said = [str(message["text"]) for message in response.world.systems.slack.messages]
        assert len([text for text in said if "could not be written" in text]) == len(FILES)
        assert any(key.endswith("-postmortem") for key in incident.artifacts)


async def test_a_person_is_called_where_prefects_disk_is_full(tmp_path: Path) -> None:
    """Prefect answers that it is well and takes no run: the alert is kept, and the pager rings."""
    disk = tmp_path / "prefect"
    with small_disk(disk, kib=8 * 1024):
        server = await PrefectServer.start(disk)
        try:
            await server.ready()
            async with World(
                load_scenario("posthog-outage"), tmp_path / "world", real_prometheus=False
            ) as world:
                await _full_disk(server, world, disk, tmp_path)
        finally:
            await server.process.stop()


async def _full_disk(server: PrefectServer, world: World, disk: Path, folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{folder}/incidents.db"
    config = write_settings(world.endpoints, folder, store_url=url, evidence=folder / "evidence")
    with speaking_to(server, {}):
        await configure(await asyncio.to_thread(load_settings, config))
    filler = fill(disk)
    port, environment = free_port(), server.client_environment(folder)
    receiver = await Process.start(
        "The receiver",
        [sys.executable, "-m", "deployments.receiver", "--config", config, "--port", str(port)],
        log=folder / "receiver.log",
        environment=environment | {"PREFECT_CLIENT_MAX_RETRIES": "0"},
    )
    try:
        await until_answers(f"http://127.0.0.1:{port}/readyz", receiver)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            token = world.endpoints.alert_token.get_secret_value()
            answer = await client.post(
                "/alerts/alertmanager",
                json=notification(sent_alert()),
                headers={"authorization": f"Bearer {token}"},
            )
            assert answer.status_code == 202
            incident = answer.json()["incidents"][0]["id"]

            async def paged() -> list[str]:
                return [r["body"]["payload"]["summary"] for r in world.requests("pagerduty", None)]

            [summary] = await eventually(paged, bool)
            assert "the response has not started" in summary
            assert (await client.get("/readyz")).json()["waiting_for_prefect"] == [incident]
            filler.unlink()

            async def waiting() -> list[str]:
                found: list[str] = (await client.get("/readyz")).json()["waiting_for_prefect"]
                return found

            await eventually(waiting, lambda found: found == [])
            assert (await IncidentStore(url=SecretStr(url)).read(incident)).id == incident
    finally:
        await receiver.stop()
        os.sync()
