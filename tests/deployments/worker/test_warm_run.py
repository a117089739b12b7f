"""The stand-in of a run: where the zygote does not take the request, it becomes the engine itself."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from deployments.worker import warm_run

COLD = "starting a cold one"


async def said_with(path: Path) -> str:
    """What a stand-in says that asks the zygote at a path; as an engine it then has no run, and ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", warm_run.__file__, str(path)), stderr=asyncio.subprocess.PIPE, cwd="/"
    )
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    return said.decode()


async def test_a_zygote_that_is_not_there_is_done_without(tmp_path: Path) -> None:
    """A slow start is better than none."""
    assert COLD in await said_with(tmp_path / "no-such-socket")


@pytest.mark.parametrize("after", ["the connection", "the request"])
async def test_a_zygote_that_dies_before_it_has_taken_the_request_is_done_without(
    tmp_path: Path, after: str
) -> None:
    """It has started no process, so that the run is started once."""
    with socket.create_server(str(tmp_path / "zygote"), family=socket.AF_UNIX) as listener:
        asked = asyncio.create_task(said_with(tmp_path / "zygote"))
        connection, _ = await asyncio.to_thread(listener.accept)
        if after == "the request":
            await asyncio.to_thread(connection.recv, 1_000_000)
        connection.close()
        assert f"(it has just died): {COLD}" in await asked


async def test_a_zygote_that_dies_with_the_run_leaves_it_to_who_continues_it(tmp_path: Path) -> None:
    """Its process may go on: a second one is not started beside it."""
    with socket.create_server(str(tmp_path / "zygote"), family=socket.AF_UNIX) as listener:
        asked = asyncio.create_task(said_with(tmp_path / "zygote"))
        connection, _ = await asyncio.to_thread(listener.accept)
        await asyncio.to_thread(connection.recv, 1_000_000)
        connection.sendall(warm_run.TAKEN)
        connection.close()
        said = await asked
    assert COLD not in said
    assert "parent is gone" in said
