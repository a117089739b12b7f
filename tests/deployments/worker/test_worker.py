"""The warm worker: runs start from a fork, and whatever dies, no run stays in state Running for ever."""

import os
import signal
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelling

from deployments.worker.warm_worker import superseded
from tests.deployments.worker_bench import MUTE, TAKEN, Bench

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

SLOW_START_SECONDS = 3
"""Longer than a run takes the processor: the worker starts runs ten seconds ahead, and they pile up else."""


async def test_a_run_is_forked_from_the_warm_process_and_completes(bench: Bench) -> None:
    """The run's parent is the zygote, whose parent is the worker; its result is what it would be anyway."""
    run = await bench.start_run()
    assert (await bench.ends(run)).is_completed()
    zygote = await bench.engines_parent()
    stat = Path(f"/proc/{zygote}/stat").read_text()  # noqa: ASYNC240  a line of the kernel's
    assert int(stat.rpartition(")")[2].split()[1]) == bench.worker.pid


async def test_a_killed_run_is_crashed(bench: Bench) -> None:
    """kill -9 of the run's process is told with its signal, as the stock worker tells it."""
    run = await bench.start_run(seconds=120)
    os.kill(await bench.engine(), signal.SIGKILL)
    state = await bench.ends(run)
    assert state.is_crashed()
    assert "status code: -9" in (state.message or "")


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, id="SIGTERM"),
        pytest.param(signal.SIGINT, id="SIGINT", marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, id="SIGKILL"),
    ],
)
async def test_a_worker_that_goes_takes_its_runs_along_and_says_so(
    bench: Bench, number: signal.Signals
) -> None:
    """The stock worker would leave the run in state Running, and after SIGKILL also its process."""
    run = await bench.start_run(seconds=120)
    engine, zygote = await bench.engine(), await bench.engines_parent()
    os.kill(bench.worker.pid, number)
    assert (await bench.ends(run)).is_crashed()
    assert await bench.is_gone(engine)
    assert await bench.is_gone(zygote)


@pytest.mark.parametrize("bench", [MUTE], indirect=True)
async def test_a_worker_whose_output_cannot_be_written_runs_and_stops(bench: Bench) -> None:
    """The disk behind its log is full: runs end as ever, and it takes the last one along when it stops."""
    assert (await bench.ends(await bench.start_run())).is_completed()
    (bench.folder / "pid").unlink()
    run = await bench.start_run(seconds=120)
    engine = await bench.engine()
    os.kill(bench.worker.pid, signal.SIGTERM)
    assert (await bench.ends(run)).is_crashed()
    assert await bench.is_gone(engine)
    await bench.worker.succeeded()


@pytest.mark.parametrize("bench", [TAKEN], indirect=True)
async def test_a_worker_needs_no_folder_that_other_users_may_have_made_first(bench: Bench) -> None:
    """Prefect's runner would end where somebody else has made its folder in /tmp, and say nothing of use."""
    assert (await bench.ends(await bench.start_run())).is_completed()


async def test_a_cancelled_run_stops(bench: Bench) -> None:
    """Cancelling in the Prefect UI reaches the forked process."""
    run = await bench.start_run(seconds=120)
    engine = await bench.engine()
    await bench.client.set_flow_run_state(run, Cancelling())
    assert (await bench.ends(run)).is_cancelled()
    assert await bench.is_gone(engine)


async def test_without_its_zygote_the_worker_starts_runs_cold(bench: Bench) -> None:
    """A slow start is better than none."""
    assert (await bench.ends(await bench.start_run())).is_completed()
    zygote = await bench.engines_parent()
    os.kill(zygote, signal.SIGKILL)
    assert await bench.is_gone(zygote)  # until then it may take a run with it, which is continued elsewhere
    (bench.folder / "pid").unlink()
    assert (await bench.ends(await bench.start_run())).is_completed(), bench.worker.log.read_text()
    assert "starting a cold one" in bench.worker.log.read_text()


@pytest.mark.parametrize("bench", [["--begin-at-once", "1"]], indirect=True, ids=["one"])
async def test_runs_that_come_all_at_once_begin_one_after_the_other(bench: Bench) -> None:
    """A storm of alerts does not starve itself; every run has its turn."""
    runs = [await bench.start_run(seconds=0.5) for _ in range(3)]
    assert all([(await bench.ends(run)).is_completed() for run in runs])
    known = [await bench.client.read_flow_run(run) for run in runs]
    times = [(run.start_time or NOON, run.end_time or NOON) for run in known]
    for (_, ended), (started, _) in pairwise(sorted(times)):
        assert ended <= started


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)


def due(minutes: float, deployment: UUID = ONE, *, auto_scheduled: bool = True) -> FlowRun:
    """A run that was scheduled for so many minutes after noon."""
    return FlowRun.model_validate(
        {
            "flow_id": UUID(int=0),
            "deployment_id": deployment,
            "auto_scheduled": auto_scheduled,
            "next_scheduled_start_time": NOON + timedelta(minutes=minutes),
        }
    )


@pytest.mark.parametrize(
    ("runs", "skipped"),
    [
        ([], []),
        ([due(-5)], []),  # late, and the only one
        ([due(-5), due(-4), due(-3)], [0, 1]),
        ([due(-3), due(-5), due(-4)], [1, 2]),
        ([due(-5), due(0)], [0]),
        ([due(-5), due(0.1)], []),  # the next one is not due yet
        ([due(-5), due(-4, OTHER)], []),  # each deployment for itself
        ([due(-5, auto_scheduled=False), due(-4, auto_scheduled=False)], []),  # someone wanted both
        ([due(-5), due(-4, auto_scheduled=False)], []),
    ],
)
def test_a_schedule_s_missed_runs_are_made_up_for_by_the_newest(
    runs: list[FlowRun], skipped: list[int]
) -> None:
    """Runs that somebody asked for all take place, however late."""
    found = superseded(runs, now=NOON)
    assert {run.id for run in found} == {runs[place].id for place in skipped}


async def test_after_an_outage_a_schedule_runs_once(bench: Bench) -> None:
    """A worker that comes back to a pile of missed runs starts the newest one and skips the others."""
    os.kill(bench.worker.pid, signal.SIGSTOP)
    await bench.run_every(seconds=SLOW_START_SECONDS)
    missed = await bench.overdue(3)
    os.kill(bench.worker.pid, signal.SIGCONT)

    states = [await bench.ends(run) for run in missed]
    await bench.remove_deployment()
    assert {state.name for state in states[:-1]} == {"Skipped"}
