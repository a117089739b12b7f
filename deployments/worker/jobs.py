"""What the worker runs: our own flows as installed here, and no code that a run brings along.

Otherwise anybody who can write into Prefect could run any code on the worker: by job variables, by a
deployment's entrypoint or by its pull steps. The work pool's template is ignored as well. The run's process
gets the entrypoint that was checked, so a later change of the deployment has no effect on it.
"""

import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import anyio
from prefect.client.schemas.objects import FlowRun
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.runner._flow_run_executor import FlowRunExecutionResult, FlowRunExecutorContext
from prefect.runner._process_manager import ProcessHandle
from prefect.runner._starter_engine import EngineCommandStarter
from prefect.utilities.processutils import command_to_string, get_sys_executable
from prefect.workers.process import ProcessJobConfiguration, ProcessWorkerResult
from pydantic import PrivateAttr

from deployments.prefect.definitions import definitions

if TYPE_CHECKING:
    from uuid import UUID

    from anyio.abc import TaskStatus
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import Flow as APIFlow
    from prefect.client.schemas.objects import WorkPool
    from prefect.client.schemas.responses import DeploymentResponse


_SHOWN = 200
"""Characters of a foreign entrypoint."""


class NotOurs(Exception):
    """The run is not of one of our flows; the text says what it is of."""


@dataclass(frozen=True)
class OwnFlows:
    """The flows of `prefect.yaml`, and those of the modules that the worker was told to preload."""

    entrypoints: frozenset[str]
    modules: frozenset[str] = frozenset()

    @classmethod
    def installed(cls, preloaded: Collection[str] = ()) -> "OwnFlows":
        """The flows of this installation."""
        return cls(frozenset(each.entrypoint for each in definitions()), frozenset(preloaded))

    def entrypoint_of(self, deployment: "DeploymentResponse | None") -> str:
        """The entrypoint of a run's deployment.

        Raises:
            NotOurs: it is not one of our flows, or its deployment has steps to run before it.
        """
        if deployment is None:
            raise NotOurs("it has no deployment")
        entrypoint = deployment.entrypoint or ""
        module = "" if ":" in entrypoint else entrypoint.rpartition(".")[0]
        if entrypoint not in self.entrypoints and module not in self.modules:
            raise NotOurs(
                f"the entrypoint {entrypoint[:_SHOWN]!r} of its deployment does not belong to the runbook"
            )
        if deployment.pull_steps:
            raise NotOurs("its deployment has pull steps, which would run before our code")
        return entrypoint


def ignored_variables(flow_run: FlowRun, deployment: "DeploymentResponse | None") -> list[str]:
    """The names of the job variables that a run or its deployment brings along."""
    brought = (flow_run.job_variables or {}).keys() | ((deployment and deployment.job_variables) or {}).keys()
    return sorted(brought)


class JobConfiguration(ProcessJobConfiguration):
    """How a run's process is started: by the worker's own command, for an entrypoint of our flows."""

    _entrypoint: str = PrivateAttr(default="")

    @classmethod
    async def resolve_for_flow_run(
        cls,
        flow_run: FlowRun,
        *,
        client: "PrefectClient",
        work_pool: "WorkPool",
        worker_name: str,
        worker_id: "UUID | None" = None,
        deployment: "DeploymentResponse | None" = None,
    ) -> Self:
        """The configuration; the pool's template and job variables are ignored.

        Raises:
            NotOurs: it is not a run of one of our flows.
        """
        if deployment is None and flow_run.deployment_id is not None:
            deployment = worker_process.checked.pop(flow_run.id, None)
            deployment = deployment or await client.read_deployment(flow_run.deployment_id)
        entrypoint = worker_process.flows.entrypoint_of(deployment)
        configuration = cls(command=worker_process.command, env={"PREFECT__FLOW_ENTRYPOINT": entrypoint})
        configuration._entrypoint = entrypoint
        flow = worker_process.known_flows.get(flow_run.flow_id) or await client.read_flow(flow_run.flow_id)
        worker_process.known_flows[flow_run.flow_id] = flow  # its id and name, which never change
        configuration.prepare_for_flow_run(
            flow_run, deployment, flow, work_pool, worker_name, worker_id=worker_id
        )
        return configuration

    async def flow(self, _: FlowRun) -> Flow[..., Any]:
        """The flow, for what Prefect does in the worker itself after a run was cancelled or has crashed."""
        return await anyio.to_thread.run_sync(load_flow_from_entrypoint, self._entrypoint)


@dataclass
class WorkerProcess:
    """What a configuration has to know. Prefect creates it from the class, so no object can be passed."""

    flows: OwnFlows
    command: str
    zygote: str = ""
    """The socket of the warm process; empty where there is none."""
    checked: "dict[UUID, DeploymentResponse]" = field(default_factory=dict)
    """The deployments of runs that are being started, as they were when checked, by the run's id."""
    known_flows: "dict[UUID, APIFlow]" = field(default_factory=dict)


worker_process = WorkerProcess(
    OwnFlows.installed(), command_to_string([get_sys_executable(), "-m", "prefect.engine"])
)


async def run_job(
    flow_run: FlowRun, configuration: JobConfiguration, task_status: "TaskStatus[int]"
) -> ProcessWorkerResult:
    """Run it in a process in a new folder, as Prefect's process worker does, except that the flow is ours.

    Raises:
        RuntimeError: the process did not start.
    """
    execution: FlowRunExecutionResult | None = None
    with tempfile.TemporaryDirectory(prefix="runbook-run-") as folder:
        async with FlowRunExecutorContext() as context:
            starter = EngineCommandStarter(
                command=configuration.command,
                cwd=folder,
                env=configuration.env,
                control_channel=context.control_channel,
            )
            executor = context.create_executor(
                flow_run, starter, resolve_flow=configuration.flow, propose_submitting=False
            )

            async def execute(
                *, task_status: "TaskStatus[ProcessHandle]" = anyio.TASK_STATUS_IGNORED
            ) -> None:
                nonlocal execution
                execution = await executor.submit(task_status=task_status)

            async with anyio.create_task_group() as group:
                handle = await group.start(execute)
                task_status.started(handle.pid)
    if execution is None or execution.status_code is None:
        raise RuntimeError("the run's process did not start")
    return ProcessWorkerResult(status_code=execution.status_code, identifier=str(execution.handle.pid))
