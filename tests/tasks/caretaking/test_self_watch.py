"""The loop is tried as a whole: the real receiver, the store and the checks; whoever misses it is told."""

import dataclasses
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import stamina
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from blocks.channels.pager import Pager
from blocks.channels.slack import Slack
from blocks.environment import Environment
from blocks.integration import IntegrationService
from blocks.self_watch import SelfWatch
from blocks.store.journal import IncidentStore
from blocks.store.self_watch_log import last_good_round, open_page
from deployments.drill.world.channels.pagerduty import PagerDuty
from deployments.drill.world.channels.slack import CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.faults import SlackFaults
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening
from deployments.receiver.watching import SelfWatching
from flows.self_watch import go_round
from tasks.caretaking.self_watch import page_a_person
from tasks.incident import now
from tests.deployments.receiver_bench import TOKEN, Prefect, eventually, serving
from tests.tasks.environments import NOWHERE, environment

KEYS = Keys.generated(random.Random(7))  # noqa: S311 - repeatable on purpose
KEY = "runbook-self-watch-staging"
PING = "/ping/8c1f4b"
EVERY = timedelta(minutes=5)


@dataclasses.dataclass
class House:
    """A running receiver with all that the self-watch needs; a test breaks what it likes."""

    environment: Environment
    watch: SelfWatch
    receiver: httpx.AsyncClient
    switch: HTTPServer
    slack: Workspace
    pager: PagerDuty
    prefect: Prefect

    async def round(self) -> str:
        """Go one round, as the flow does."""
        return await go_round(self.environment, self.watch)

    def pings(self) -> int:
        """How often the dead man's switch has heard that all is well."""
        return sum(answer.status_code == 200 for request, answer in self.switch.log if request.path == PING)

    def pages(self) -> list[tuple[str, str]]:
        """The alerts at the pager: key and state."""
        return [(page.dedup_key, page.state) for page in self.pager.pages]

    def said(self) -> list[str]:
        """The messages in the channel."""
        return [message["text"] for message in self.slack.messages]

    async def nothing_is_an_incident(self) -> None:
        """Nobody takes a round for one: not the store, not Prefect."""
        assert await self.environment.store.incidents() == []
        assert (self.prefect.started, self.prefect.called) == ([], [])


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """What is tried again is tried again at once."""
    stamina.set_testing(True, attempts=2)
    yield
    stamina.set_testing(False)


