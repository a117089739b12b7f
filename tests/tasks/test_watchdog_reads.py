"""What the watchdog reads of a run that comes to its end while it looks: it is not continued once more."""

from pathlib import Path

import pytest
from prefect.client.orchestration import PrefectClient

from deployments.prefect_server import PrefectServer
from runbook.events import IncidentClosed, RunStarted
from runbook.watchdog import Run, RunState
from tasks import watchdog
from tasks.incident import OpenIncident
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
