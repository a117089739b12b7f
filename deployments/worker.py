"""The worker: Prefect's process worker, whose runs start from a warm process.

    python -m deployments.worker --config runbook.toml   # what `runbook configure` does, then work
    python -m deployments.worker --pool runbook          # work only

Any `prefect worker start --type process` can serve the same pool, only slower: it imports Prefect anew for
each run (over a second), where a fork of the zygote takes some milliseconds.
"""

import argparse
import asyncio
import contextlib
import importlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectSignal
from prefect.settings import PREFECT_WORKER_QUERY_SECONDS, temporary_settings
from prefect.states import Cancelled
from prefect.utilities.processutils import command_to_string
from prefect.workers.base import BaseWorkerResult
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from blocks.errors import OutsideError
from deployments import warm_run
from deployments.configure import configure
from deployments.definitions import flow_modules
from deployments.output import never_fail
from deployments.prefect_patience import come_back_soon
from deployments.settings import ConfigurationError, load_settings
from deployments.start_pace import PER_PROCESSOR, StartPace, begun_at_once
from deployments.zygote import ZygoteHandle, start_zygote

if TYPE_CHECKING:
    from anyio.abc import TaskStatus
    from prefect.client.schemas.objects import FlowRun, State
    from prefect.client.schemas.responses import WorkerFlowRunResponse

POLL_SECONDS = 0.5
_API_POLL_SECONDS = 0.1

_ENGINE_MODULES = (
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.runner.runner",
    "prefect._internal.metrics",
    "matplotlib.dates",  # imported late by the chart, which most processes never draw
    "matplotlib.figure",
)


class WarmJobConfiguration(ProcessJobConfiguration):
    """A process job whose command, unless the pool or the deployment names one, asks the zygote."""

    def prepare_for_flow_run(self, *args: Any, **kwargs: Any) -> None:
        """Fill in the command before Prefect fills in its own."""
        self.command = self.command or _warm_command
        super().prepare_for_flow_run(*args, **kwargs)


_warm_command: str | None = None


