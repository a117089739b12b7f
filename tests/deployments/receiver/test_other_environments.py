"""A receiver responds for the other environments that its settings name, once these are proved."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks.environment import Environment
from blocks.store.alerts import unrouted_alerts
from blocks.store.journal import IncidentStore
from blocks.transport.errors import OutsideError, Refused, Unavailable
from deployments.prefect.configure import blocks
from deployments.receiver import watching
from deployments.services.environments import OtherEnvironments
from deployments.settings.settings import check_settings
from runbook.alerts.unrouted import Routing
from tests.deployments.receiver_bench import Prefect, eventually, notification, post, sent_alert, serving

ROUTING = Routing(known=frozenset({"posthog-integration"}), elsewhere={"checkout": "shop"})
AWAY = Unavailable("Prefect", "no answer", "Start it")
GONE = Refused("Prefect", "environment 'shop' has no store block", "Run `runbook configure FILE`")


def shop(folder: Path, *, dry_run_only: bool = True) -> Environment:
    """The other environment as Prefect would have it."""
    settings = {
        "integration": {"health_url": "http://127.0.0.1:1/health"},
        "policy": {"dry_run_only": dry_run_only},
    }
    return Environment.of("shop", blocks(check_settings(settings, origin=folder / "shop.toml")))


class Saved:
    """What Prefect says of the environment; it can be changed."""

    def __init__(self, answer: Environment | OutsideError) -> None:
        self.answer = answer
        self.asked = 0

    async def __call__(self, name: str, store_url: SecretStr) -> Environment:
        """Load it."""
        assert (name, str(store_url)) == ("shop", "**********")
        self.asked += 1
        if isinstance(self.answer, OutsideError):
            raise self.answer
        return self.answer


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """An empty incident store."""
    return IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other environments are looked at again at once."""
    monkeypatch.setattr(watching, "UNSERVED_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(watching, "SERVED_EVERY_SECONDS", 0.05)


def others(saved: Saved, store: IncidentStore) -> OtherEnvironments:
    """Those of the settings."""
    return OtherEnvironments(ROUTING, store.url, saved)


CHECKOUT = notification(sent_alert("CartIsSlow", service="checkout"))


@pytest.mark.usefixtures("quickly")
async def test_its_alert_opens_an_incident_there(store: IncidentStore, tmp_path: Path) -> None:
    """With the permissions of its policy; a second alert joins it, and ours opens one of ours."""
    known, prefect = others(Saved(shop(tmp_path)), store), Prefect()
    async with serving(store, prefect, others=known) as client:
        await eventually(lambda: known.served)
        [first] = (await post(client, CHECKOUT))["incidents"]
        [again] = (await post(client, notification(sent_alert("B", service="checkout"))))["incidents"]
        [ours] = (await post(client, notification(sent_alert())))["incidents"]
        await eventually(lambda: len(prefect.started) == 2)
        assert (await client.get("/readyz")).json()["environments"] == {"served": 1, "named": 1}
    assert again == {"id": first["id"], "new": False}
    opened = (await store.read(first["id"])).opened
    assert opened.environment == "shop"
    assert opened.permissions is not None
    assert opened.permissions.dry_run_only
    assert (await store.read(ours["id"])).environment == "staging"
    assert {incident.environment for incident in prefect.started} == {"shop", "staging"}


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("trouble", [AWAY, GONE])
async def test_until_it_is_proved_its_alerts_are_kept_and_then_open_an_incident(
    trouble: OutsideError, store: IncidentStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost where the sender does not repeat, and the log says why in one line."""
    saved = Saved(trouble)
    known = others(saved, store)
    async with serving(store, Prefect(), others=known) as client:
        [ignored] = (await post(client, CHECKOUT))["ignored"]
        await eventually(lambda: saved.asked > 2)
        assert (await client.get("/readyz")).json()["environments"] == {"served": 0, "named": 1}
        assert await store.incidents() == []
        saved.answer = shop(tmp_path)
        async with asyncio.timeout(10):
            while not await store.incidents():  # noqa: ASYNC110  the receiver sets no event for tests
                await asyncio.sleep(0.02)
        repeated = await post(client, CHECKOUT)
    assert "belongs to the environment shop" in ignored["reason"]
    [incident] = await store.incidents()
    assert (incident.environment, incident.alert.name) == ("shop", "CartIsSlow")
    assert repeated["incidents"] == [{"id": incident.id, "new": False}]
    assert await unrouted_alerts(store) == []
    told = [record.getMessage() for record in caplog.records if "not served" in record.getMessage()]
    assert told == ["environment shop not served"]


@pytest.mark.parametrize(("trouble", "goes_on"), [(AWAY, True), (GONE, False)])
async def test_what_is_known_goes_on_only_while_prefect_is_away(
    trouble: OutsideError, goes_on: bool, store: IncidentStore, tmp_path: Path
) -> None:
    """A Prefect that does not answer takes nothing back; blocks that are gone do."""
    saved = Saved(shop(tmp_path))
    known = others(saved, store)
    await known.look()
    saved.answer = trouble
    await known.look()
    assert (known.routing.served_for("checkout") == "shop") is goes_on
    assert known.troubles["shop"] is trouble


async def test_a_newer_policy_is_what_its_next_incident_opens_with(
    store: IncidentStore, tmp_path: Path
) -> None:
    """People and rights may have been taken away there."""
    saved = Saved(shop(tmp_path, dry_run_only=False))
    known = others(saved, store)
    await known.look()
    assert not known.routing.served["shop"].dry_run_only
    saved.answer = shop(tmp_path)
    await known.look()
    assert known.routing.served["shop"].dry_run_only
