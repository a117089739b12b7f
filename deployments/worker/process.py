"""The worker: Prefect's process worker, whose runs start from a warm process.

    python -m deployments.worker --config runbook.toml   # what `runbook configure` does, then work
    python -m deployments.worker --pool runbook          # work only

Any `prefect worker start --type process` can serve the same pool, only slower: it imports Prefect anew for
each run (over a second), where a fork of the zygote takes some milliseconds. It also runs whatever code a
deployment names; this one runs our flows only, see `deployments.worker.jobs`. With `--config` its runs use
only the store of those settings, even if the block in Prefect names another, see `blocks.store.own_store`.
"""

import argparse
import asyncio
import contextlib
import importlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.context import refresh_global_settings_context
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_UI_URL,
    PREFECT_WORKER_QUERY_SECONDS,
    temporary_settings,
)
from prefect.utilities.processutils import command_to_string

from blocks.store.own_store import give_to_runs
from blocks.transport.errors import OutsideError
from blocks.transport.http import tls
from blocks.transport.translating import bare_url
from deployments.prefect.configure import configure
from deployments.prefect.definitions import flow_modules
from deployments.prefect.patience import come_back_soon
from deployments.prefect.wake import FOLDER, listening, stop_listening
from deployments.processes.output import never_fail
from deployments.processes.umask import keep_files_private
from deployments.settings.settings import ConfigurationError, PrefectSettings, load_settings
from deployments.worker import warm_run
from deployments.worker.folders import ZYGOTE, new_folder
from deployments.worker.jobs import OwnFlows, worker_process
from deployments.worker.plain_http import VARIABLE, certificates
from deployments.worker.start_pace import PER_PROCESSOR
from deployments.worker.warm_worker import WarmWorker
from deployments.worker.zygote import ZygoteHandle, start_zygote
from runbook.outside_text.terminal import line_on_terminal, masked_on_terminal
from runbook.templates.environments import compile_templates

POLL_SECONDS = 0.5
_API_POLL_SECONDS = 0.1

_ENGINE_MODULES = (
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.runner.runner",
    "prefect._internal.metrics",
    # What these import first when they are used.
    "anyio._backends._asyncio",
    "prefect.utilities.visualization",
    "sqlalchemy.dialects.postgresql.psycopg",
    "psycopg",
    "aiosqlite",
    "matplotlib.dates",  # imported late by the chart, which most processes never draw
    "matplotlib.figure",
)


