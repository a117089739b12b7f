"""While Prefect is away a person is called by the receiver itself, once, and the response starts later."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from blocks.transport.errors import Refused
from deployments.drill.run.scenario import load_scenario
from deployments.drill.run.settings import write_settings
from deployments.drill.world.world import World
from deployments.receiver import starting
from deployments.receiver.launch import PrefectResponses
from deployments.receiver.starting import NOT_STARTED
from deployments.settings.settings import load_settings
from runbook.alerts.alert import Alert
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import (
    FileNotWritten,
    IncidentAcknowledged,
    IncidentClosed,
    IncidentEscalated,
    IncidentResolved,
    RunStarted,
)
from runbook.incidents.incident import Incident
from tasks.caretaking import due, watchdog
from tests.deployments.receiver_bench import Prefect, eventually, notification, post, sent_alert, serving
from tests.fixtures.own_disk import Fault, broken

pytestmark = pytest.mark.proof

ALERT = Alert(source="test", service="posthog-integration", name="n", summary="it burns")
AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


async def test_a_person_is_called_once_while_an_incident_waits_for_prefect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alert is kept, somebody knows of it, and its response starts when Prefect is back."""
    monkeypatch.setattr(starting, "PAGE_AFTER", timedelta(0))
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))
    prefect = Prefect()
    prefect.up.clear()
    async with serving(store, prefect) as client:
        answer = await post(client, notification(sent_alert()))
        incident = answer["incidents"][0]["id"]
        await eventually(lambda: prefect.attempts >= 3)
        assert prefect.called == [(incident, NOT_STARTED)]
        metrics = (await client.get("/metrics")).text.splitlines()
        assert {"runbook_incidents_unstarted 1.0", "runbook_prefect_up 0.0"} <= set(metrics)
        prefect.up.set()
        await eventually(lambda: prefect.started)
    assert [started.id for started in prefect.started] == [incident]


class Alone(Prefect):
    """Away, and nobody is to be called either."""

    def __init__(self) -> None:
        super().__init__()
        self.up.clear()
        self.calls = 0
        self.because = "there is no pager"

    async def page(self, incident: Incident, because: str) -> None:
        """Fail, as without settings for it."""
        self.calls += 1
        raise Refused("pager", f"{self.because}, so nobody hears of {incident.id}: {because}", "Set one")


async def test_that_nobody_can_be_called_is_logged_once_for_each_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again with each look; the log is not filled with it."""
    monkeypatch.setattr(starting, "PAGE_AFTER", timedelta(0))
    monkeypatch.setattr(starting, "_LAST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(starting, "_FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(starting, "TOGETHER_SECONDS", 0)
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))
    prefect = Alone()

    def told() -> int:
        return [record.message for record in caplog.records].count("nobody could be paged")

    async with serving(store, prefect) as client:
        await post(client, notification(sent_alert()))
        await eventually(lambda: prefect.calls >= 5)
        assert told() == 1
        prefect.because = "the pager refuses"
        before = prefect.calls
        await eventually(lambda: prefect.calls >= before + 5)
        assert told() == 2


class Stuck(Prefect):
    """Says that it is there, and never comes to the end of starting a response."""

    async def start(self, incident: Incident) -> str:
        """Wait for ever, as a client does that tries again and again."""
        await asyncio.Event().wait()
        raise AssertionError(incident.id)


async def test_a_start_that_does_not_end_does_not_keep_a_person_from_being_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect says that it is well and takes no run: the attempt is given up, and tried again."""
    monkeypatch.setattr(starting, "PAGE_AFTER", timedelta(0))
    monkeypatch.setattr(starting, "ATTEMPT_SECONDS", 0.05)
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))
    prefect = Stuck()
    async with serving(store, prefect) as client:
        answer = await post(client, notification(sent_alert()))
        await eventually(lambda: prefect.called)
        await eventually(lambda: prefect.attempts >= 2)
    assert prefect.called == [(answer["incidents"][0]["id"], NOT_STARTED)]


async def test_the_call_goes_out_by_pager_and_channel_and_is_journalled(tmp_path: Path) -> None:
    """PagerDuty and Slack are reached with the settings alone; asked again, nobody is called twice."""
    async with World(load_scenario("posthog-outage"), tmp_path / "world", real_prometheus=False) as world:
        url = f"sqlite+aiosqlite:///{tmp_path}/incidents.db"
        config = write_settings(world.endpoints, tmp_path, store_url=url, evidence=tmp_path / "evidence")
        store = IncidentStore(url=SecretStr(url))
        incident, _ = await store.open_incident(ALERT, incident_id="inc-20260301-100000-0001", at=AT)
        responses = PrefectResponses(store, load_settings(config, systems=False))
        for _ in range(2):
            await responses.page(await store.read(incident.id), NOT_STARTED)

        paper = f"{tmp_path}/evidence/{incident.id}/paper-runbook.md"
        because = f"{NOT_STARTED}. To go on by hand: `runbook paper {incident.id}`, or {paper}"
        paged = [request["body"] for request in world.requests("pagerduty", None)]
        assert [body["payload"]["summary"] for body in paged] == [f"posthog-integration: {because}"]
        journal, what = await store.read(incident.id), Escalation(kind=EscalationKind.NOT_STARTED)
        assert journal.events(IncidentEscalated) == [IncidentEscalated(because=because, what=what)]
        assert (tmp_path / "evidence" / incident.id / "paper-runbook.md").read_text().startswith("# inc-")
        told = {effect.kind: effect.outcome for effect in journal.effects.values()}
        assert told == {"pager": EffectOutcome.APPLIED, "slack": EffectOutcome.APPLIED}