class WarmWorker(ProcessWorker):
    """A process worker that polls often, and goes on polling while Prefect's server is away."""

    job_configuration = WarmJobConfiguration

    @classmethod
    def __dispatch_key__(cls) -> str:
        return "runbook-process"  # Prefect's own worker stays registered for the type `process`

    stopping = False
    """Set when the worker is told to stop: it takes no more runs."""

    def __init__(self, *args: Any, begin_at_once: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pace = StartPace(begin_at_once or begun_at_once())

    async def get_and_submit_flow_runs(self) -> list["FlowRun"]:
        """Poll once. A dozen failed polls would end Prefect's loop, at this interval within a minute."""
        if self.stopping:
            return []
        try:
            return await super().get_and_submit_flow_runs()
        except httpx.TransportError as error:
            self._logger.warning("Prefect's server does not answer (%s)", type(error).__name__)
            return []

    async def _get_scheduled_flow_runs(self) -> list["WorkerFlowRunResponse"]:
        """What is due, but for what a schedule has made superfluous, and what is not to begin just now.

        A schedule goes on while no worker is there. Its runs of an hour, all at once, would keep an alert
        waiting for a minute.
        """
        due = await super()._get_scheduled_flow_runs()
        waiting = [entry.flow_run for entry in due if entry.flow_run.id not in self._submitting_flow_run_ids]
        skipped = {run.id for run in superseded(waiting, now=datetime.now(UTC))}
        for run_id in skipped:
            why = "No worker was there; a later run makes up for it."
            state: State[Any] = Cancelled(name="Skipped", message=why)
            await self.client.set_flow_run_state(run_id, state)
        left_out = skipped | self._pace.begin(run for run in waiting if run.id not in skipped)
        return [entry for entry in due if entry.flow_run.id not in left_out]

    async def _submit_run(self, flow_run: "FlowRun") -> None:
        """Take up a run. What it meets is its own: Prefect would end the worker, and with it all its runs."""
        try:
            await super()._submit_run(flow_run)
        except (Exception, PrefectSignal) as error:
            self._logger.warning("%s was not taken up: %s: %s", flow_run.name, type(error).__name__, error)
            self._pace.ended(flow_run.id)
            self._release_limit_slot(flow_run.id)
            self._submitting_flow_run_ids.discard(flow_run.id)
            if self._cancelling_observer is not None:
                self._cancelling_observer.remove_in_flight_flow_run_id(flow_run.id)

    async def _submit_run_and_capture_errors(
        self, flow_run: "FlowRun", task_status: "TaskStatus[int | Exception] | None" = None
    ) -> BaseWorkerResult | Exception:
        """Run it, and capture also the signal that it sleeps: its former process came to its question."""
        try:
            return await super()._submit_run_and_capture_errors(flow_run, task_status)
        except PrefectSignal as signal:
            error = RuntimeError(f"{type(signal).__name__}: {signal}")
            self._logger.warning("%s does not begin: %s", flow_run.name, error)
            if task_status is not None:
                with contextlib.suppress(RuntimeError):  # it had begun
                    task_status.started(error)
            return error

    async def run(self, flow_run: "FlowRun", *args: Any, **kwargs: Any) -> ProcessWorkerResult:
        """Run it; its end makes room for the next."""
        try:
            return await super().run(flow_run, *args, **kwargs)
        finally:
            self._pace.ended(flow_run.id)


def superseded(runs: Iterable["FlowRun"], *, now: datetime) -> list["FlowRun"]:
    """The overdue runs of a schedule after which another one of the same deployment is overdue as well."""
    overdue = sorted(
        (run for run in runs if run.auto_scheduled and _due_at(run) <= now), key=_due_at, reverse=True
    )
    newest: set[UUID | None] = set()
    found = []
    for run in overdue:
        if run.deployment_id in newest:
            found.append(run)
        newest.add(run.deployment_id)
    return found


def _due_at(run: "FlowRun") -> datetime:
    return run.next_scheduled_start_time or datetime.max.replace(tzinfo=UTC)


def main(arguments: list[str] | None = None) -> int:
    """Serve a pool until SIGTERM or SIGINT. Returns 1 with one line on stderr where that is not possible."""
    parser = argparse.ArgumentParser(
        prog="python -m deployments.worker", description="A warm process worker."
    )
    parser.add_argument("--config", type=Path, help="settings file to save in Prefect first")
    parser.add_argument("--pool", help="work pool of type process (default: as in the settings, or runbook)")
    parser.add_argument("--name", help="name of this worker (default: a random one)")
    parser.add_argument(
        "--preload", action="append", default=[], metavar="MODULE", help="import before forking"
    )
    parser.add_argument(
        "--begin-at-once",
        type=int,
        metavar="N",
        help=f"responses that begin at the same time (default: {PER_PROCESSOR} for each of its processors)",
    )
    chosen = parser.parse_args(arguments)
    if chosen.begin_at_once is not None and chosen.begin_at_once < 1:
        parser.error("--begin-at-once: at least one, or no response would ever begin")
    try:
        pool = chosen.pool or (_pool_of(chosen.config) if chosen.config else "runbook")
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    never_fail()  # the runs too, which are forks of this process
    try:
        folder = Path(tempfile.mkdtemp(prefix="runbook-worker-"))  # for its owner only: nobody else can ask
    except OSError as error:
        print(
            f"no folder for the worker's socket ({error}): free space there, or set TMPDIR", file=sys.stderr
        )
        return 1
    socket_path = str(folder / "zygote")
    come_back_soon()
    _preload(chosen.preload)
    sys.stdout.flush()
    sys.stderr.flush()
    zygote = start_zygote(socket_path)
    # Only the worker comes here: the zygote and its forks end inside `start_zygote`.
    global _warm_command  # noqa: PLW0603  Prefect makes the configuration from a class, not from an object of ours
    _warm_command = command_to_string([sys.executable, "-I", "-S", warm_run.__file__, socket_path])
    try:
        with temporary_settings({PREFECT_WORKER_QUERY_SECONDS: POLL_SECONDS}):
            worker = WarmWorker(work_pool_name=pool, name=chosen.name, begin_at_once=chosen.begin_at_once)
            asyncio.run(_serve(worker, zygote, chosen.config))
    except (ConfigurationError, OutsideError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _pool_of(config: Path) -> str:
    return load_settings(config, systems=False).prefect.work_pool


async def _serve(worker: WarmWorker, zygote: ZygoteHandle, config: Path | None) -> None:
    """Work until told to stop. The stock worker would then leave its runs in state Running for ever."""
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
    """Save the settings, then work. They are read after the fork: a run's process has no secrets by birth."""
    await _wait_for_api()
    if config is not None:
        await configure(load_settings(config))
    await worker.start()


async def _wait_for_api() -> None:
    """Wait until Prefect's server answers, so that a worker can be started together with it."""
    async with get_client() as client:
        failure = await client.api_healthcheck()
        if failure is not None:
            print(f"Waiting for Prefect's server at {client.api_url}", flush=True)
        while failure is not None:
            await asyncio.sleep(_API_POLL_SECONDS)
            failure = await client.api_healthcheck()


def _preload(modules: list[str]) -> None:
    """Import what an engine process needs. A module that fails is named here, and again by its runs."""
    for name in (*_ENGINE_MODULES, *flow_modules(), *modules):
        try:
            importlib.import_module(name)
        except Exception as error:
            print(f"{name} was not preloaded: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
