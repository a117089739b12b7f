"""A world from the command line.

``python -m deployments.drill.world --scenario NAME --state DIR`` prints one line of JSON (the
:class:`Endpoints`) when all listens, begins the trouble some seconds later, and runs until SIGTERM, SIGINT
or the end of its standard input.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import threading
from pathlib import Path

from deployments.drill.run.scenario import load_scenario, scenario_names
from deployments.drill.world.endpoints import Endpoints
from deployments.drill.world.world import World
from deployments.processes.umask import keep_files_private


def _watch_stdin(ended: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def watch() -> None:
        while os.read(0, 4096):
            continue
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True, name="stdin").start()


async def _live(scenario: str, state: Path, *, real_prometheus: bool) -> None:
    def announce(endpoints: Endpoints) -> None:
        print(endpoints.model_dump_json(), flush=True)

    world = World(load_scenario(scenario), state, real_prometheus=real_prometheus, opened=announce)
    async with world:
        await world.failed()


async def _run_until_told(scenario: str, state: Path, *, real_prometheus: bool) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    _watch_stdin(ended)
    living = asyncio.create_task(_live(scenario, state, real_prometheus=real_prometheus))
    ending = asyncio.create_task(ended.wait())
    await asyncio.wait((living, ending), return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    living.cancel()
    with contextlib.suppress(asyncio.CancelledError):  # the end that was asked for
        await living


def main() -> None:
    """Run a world from the command line."""
    keep_files_private()
    parser = argparse.ArgumentParser(
        prog="python -m deployments.drill.world", description="Run a drill's world."
    )
    parser.add_argument("--scenario", required=True, choices=scenario_names())
    parser.add_argument(
        "--state", required=True, type=Path, help="folder for the kubeconfig and Prometheus's data"
    )
    parser.add_argument("--imitate-prometheus", action="store_true", help="although the binary is there")
    asked = parser.parse_args()
    asyncio.run(_run_until_told(asked.scenario, asked.state, real_prometheus=not asked.imitate_prometheus))
