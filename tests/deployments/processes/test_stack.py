"""The stack of one machine: all of it starts, an early end is told, and all of it stops."""

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL
from pydantic import SecretStr

from blocks.store.block import IncidentStoreBlock
from blocks.transport.errors import Refused
from blocks.transport.prefect_api import prefect_client
from deployments.prefect.server import foreign_settings_removed
from deployments.processes.process import EndedEarly
from deployments.processes.stack import Stack
from deployments.settings.settings import load_settings
from tests.deployments.child_processes import processes_in, wait_until_gone

pytestmark = [pytest.mark.proof, pytest.mark.real, pytest.mark.timeout(300)]

SETTINGS = '[receiver]\nport = {port}\n[integration]\nhealth_url = "http://127.0.0.1:1/health"\n'


def stack(folder: Path, text: str = "", *, port: int = 0) -> Stack:
    """A stack that keeps everything in a folder."""
    config = folder / "runbook.toml"
    config.write_text(SETTINGS.format(port=port) + text)
    return Stack(load_settings(config, systems=False), config=config, state=folder / "state")


async def test_inside_everything_works_an_early_end_is_told_and_outside_nothing_is_left(
    tmp_path: Path,
) -> None:
    """Ready means: Prefect answers, holds the settings and has a worker; alerts are taken.

    Whoever watches is told which part ended.
    """
    before = PREFECT_API_URL.value()
    async with stack(tmp_path) as running:
        assert (await get(f"{running.receiver_url}/readyz")).json()["status"] == "ready"
        assert b"<title>" in (await get(running.ui_url, follow_redirects=True)).content
        async with prefect_client() as client:
            assert str(client.api_url).rstrip("/") == running.api_url
            assert len(await client.read_workers_for_work_pool("runbook")) == 1
            deployment = await client.read_deployment_by_name("respond/respond")
        assert deployment.work_pool_name == "runbook"
        [receiver] = [process for process in running.processes if process.name == "The receiver"]
        os.kill(receiver.pid, 9)
        with pytest.raises(EndedEarly, match="The receiver: ended with exit code -9"):
            await asyncio.wait_for(running.watch(), timeout=20)
    assert PREFECT_API_URL.value() == before
    assert wait_until_gone(tmp_path) == []


async def test_runs_believe_the_store_of_the_settings_whatever_a_block_says(tmp_path: Path) -> None:
    """Somebody who may edit blocks in Prefect leads a run to a store of their own: it refuses to act."""
    async with stack(tmp_path), prefect_client() as client:
        deployment = await client.read_deployment_by_name("remind/remind")

        async def ended() -> State[Any]:
            run = await client.create_flow_run_from_deployment(
                deployment.id, parameters={"environment": "default"}
            )
            async with asyncio.timeout(90):
                while True:
                    state = (await client.read_flow_run(run.id)).state
                    if state is not None and state.is_final():
                        return state
                    await asyncio.sleep(0.2)

        assert (await ended()).is_completed()
        mine = SecretStr(f"sqlite+aiosqlite:///{tmp_path / 'mine.db'}")
        await IncidentStoreBlock(url=mine).asave("default", overwrite=True)
        refused = await ended()
    assert refused.is_failed()
    assert "names a different store than this worker's settings" in str(refused.message)
    assert not (tmp_path / "mine.db").exists()


async def test_a_part_that_cannot_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    """A broken database is named by Prefect's own error, and the processes started before are stopped."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "prefect.db").write_text("this is no database, though it is long enough " * 100)
    with pytest.raises(EndedEarly, match=r"Prefect's server: .*file is not a database") as told:
        async with stack(tmp_path):
            pytest.fail("it cannot be ready")
    assert "\n" not in str(told.value)
    assert wait_until_gone(tmp_path) == []


async def test_a_mistake_in_the_systems_settings_stops_everything(tmp_path: Path) -> None:
    """The worker reads them, and tells the mistake with its last words; nothing is left then."""
    with pytest.raises(EndedEarly, match=r"The worker: .*prometheus\.urll: unknown key"):
        async with stack(tmp_path, '[prometheus]\nurll = "http://x"\n'):
            pytest.fail("it cannot be ready")
    assert wait_until_gone(tmp_path) == []


async def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    """Nothing is left running for it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"cannot listen on 127.0.0.1 port {port} "):
            async with stack(tmp_path, port=port):
                pytest.fail("it cannot be ready")
    assert processes_in(tmp_path) == []


def test_settings_of_another_prefect_are_left_out() -> None:
    """An address or key of a team's own Prefect does not reach the processes of a local one."""
    environment = {"PATH": "/bin", "PREFECT_API_KEY": "pnu_secret", "PREFECT_PROFILE": "production"}
    assert foreign_settings_removed(environment) == {"PATH": "/bin"}


async def get(url: str, *, follow_redirects: bool = False) -> httpx.Response:
    """The answer to a request that no proxy of this machine sees."""
    async with httpx.AsyncClient(trust_env=False, follow_redirects=follow_redirects) as client:
        return (await client.get(url)).raise_for_status()