@pytest.fixture
async def house(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[House]:
    """All is well: the receiver takes alerts, and of the checks one sees something, the others nothing."""
    httpserver.expect_request("/health").respond_with_json({"services": {"posthog": {"status": "down"}}})
    httpserver.expect_request(PING).respond_with_data("OK")
    slack, pager, prefect = Workspace(KEYS), PagerDuty(KEYS), Prefect()
    store = environment(tmp_path).store
    async with AsyncExitStack() as stack:
        slack_url = await stack.enter_async_context(listening(slack.app))
        pager_url = await stack.enter_async_context(listening(pager.app))
        receiver = await stack.enter_async_context(serving(store, prefect))
        watch = SelfWatch(
            every=int(EVERY.total_seconds()),
            receiver_url=str(receiver.base_url),
            token=SecretStr(TOKEN),
            ping_url=SecretStr(httpserver.url_for(PING)),
            timeout_seconds=5,
        )
        at_work = dataclasses.replace(
            environment(tmp_path, check_deadline_seconds=3),
            name="staging",
            integration=IntegrationService(health_url=httpserver.url_for("/health")),
            slack=Slack(token=KEYS.slack_token, channel=CHANNEL_ID, base_url=f"{slack_url}/api/"),
            pager=Pager(routing_key=KEYS.pagerduty_routing_key, base_url=pager_url),
        )
        yield House(at_work, watch, receiver, httpserver, slack, pager, prefect)


async def test_a_round_that_goes_well_pings_and_tells_nobody(house: House) -> None:
    """The store has it, the switch heard of it, and no person did: that PostHog is in trouble is no news."""
    before = now()
    assert await house.round() == ""
    last = await last_good_round(house.environment.store, "staging")
    assert last is not None
    assert last >= before
    assert (house.pings(), house.pages(), house.said()) == (1, [], [])
    await house.nothing_is_an_incident()


def with_watch(**changed: object) -> Callable[[House], None]:
    """Break an address or a secret of the self-watch."""

    def broken(house: House) -> None:
        house.watch = house.watch.model_copy(update=changed)

    return broken


def with_store(name: str) -> Callable[[House], None]:
    """Have the worker look into another file."""

    def broken(house: House) -> None:
        folder = Path(str(house.environment.evidence.basepath))
        store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{folder}/{name}"))
        house.environment = dataclasses.replace(house.environment, store=store)

    return broken


def blind(house: House) -> None:
    """Have no check see anything."""
    nothing = IntegrationService(health_url=f"{NOWHERE}/health")
    house.environment = dataclasses.replace(house.environment, integration=nothing)


def without_switch(house: House) -> None:
    """Have the switch refuse the ping."""
    house.switch.clear()
    house.switch.expect_request("/health").respond_with_json({"services": {"posthog": {"status": "ok"}}})
    house.switch.expect_request(PING).respond_with_data("gone", status=410)


BROKEN = {
    "receiver down": (with_watch(receiver_url=NOWHERE), "alert receiver: http://127.0.0.1:9"),
    "receiver refuses": (with_watch(token=SecretStr("another-token")), "HTTP 401"),
    "store gone": (
        with_store("no/such/folder/incidents.db"),
        "incident store: the database's file cannot be opened",
    ),
    "another store": (with_store("others.db"), "not in the worker's store"),
    "all checks unknown": (blind, "triage has no facts"),
    "ping refused": (without_switch, "dead man's switch: it answered HTTP 410"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_loop_calls_a_person_once_until_it_is_well_again(
    house: House, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """No ping; one alert and one message, however long it lasts; both end with the first good round."""
    break_it, because = BROKEN[name]
    well = house.environment, house.watch
    break_it(house)
    for _ in range(2):
        assert because in await house.round()
    assert house.pings() == 0
    assert house.pages() == [(KEY, "triggered")]
    assert because in house.pager.pages[0].summary
    [told] = house.said()
    assert because in told

    house.environment, house.watch = well
    house.switch.clear()
    house.switch.expect_request("/health").respond_with_json({"services": {"posthog": {"status": "ok"}}})
    house.switch.expect_request(PING).respond_with_data("OK")
    assert await house.round() == ""
    assert house.pings() == 1
    assert house.pages() == [(KEY, "resolved")]
    assert await open_page(house.environment.store, "staging") is None
    if name not in ("store gone", "another store"):  # of those the store knows nothing
        assert "is working again" in house.said()[1]
        assert len(house.said()) == 2
    await house.nothing_is_an_incident()
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]  # the switch's
    written = f"{ours} {house.said()} {house.pager.pages}"
    assert not [secret for secret in (TOKEN, "another-token", PING) if secret in written]


async def test_who_cannot_be_called_is_called_again(house: House) -> None:
    """The pager refuses: the channel hears it once, and the pager as soon as it takes the call."""
    pager, broken = house.environment.pager, dataclasses.replace(house.environment)
    assert pager is not None
    refusing = pager.model_copy(update={"routing_key": SecretStr("0" * 32)})
    house.environment = dataclasses.replace(broken, pager=refusing)
    with_watch(receiver_url=NOWHERE)(house)
    for _ in range(2):
        assert "alert receiver" in await house.round()
    call = await open_page(house.environment.store, "staging")
    assert call is not None
    assert (call.told, house.pages(), len(house.said()), house.pings()) == (False, [], 1, 0)

    house.environment = broken
    await house.round()
    call = await open_page(house.environment.store, "staging")
    assert call is not None
    assert (call.told, house.pages(), len(house.said())) == (True, [(KEY, "triggered")], 1)


async def test_a_call_that_cannot_be_ended_is_ended_later(house: House) -> None:
    """It stays open in the store as long as a person still sees it open."""
    well = house.watch
    with_watch(receiver_url=NOWHERE)(house)
    await house.round()
    house.watch = well
    house.slack.faults = SlackFaults(error="is_archived")
    assert await house.round() == ""
    assert await open_page(house.environment.store, "staging") is not None

    house.slack.faults = SlackFaults()
    assert await house.round() == ""
    assert await open_page(house.environment.store, "staging") is None
    assert house.pages() == [(KEY, "resolved")]


async def test_a_round_shows_its_own_credential(house: House) -> None:
    """Without it nothing is stored; with it the answer says that this is no incident."""
    answer = await house.receiver.post("/alerts/self-watch", json={"name": "n", "summary": "s"})
    assert answer.status_code == 401
    headers = {"authorization": f"Bearer {TOKEN}"}
    answer = await house.receiver.post(
        "/alerts/self-watch", json={"name": "n", "summary": "s"}, headers=headers
    )
    assert answer.status_code == 202
    [ignored] = answer.json()["ignored"]
    assert (answer.json()["incidents"], ignored["reason"]) == ([], "synthetic, never an incident")
    unreadable = await house.receiver.post("/alerts/self-watch", content=b"{", headers=headers)
    assert unreadable.status_code == 202
    await house.nothing_is_an_incident()


async def test_the_receiver_tells_of_a_worker_that_is_silent(house: House) -> None:
    """No round comes at all: a person is called once, also after a restart; the next good round ends it."""
    calls: list[str] = []

    async def call(because: str) -> bool:
        calls.append(because)
        return await page_a_person(house.environment, because)

    store, prefect = house.environment.store, house.prefect
    watching = SelfWatching(store, "staging", timedelta(milliseconds=100), call)
    gauge = -1.0
    for _ in range(2):  # a restart: what was called for is in the store
        async with serving(store, prefect, self_watching=watching) as receiver:
            await eventually(lambda: house.pager.pages)
            gauge = await metric(receiver)
    assert gauge == 0
    assert len(calls) == 1
    assert "check the worker, Prefect and its schedules" in house.pager.pages[0].summary

    assert await house.round() == ""
    assert house.pages() == [(KEY, "resolved")]
    watching = dataclasses.replace(watching, every=EVERY)
    gauge = 0.0
    async with serving(store, prefect, self_watching=watching) as receiver:
        while not gauge:
            gauge = await metric(receiver)
    last = await last_good_round(store, "staging")
    assert last is not None
    assert gauge == pytest.approx(last.timestamp())
    assert len(calls) == 1
    await house.nothing_is_an_incident()


async def metric(receiver: httpx.AsyncClient) -> float:
    """When a round last went well, as Prometheus reads it."""
    lines = (await receiver.get("/metrics")).text.splitlines()
    name = "runbook_self_watch_last_success_timestamp_seconds "
    [value] = [line.removeprefix(name) for line in lines if line.startswith(name)]
    return float(value)


async def test_without_a_self_watch_there_is_no_metric_of_it(house: House) -> None:
    """It would be 0 for ever, and an alert on it would fire for ever."""
    assert "runbook_self_watch" not in (await house.receiver.get("/metrics")).text
