"""The self-watch as a deployment, with a real server, worker and receiver, on a world in trouble."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.objects import State
from pytest_httpserver import HTTPServer

from blocks.store.self_watch_log import last_good_round
from deployments.prefect.configure import configure
from deployments.settings.settings import load_settings
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import eventually

PING = "/ping/8c1f4b9a"

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture
async def house(engine: Engine, tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Case]:
    """An outage of PostHog, of which no alert has told yet; the runbook watches itself."""
    httpserver.expect_request(PING).respond_with_data("OK")
    async with case(engine, "posthog-outage", tmp_path, real_prometheus=False) as one:
        (tmp_path / "secrets" / "ping").write_text(httpserver.url_for(PING))
        lines = f'[self_watch]\nreceiver_url = "{one.receiver_url}"\nping_url = {{ file = "secrets/ping" }}\n'
        one.config.write_text(f"{one.config.read_text()}\n{lines}")
        await configure(load_settings(one.config), deployments=[])
        yield one


@pytest.mark.slow
async def test_a_round_goes_from_the_intake_to_the_ping(house: Case, httpserver: HTTPServer) -> None:
    """The worker runs the deployment: the store has the round, the switch the ping, nobody an incident."""
    deployment = await house.client.read_deployment_by_name("self-watch/self-watch")
    name = load_settings(house.config).prefect.environment
    run = await house.client.create_flow_run_from_deployment(deployment.id, parameters={"environment": name})

    state = await eventually(lambda: _state(house, run.id), lambda state: state.is_final())

    assert state.is_completed(), state.message
    assert await last_good_round(house.store, name) is not None
    assert [request.path for request, _ in httpserver.log] == [PING]
    assert await house.store.incidents() == []
    assert house.world.requests("slack", None) == []
    assert house.world.requests("pagerduty", None) != []  # ends a call of which the new store knows nothing
    assert house.changes() == []
    written = "".join(
        path.read_text(errors="replace") for path in (house.engine.worker.log, house.receiver.log)
    )
    assert PING not in written
    assert "alert noted" in house.receiver.log.read_text()


async def _state(house: Case, run_id: UUID) -> State:
    state = (await house.client.read_flow_run(run_id)).state
    assert state is not None
    return state