def main(arguments: list[str] | None = None) -> int:
    """Serve a pool until SIGTERM or SIGINT. If that is impossible, print one line to stderr and return 1."""
    keep_files_private()
    chosen = _chosen(arguments)
    try:
        configured = _bound_to(chosen.config) if chosen.config else PrefectSettings()
        pool = chosen.pool or configured.work_pool
    except ConfigurationError as error:
        print(masked_on_terminal(str(error)), file=sys.stderr)
        return 1
    never_fail()  # the runs too, which are forks of this process
    try:
        folder = new_folder()  # for its owner only: nobody else can ask
    except OSError as error:
        print(
            f"no folder for the worker's socket ({error}): free space there, or set TMPDIR", file=sys.stderr
        )
        return 1
    socket_path = str(folder / ZYGOTE)
    # Prefect's runner has one folder in /tmp for all users: whoever makes it first keeps others out.
    tempfile.tempdir = str(folder)
    come_back_soon()
    if VARIABLE not in os.environ and (file := certificates(PREFECT_API_URL.value(), folder)):
        os.environ[VARIABLE] = file
    if configured.public_url:
        os.environ[PREFECT_UI_URL.name] = configured.public_url  # links of the runs lead there
    refresh_global_settings_context()
    _preload(chosen.preload)
    sys.stdout.flush()
    sys.stderr.flush()
    zygote = start_zygote(socket_path)
    # Only the worker comes here: the zygote and its forks end inside `start_zygote`.
    worker_process.command = command_to_string([sys.executable, "-I", "-S", warm_run.__file__, socket_path])
    worker_process.zygote = socket_path
    worker_process.flows = OwnFlows.installed(chosen.preload)
    try:
        with temporary_settings({PREFECT_WORKER_QUERY_SECONDS: POLL_SECONDS}):
            worker = WarmWorker(work_pool_name=pool, name=chosen.name, begin_at_once=chosen.begin_at_once)
            asyncio.run(_serve(worker, zygote, chosen.config))
    except (ConfigurationError, OutsideError) as error:
        print(masked_on_terminal(str(error)), file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _chosen(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deployments.worker", description="A warm process worker."
    )
    parser.add_argument("--config", type=Path, help="settings file to save in Prefect first")
    parser.add_argument("--pool", help="work pool of type process (default: as in the settings, or runbook)")
    parser.add_argument("--name", help="name of this worker (default: a random one)")
    parser.add_argument(
        "--preload",
        action="append",
        default=[],
        metavar="MODULE",
        help="import before forking; its flows are the ones that this worker runs",
    )
    parser.add_argument(
        "--begin-at-once",
        type=int,
        metavar="N",
        help=f"responses that begin at the same time (default: {PER_PROCESSOR} for each of its processors)",
    )
    chosen = parser.parse_args(arguments)
    if chosen.begin_at_once is not None and chosen.begin_at_once < 1:
        parser.error("--begin-at-once: at least one, or no response would ever start")
    return chosen


def _bound_to(config: Path) -> PrefectSettings:
    """Make the runs use the store of these settings only; return the settings for Prefect."""
    settings = load_settings(config, systems=False)
    give_to_runs(settings.store_url, os.environ)
    return settings.prefect


async def _serve(worker: WarmWorker, zygote: ZygoteHandle, config: Path | None) -> None:
    """Work until told to stop. Prefect's own worker would leave its runs in state Running."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    working = asyncio.create_task(_work(worker, config))
    told = asyncio.create_task(told_to_stop.wait())
    await asyncio.wait((working, told), return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not working.done():
        print("Worker stopping", flush=True)
        worker.stopping = True
        await asyncio.to_thread(zygote.dismiss)
        working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _work(worker: WarmWorker, config: Path | None) -> None:
    """Save the settings, then work. They are read after the fork, so no run inherits secrets."""
    await _wait_for_api()
    if config is not None:
        settings = load_settings(config)
        for line in (*settings.warning_lines(), *settings.make_folders()):
            print(line, file=sys.stderr, flush=True)
        await configure(settings)
    with _woken(worker):
        await worker.start()


@contextlib.contextmanager
def _woken(worker: WarmWorker) -> Iterator[None]:
    """Have the worker hear of runs that are due, where a server of ours on this machine says so."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        yield
        return
    try:
        heard = listening(Path(folder), str(os.getpid()))
    except OSError as error:
        print(f"Nobody wakes this worker ({error}): it polls", file=sys.stderr, flush=True)
        yield
        return
    loop = asyncio.get_running_loop()

    def wake() -> None:
        with contextlib.suppress(BlockingIOError):
            while heard.recv(1):
                worker.wake()

    loop.add_reader(heard, wake)
    polling = asyncio.create_task(worker.poll_when_woken())
    try:
        yield
    finally:
        polling.cancel()
        loop.remove_reader(heard)
        heard.close()
        stop_listening(Path(folder), str(os.getpid()))


async def _wait_for_api() -> None:
    """Wait until Prefect's server answers, so that a worker can be started together with it."""
    async with get_client() as client:
        failure = await client.api_healthcheck()
        if failure is not None:
            print(f"Waiting for Prefect's server at {bare_url(str(client.api_url))}", flush=True)
        while failure is not None:
            await asyncio.sleep(_API_POLL_SECONDS)
            failure = await client.api_healthcheck()


def _preload(modules: list[str]) -> None:
    """Get what an engine process needs. A module that fails is named here, and again by its runs."""
    for name in (*_ENGINE_MODULES, *flow_modules(), *modules):
        try:
            importlib.import_module(name)
        except Exception as error:
            why = line_on_terminal(f"{type(error).__name__}: {error}")
            print(f"{name} was not preloaded: {why}", file=sys.stderr, flush=True)
    compile_templates()
    tls(verify=True)


if __name__ == "__main__":
    sys.exit(main())