async def test_a_prefect_that_is_not_there_is_not_reachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver finds out without waiting for long."""
    (tmp_path / "runbook.toml").touch()
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    settings = load_settings(tmp_path / "runbook.toml", systems=False)
    assert not await PrefectResponses(store, settings).reachable()


@pytest.fixture(params=["refused", "hanging"])
def away(request: pytest.FixtureRequest) -> Iterator[None]:
    """A Prefect that is not there, or that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1] if request.param == "hanging" else 1
        with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}):
            yield


@pytest.mark.usefixtures("away")
async def test_a_run_that_has_stopped_while_prefect_is_away_calls_a_person_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can continue it: the receiver's watchdog calls, and says where the paper runbook is."""
    monkeypatch.setattr(watchdog, "PATIENCE_SECONDS", 1.0)
    async with World(load_scenario("posthog-outage"), tmp_path / "world", real_prometheus=False) as world:
        url = f"sqlite+aiosqlite:///{tmp_path}/incidents.db"
        config = write_settings(world.endpoints, tmp_path, store_url=url, evidence=tmp_path / "evidence")
        store = IncidentStore(url=SecretStr(url))
        incident, _ = await store.open_incident(ALERT, incident_id="inc-20260301-100000-0001", at=AT)
        run = "7d4e0000-0000-4000-8000-000000000001"
        await store.append(incident.id, RunStarted(flow_run_id=run), at=AT, key=f"run:{run}")
        responded = IncidentAcknowledged(by="ana")  # so that no clock of people is due
        await store.append(incident.id, responded, at=AT, key="ack")
        responses = PrefectResponses(store, load_settings(config, systems=False))

        did = [await responses.look_after() for _ in range(2)]

        called = "a person is paged: its run has stopped, and Prefect does not answer"
        assert did == [[f"{incident.id}: {called}"], []]
        paged = [request["body"]["payload"]["summary"] for request in world.requests("pagerduty", None)]
        assert len(paged) == 1
        paper = f"{tmp_path}/evidence/{incident.id}/paper-runbook.md"
        assert paged[0].endswith(f"To go on by hand: `runbook paper {incident.id}`, or {paper}")


@pytest.mark.usefixtures("away")
async def test_what_was_done_is_told_where_housekeeping_cannot_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence is due, which takes a run: that has its own sentence, and the call keeps its."""
    monkeypatch.setattr(watchdog, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(due, "PREFECT_SECONDS", 1.0)
    async with World(load_scenario("posthog-outage"), tmp_path / "world", real_prometheus=False) as world:
        url = f"sqlite+aiosqlite:///{tmp_path}/incidents.db"
        config = write_settings(world.endpoints, tmp_path, store_url=url, evidence=tmp_path / "evidence")
        store = IncidentStore(url=SecretStr(url))
        stopped, _ = await store.open_incident(ALERT, incident_id="inc-20260301-100000-0001", at=AT)
        run = "7d4e0000-0000-4000-8000-000000000001"
        await store.append(stopped.id, RunStarted(flow_run_id=run), at=AT, key=f"run:{run}")
        other = ALERT.model_copy(update={"service": "another"})
        over, _ = await store.open_incident(other, incident_id="inc-20260301-100000-0002", at=AT)
        resolved = IncidentResolved(outcome="recovered", because=())
        await store.append(over.id, resolved, at=AT, key=resolved.journal_key)
        await store.append(over.id, IncidentClosed(outcome="recovered"), at=AT, key="closed")
        responses = PrefectResponses(store, load_settings(config, systems=False))

        called, failed = await responses.look_after()

        assert called.startswith(f"{stopped.id}: a person is paged")
        assert failed.startswith("housekeeping that is due was not started: Prefect: ")


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("fault", Fault)
async def test_a_person_is_called_though_the_paper_runbook_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """The call comes first, and says how else to get at the steps; that the file is missing is a note."""
    monkeypatch.setattr(watchdog, "PATIENCE_SECONDS", 1.0)
    async with World(load_scenario("posthog-outage"), tmp_path / "world", real_prometheus=False) as world:
        url, evidence = f"sqlite+aiosqlite:///{tmp_path}/incidents.db", tmp_path / "evidence"
        config = write_settings(world.endpoints, tmp_path, store_url=url, evidence=evidence)
        store = IncidentStore(url=SecretStr(url))
        stopped, _ = await store.open_incident(ALERT, incident_id="inc-20260301-100000-0001", at=AT)
        run = "7d4e0000-0000-4000-8000-000000000001"
        await store.append(stopped.id, RunStarted(flow_run_id=run), at=AT, key=f"run:{run}")
        other = ALERT.model_copy(update={"service": "another"})
        waiting, _ = await store.open_incident(other, incident_id="inc-20260301-100000-0002", at=AT)
        responses = PrefectResponses(store, load_settings(config, systems=False))

        with broken(evidence, fault):
            for _ in range(2):
                await responses.look_after()
                await responses.page(await store.read(waiting.id), NOT_STARTED)

        paged = [request["body"]["payload"]["summary"] for request in world.requests("pagerduty", None)]
        assert len(paged) == 2
        assert all("`runbook paper inc-" in summary for summary in paged)
        for incident in (stopped, waiting):
            journal = await store.read(incident.id)
            assert [event.what for event in journal.events(FileNotWritten)] == ["paper runbook"]
            order = [type(item.event) for item in journal.journal]
            assert order.index(IncidentEscalated) < order.index(FileNotWritten)
