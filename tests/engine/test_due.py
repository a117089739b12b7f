"""Housekeeping on a real Prefect server: a run where something is due, and none where nothing is."""

from datetime import timedelta
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun

from blocks.environment import Environment
from deployments.prefect.configure import configure
from deployments.prefect.definitions import definitions
from deployments.settings.settings import check_settings
from runbook.incidents import events as e
from tasks.caretaking.due import TRIED_AGAIN_SECONDS, start_due_runs
from tasks.incident import now
from tasks.lease import EXCLUSIVE_FOR, REMINDERS, miss_turn
from tests.runbook.journals import ALERT, asked, resolved

NAME = "housekeeping"

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("prefect_api")]


async def runs_of(deployment: str) -> list[FlowRun]:
    """The runs for this test's environment that do not come of the deployment's schedule."""
    async with get_client() as client:
        known = await client.read_deployment_by_name(deployment)
        of_it = DeploymentFilter(id=DeploymentFilterId(any_=[known.id]))
        found = await client.read_flow_runs(deployment_filter=of_it)
    ours = [run for run in found if run.parameters.get("environment") == NAME]
    return [run for run in ours if not run.auto_scheduled]


async def configured(tmp_path: Path) -> Environment:
    """The environment of this test, with the deployments of the housekeeping."""
    tables = {
        "prefect": {"environment": NAME},
        "integration": {"health_url": "http://127.0.0.1:9/health"},
        "cluster": {"kubeconfig": str(tmp_path / "kubeconfig")},
    }
    housekeeping = [each for each in definitions() if each.name in ("remind", "collect-evidence")]
    await configure(check_settings(tables, origin=tmp_path / "runbook.toml"), deployments=housekeeping)
    return await Environment.load(NAME)


async def test_there_is_a_run_where_something_is_due_and_none_where_nothing_is(tmp_path: Path) -> None:
    """One for all that is due, however often somebody looks; tagged as what it is; later another try."""
    environment = await configured(tmp_path)
    assert await start_due_runs(environment, now()) == []

    store, opened_at = environment.store, now() - timedelta(days=2)
    asking = ALERT.model_copy(update={"service": "asking"})
    await store.open_incident(asking, incident_id="inc-1", at=opened_at, environment=NAME)
    await store.append("inc-1", asked(), at=opened_at)
    at = now()
    assert [text.partition(" is due")[0] for text in await start_due_runs(environment, at)] == ["remind"]
    await start_due_runs(environment, at)
    [run] = await runs_of("remind/remind")
    assert run.parameters == {"environment": NAME}
    assert set(run.tags) == {"runbook", "housekeeping"}
    assert await runs_of("collect-evidence/collect-evidence") == []

    over = ALERT.model_copy(update={"service": "over"})
    await store.open_incident(over, incident_id="inc-2", at=opened_at, environment=NAME)
    ended: tuple[e.Event, ...] = (resolved(), e.IncidentClosed(outcome="recovered"))
    for event in ended:
        await store.append("inc-2", event, at=opened_at, key=event.journal_key)
    await start_due_runs(environment, at + timedelta(seconds=TRIED_AGAIN_SECONDS))
    assert len(await runs_of("remind/remind")) == 2
    assert len(await runs_of("collect-evidence/collect-evidence")) == 1


async def test_a_run_that_died_or_found_another_at_it_is_no_try(tmp_path: Path) -> None:
    """What is due waits neither for the next ten minutes nor for a run that can do nothing."""
    environment = await configured(tmp_path)
    store, at = environment.store, now()
    beginning = at - timedelta(seconds=at.timestamp() % TRIED_AGAIN_SECONDS)  # all looks are in one window
    asking = ALERT.model_copy(update={"service": "asking at noon"})
    await store.open_incident(asking, incident_id="inc-3", at=at - timedelta(days=2), environment=NAME)
    await store.append("inc-3", asked(), at=at - timedelta(days=2))
    before = len(await runs_of("remind/remind"))

    async def look(after: int) -> int:
        await start_due_runs(environment, beginning + timedelta(seconds=after))
        return len(await runs_of("remind/remind")) - before

    assert await look(0) == 1
    killed, name = beginning + timedelta(seconds=10), f"{REMINDERS} of {NAME}"
    await store.take_lease(name, "killed", at=killed, until=killed + EXCLUSIVE_FOR)
    free = 10 + int(EXCLUSIVE_FOR.total_seconds())
    assert await look(free - 10) == 1  # it may still be at it, and another one could do nothing
    assert await look(free + 1) == 2
    assert await look(free + 2) == 2
    token, _ = await store.take_lease(name, "next", at=now() + EXCLUSIVE_FOR, until=at)
    assert token is not None
    await store.release_lease(name, token, at=at)
    assert await look(140) == 2
    await miss_turn(environment, REMINDERS, "overlapping")
    assert await look(150) == 3
    assert await look(160) == 3
