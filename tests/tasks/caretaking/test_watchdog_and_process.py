"""The watchdog and a process that is not as dead as it looks: it just ends, or it wakes up too late."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import Abort
from prefect.states import AwaitingRetry, Pending, Running

from blocks.store.lease import LeaseLost
from deployments.prefect.server import PrefectServer
from flows import current_run
from flows.current_run import sole_process
from flows.watchdog import watchdog as watchdog_flow
from runbook.caretaking.runs import Run, RunState
from runbook.incidents.events import IncidentClosed, RunStarted
from tasks.caretaking import watchdog
from tasks.incident import OpenIncident, now
from tasks.lease import on_duty
from tests.tasks.environments import AT, open_incident

pytestmark = pytest.mark.usefixtures("engineless")

RUN = "00000000-0000-0000-0000-000000000001"
CLOSED = IncidentClosed(outcome="recovered")


@pytest.fixture
async def incident(engineless: PrefectServer, tmp_path: Path) -> OpenIncident:  # noqa: ARG001  it sets the address
    """An incident whose run started long ago."""
    opened = await open_incident(tmp_path)
    await opened.record(RunStarted(flow_run_id=RUN))
    return opened


def prefect_says(monkeypatch: pytest.MonkeyPatch, run: Run, *, while_asked: OpenIncident | None) -> None:
    """What Prefect answers; meanwhile the run closes its incident."""

    async def read(_client: PrefectClient, _flow_run_id: str) -> Run:
        if while_asked is not None:
            await while_asked.record(CLOSED)
        return run

    monkeypatch.setattr(watchdog, "read_run", read)


async def test_a_run_that_closes_its_incident_meanwhile_is_left_alone(
    incident: OpenIncident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal is read after Prefect, whose answer is then never the newer one of the two."""
    run = Run(id=RUN, state=RunState.COMPLETED, since=AT)
    prefect_says(monkeypatch, run, while_asked=incident)
    assert await watchdog.look_after(incident.environment) == []
    assert (await incident.read()).journal[-1].event == CLOSED


async def test_a_process_that_let_go_a_moment_ago_has_time_to_tell_prefect(
    incident: OpenIncident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its last entry and its run's last state, a process that ends holds no lease any more."""
    async with on_duty(incident):
        pass
    prefect_says(monkeypatch, Run(id=RUN, state=RunState.RUNNING, since=AT), while_asked=None)
    before = len((await incident.read()).journal)
    assert await watchdog.look_after(incident.environment) == []
    assert len((await incident.read()).journal) == before


async def test_a_process_that_was_given_up_says_nothing_when_it_wakes_up(
    incident: OpenIncident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error comes of the takeover; told to Prefect, it would end the run that another goes on with."""
    continued: list[str] = []

    async def continue_run(_client: PrefectClient, flow_run_id: str) -> None:
        continued.append(flow_run_id)

    prefect_says(monkeypatch, Run(id=RUN, state=RunState.RUNNING, since=AT), while_asked=None)
    monkeypatch.setattr(watchdog, "continue_run", continue_run)
    much_later = now() + timedelta(hours=1)
    monkeypatch.setattr(watchdog, "now", lambda: much_later)

    async def wakes_up_late() -> None:
        async with sole_process(incident) as ours:
            await watchdog.look_after(incident.environment)
            assert continued == [RUN]
            with pytest.raises(LeaseLost):
                await ours.record(CLOSED)
            raise RuntimeError("Flow run cannot be suspended")

    with pytest.raises(Abort, match="taken over"):
        await wakes_up_late()


async def fails(incident: OpenIncident) -> None:
    """A process on duty meets an error."""
    async with sole_process(incident):
        raise RuntimeError("a defect")


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (Running(), RuntimeError),
        (AwaitingRetry(), Abort),  # given up before it had its lease: it was slow to start
        (Pending(), Abort),
    ],
)
async def test_an_error_is_told_by_the_process_that_the_run_has_now(
    incident: OpenIncident, monkeypatch: pytest.MonkeyPatch, state: State, error: type[BaseException]
) -> None:
    """A run that is about to get its next process has none that could speak for it."""
    async with get_client() as client:
        run = await client.create_flow_run(watchdog_flow, state=state)
    monkeypatch.setattr(current_run, "flow_run_id", lambda: run.id)
    with pytest.raises(error):
        await fails(incident)


@pytest.mark.parametrize("seconds", [0, 10], ids=["hangs", "does not know the run"])
async def test_an_error_is_told_where_prefect_cannot_tell(
    incident: OpenIncident, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """The answer to the question is no condition of the report."""
    monkeypatch.setattr(current_run, "flow_run_id", lambda: UUID(RUN))
    monkeypatch.setattr(current_run, "PATIENCE_SECONDS", seconds)
    with pytest.raises(RuntimeError, match="a defect"):
        await fails(incident)
