"""Whether Prefect is there, in our version, with the work pool and a worker; `runbook doctor` tells."""

from pathlib import Path
from typing import TYPE_CHECKING

from blocks.transport.errors import OutsideError
from deployments.cli.doctor.other_environments import other_environments
from deployments.cli.doctor.rows import CheckRow, State
from deployments.cli.doctor.systems import failed
from deployments.cli.errors import CommandError

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_NAME = "Prefect"


async def prefect_rows(config: Path | None, work_pool: str) -> list[CheckRow]:
    """The row of the Prefect that is meant, and one for each other environment that is looked for in it."""
    return [await prefect_row(config, work_pool), *await other_environments(config)]


async def prefect_row(config: Path | None, work_pool: str) -> CheckRow:
    """The row of the Prefect that is meant."""
    from deployments.cli.sources import prefect_client

    try:
        async with prefect_client(config) as client:
            ours, theirs = client.client_version(), await client.api_version()
            return await _row(client, work_pool, ours, theirs)
    except CommandError as error:
        return CheckRow(_NAME, State.MISSING, error.problem, error.next_step)
    except OutsideError as error:
        return failed(_NAME, error)


async def _row(client: "PrefectClient", work_pool: str, ours: str, theirs: str) -> CheckRow:
    from prefect.client.schemas.objects import WorkerStatus
    from prefect.exceptions import ObjectNotFound

    versions = f"version {theirs}"
    if ours.split(".")[:2] != theirs.split(".")[:2]:
        detail = f"{versions} there, {ours} here"
        return CheckRow(_NAME, State.WRONG, detail, "Run the same minor version in both places")
    try:
        await client.read_work_pool(work_pool)
    except ObjectNotFound:
        detail, advice = f"{versions}, no work pool {work_pool!r}", "Run `runbook configure FILE`"
        return CheckRow(_NAME, State.WRONG, detail, advice)
    workers = await client.read_workers_for_work_pool(work_pool)
    online = sum(worker.status == WorkerStatus.ONLINE for worker in workers)
    if not online:
        advice = "Start one: `runbook up`, or `python -m deployments.worker`"
        return CheckRow(_NAME, State.WRONG, f"{versions}, pool {work_pool!r} has no worker online", advice)
    return CheckRow(_NAME, State.OK, f"{versions}, pool {work_pool!r} with {online} worker(s) online")
