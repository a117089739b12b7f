"""A process worker that runs only our flows, starts a few at a time, and survives what happens in a run."""

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from anyio import TASK_STATUS_IGNORED
from prefect.exceptions import ObjectNotFound, PrefectSignal
from prefect.states import Cancelled, Failed
from prefect.workers.base import BaseWorkerResult
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from deployments.prefect.work_pool import fixed_template
from deployments.worker.jobs import JobConfiguration, NotOurs, ignored_variables, run_job, worker_process
from deployments.worker.preparing import RESPOND, Prepared, get_ready
from deployments.worker.start_pace import StartPace, begun_at_once
from deployments.worker.still_ending import StillEnding

if TYPE_CHECKING:
    from anyio.abc import TaskStatus
    from prefect.client.schemas.objects import FlowRun, State
    from prefect.client.schemas.responses import WorkerFlowRunResponse


class WarmWorker(ProcessWorker):
    """A process worker that polls often, and goes on polling while Prefect's server is away."""

    job_configuration = JobConfiguration

    @classmethod
    def __dispatch_key__(cls) -> str:
        return "runbook-process"  # Prefect's own worker stays registered for the type `process`

    @classmethod
    def get_default_base_job_template(cls) -> dict[str, Any]:
        """The template for a pool that is new or has none."""
        return fixed_template()

    stopping = False
    """Set when the worker is told to stop: it takes no more runs."""

    def __init__(self, *args: Any, begin_at_once: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pace = StartPace(begin_at_once or begun_at_once())
        self._preparing: dict[UUID, asyncio.Task[Prepared]] = {}
        self._urgent: set[UUID | None] = set()  # deployments of the flow that people wait for, when last seen
        self._ending = StillEnding()
        self._labelling: set[asyncio.Task[None]] = set()
        self._one_poll = asyncio.Lock()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Poll at once: it is said that a run is due."""
        self._woken.set()

    async def poll_when_woken(self) -> None:
        """Poll each time that somebody wakes it, until it is cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.get_and_submit_flow_runs()
            except Exception as error:  # the regular poll meets the same, counts it and tells of it
                self._logger.debug("Nothing was found after it was woken: %s", error)

    async def get_and_submit_flow_runs(self) -> list["FlowRun"]:
        """Poll once. A dozen failed polls, which is within a minute, would end Prefect's loop."""
        if self.stopping:
            return []
        try:
            async with self._one_poll:
                return await super().get_and_submit_flow_runs()
        except httpx.TransportError as error:
            self._logger.warning("Prefect's server does not answer (%s)", type(error).__name__)
            return []

    async def _get_scheduled_flow_runs(self) -> list["WorkerFlowRunResponse"]:
        """The due runs, without superseded scheduled runs and without those that have to wait.

        A schedule adds runs while no worker is there. To start the runs of an hour at once would delay an
        alert by a minute.
        """
        due = await super()._get_scheduled_flow_runs()
        waiting = [entry.flow_run for entry in due if entry.flow_run.id not in self._submitting_flow_run_ids]
        skipped = {run.id for run in superseded(waiting, now=datetime.now(UTC))}
        for run_id in skipped:
            why = "No worker was running; a later run replaces it."
            state: State[Any] = Cancelled(name="Skipped", message=why)
            await self.client.set_flow_run_state(run_id, state)
        left_out = skipped | self._ending.among({run.id for run in waiting})
        left_out |= self._pace.begin(run for run in waiting if run.id not in left_out)
        return [entry for entry in due if entry.flow_run.id not in left_out]

    async def _submit_run(self, flow_run: "FlowRun") -> None:
        """Take up a run. Its errors stay its own: in Prefect they would end the worker and all its runs."""
        try:
            if flow_run.deployment_id in self._urgent:
                self._prepare(flow_run)
            if await self._require_ours(flow_run) == RESPOND and flow_run.id not in self._preparing:
                self._urgent.add(flow_run.deployment_id)
                self._prepare(flow_run)
            await super()._submit_run(flow_run)
        except NotOurs as error:
            self._logger.error("%r (%s) was refused: %s", flow_run.name, flow_run.id, error)
            self._let_go(flow_run)
        except (Exception, PrefectSignal) as error:
            self._logger.warning("%s was not started: %s: %s", flow_run.name, type(error).__name__, error)
            self._let_go(flow_run)
        finally:
            worker_process.checked.pop(flow_run.id, None)
            if (unused := self._preparing.pop(flow_run.id, None)) is not None:
                (await unused).close()

    def _prepare(self, flow_run: "FlowRun") -> None:
        """Have a process get ready, beside what is looked up and recorded before it is needed."""
        getting_ready = get_ready(flow_run, worker_process.zygote, self.client)
        self._preparing[flow_run.id] = asyncio.create_task(getting_ready)

    def _let_go(self, flow_run: "FlowRun") -> None:
        self._pace.ended(flow_run.id)
        self._release_limit_slot(flow_run.id)
        self._submitting_flow_run_ids.discard(flow_run.id)
        if self._cancelling_observer is not None:
            self._cancelling_observer.remove_in_flight_flow_run_id(flow_run.id)

    async def _require_ours(self, flow_run: "FlowRun") -> str:
        """Fail a run that is not one of our flows, and log which of its variables are ignored.

        Returns its entrypoint.
        """
        deployment = None
        if flow_run.deployment_id is not None:
            try:
                deployment = await self.client.read_deployment(flow_run.deployment_id)
            except ObjectNotFound:
                return ""  # Prefect cancels it
        try:
            entrypoint = worker_process.flows.entrypoint_of(deployment)
        except NotOurs as error:
            state: State[Any] = Failed(
                name="Refused", message=f"This worker runs only the runbook's flows: {error}."
            )
            await self.client.set_flow_run_state(flow_run.id, state)
            raise
        if ignored := ignored_variables(flow_run, deployment):
            names = ", ".join(map(repr, ignored))
            self._logger.warning(
                "%r (%s): its job variables are ignored: %s", flow_run.name, flow_run.id, names
            )
        if deployment is not None:
            worker_process.checked[flow_run.id] = deployment
        return entrypoint

    async def _propose_submitting_state(self, flow_run: "FlowRun") -> None:
        """Not recorded: it is for infrastructure that has to be made, and the process is there at once."""

    async def _give_worker_labels_to_flow_run(self, flow_run_id: UUID) -> None:
        """Beside the start, not before it: nothing waits for the labels, and SQLite may make them wait."""
        labelling = asyncio.create_task(self._label(flow_run_id))
        self._labelling.add(labelling)
        labelling.add_done_callback(self._labelling.discard)

    async def _label(self, flow_run_id: UUID) -> None:
        try:
            await super()._give_worker_labels_to_flow_run(flow_run_id)
        except (httpx.HTTPError, RuntimeError) as error:
            self._logger.warning("%s has no labels: %s: %s", flow_run_id, type(error).__name__, error)

    async def _cancel_run(self, flow_run_id: UUID) -> None:
        """Cancel a run that has not begun. Errors of that do not end the worker either."""
        try:
            await super()._cancel_run(flow_run_id)
        except Exception as error:
            self._logger.warning("%s was not cancelled: %s: %s", flow_run_id, type(error).__name__, error)

    async def _submit_run_and_capture_errors(
        self, flow_run: "FlowRun", task_status: "TaskStatus[int | Exception] | None" = None
    ) -> BaseWorkerResult | Exception:
        """Run it. Also handle the signal of a suspended run, whose former process came to its question."""
        try:
            return await super()._submit_run_and_capture_errors(flow_run, task_status)
        except PrefectSignal as signal:
            error = RuntimeError(f"{type(signal).__name__}: {signal}")
            self._logger.warning("%s does not start: %s", flow_run.name, error)
            if task_status is not None:
                with contextlib.suppress(RuntimeError):  # it had begun
                    task_status.started(error)
            return error

    async def run(
        self,
        flow_run: "FlowRun",
        configuration: ProcessJobConfiguration,
        task_status: "TaskStatus[int] | None" = None,
    ) -> ProcessWorkerResult:
        """Run it; its end makes room for the next."""
        preparing = self._preparing.pop(flow_run.id, None)
        ready = await preparing if preparing is not None else Prepared()
        self._ending.began(flow_run.id)
        try:
            if not isinstance(configuration, JobConfiguration):
                raise NotOurs("its configuration was not checked")
            return await run_job(flow_run, configuration, task_status or TASK_STATUS_IGNORED)
        finally:
            ready.close()
            self._ending.ended(flow_run.id)
            self._pace.ended(flow_run.id)
            self.wake()


def superseded(runs: Iterable["FlowRun"], *, now: datetime) -> list["FlowRun"]:
    """The overdue runs of a schedule that a newer overdue run of the same deployment replaces."""
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
