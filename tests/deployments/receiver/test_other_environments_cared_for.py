"""Incidents of another environment are paged about, and looked after, through its own systems."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from blocks.environment import Environment
from blocks.store.journal import IncidentStore
from blocks.transport.errors import Refused
from deployments.drill.run.scenario import load_scenario
from deployments.drill.run.settings import write_settings
from deployments.drill.world.world import World
from deployments.prefect.configure import blocks
from deployments.receiver.launch import PrefectResponses
from deployments.receiver.starting import NOT_STARTED
from deployments.services.environments import OtherEnvironments
from deployments.settings.settings import load_settings
from runbook.alerts.alert import Alert
from runbook.incidents.events import RunStarted
from tasks.caretaking import due, watchdog

pytestmark = pytest.mark.proof

CHECKOUT = Alert(source="test", service="checkout", name="n", summary="it burns")
AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
OURS = {"posthog-integration": "default", "checkout": "shop"}


@dataclass
class Two:
    """Two environments on one store, each with a world of its own."""

    ours: World
    theirs: World
    store: IncidentStore
    responses: PrefectResponses
    others: OtherEnvironments
    shop: Environment

    async def opened(self, environment: str) -> str:
        """An incident of an environment."""
        incident, _ = await self.store.open_incident(
            CHECKOUT, incident_id="inc-20260301-100000-0001", at=AT, environment=environment
        )
        return incident.id

    def paged(self) -> tuple[int, int]:
        """How many pages went to our pager, and to theirs."""
        return len(self.ours.requests("pagerduty", None)), len(self.theirs.requests("pagerduty", None))


@pytest.fixture
async def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Two]:
    """Both, while Prefect is away; theirs is not known yet."""
    monkeypatch.setattr(watchdog, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(due, "PREFECT_SECONDS", 1.0)
    url = f"sqlite+aiosqlite:///{tmp_path}/incidents.db"
    scenario, found = load_scenario("posthog-outage"), []
    async with (
        World(scenario, tmp_path / "ours", real_prometheus=False) as ours,
        World(scenario, tmp_path / "theirs", real_prometheus=False) as theirs,
    ):
        for world, name, services in ((ours, "a", OURS), (theirs, "b", None)):
            (tmp_path / name).mkdir()
            evidence = tmp_path / name / "evidence"
            found.append(
                write_settings(
                    world.endpoints, tmp_path / name, store_url=url, evidence=evidence, services=services
                )
            )
        settings, store = load_settings(found[0], systems=False), IncidentStore(url=SecretStr(url))
        shop = Environment.of("shop", blocks(load_settings(found[1])))

        async def away(_name: str, _url: SecretStr) -> Environment:
            raise Refused("Prefect", "not asked here", "")

        others = OtherEnvironments(settings.routing, store.url, away)
        with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
            yield Two(ours, theirs, store, PrefectResponses(store, settings, others), others, shop)


async def test_its_own_people_are_paged_about_it(two: Two) -> None:
    """By its pager and its policy, while Prefect is away."""
    two.others.served["shop"] = two.shop
    incident = await two.opened("shop")
    await two.responses.page(await two.store.read(incident), NOT_STARTED)
    assert two.paged() == (0, 1)


async def test_where_its_systems_are_not_known_our_people_are_paged_about_it(two: Two) -> None:
    """As after a start without Prefect: nobody being told would be worse."""
    incident = await two.opened("shop")
    await two.responses.page(await two.store.read(incident), NOT_STARTED)
    assert two.paged() == (1, 0)


async def test_an_incident_of_an_environment_that_is_not_named_is_not_paged_about(two: Two) -> None:
    """It belongs to others, who share the store."""
    incident = await two.opened("books")
    with pytest.raises(Refused, match="belongs to environment 'books'"):
        await two.responses.page(await two.store.read(incident), NOT_STARTED)
    assert two.paged() == (0, 0)


async def test_the_watchdog_looks_after_its_runs_too(two: Two) -> None:
    """A run that has stopped is told to its own people, once."""
    two.others.served["shop"] = two.shop
    incident = await two.opened("shop")
    run = "7d4e0000-0000-4000-8000-000000000001"
    await two.store.append(incident, RunStarted(flow_run_id=run), at=AT, key=f"run:{run}")
    did = [line for _ in range(2) for line in await two.responses.look_after() if "paged" in line]
    assert did == [f"{incident}: a person is paged: its run has stopped, and Prefect does not answer"]
    assert two.paged() == (0, 1)
