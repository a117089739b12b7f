"""Alerts of other services in a drill: sent before its own, and judged by what became of them."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from pydantic import SecretStr
from rich.console import Console

from blocks.store.alerts import note_told, unrouted_alerts
from blocks.store.journal import IncidentStore
from deployments.drill.run import others
from deployments.drill.run.alert import alert_payload
from deployments.drill.run.drill import _services
from deployments.drill.run.others import judge_others, send_others
from deployments.drill.run.scenario import load_scenario
from deployments.drill.run.screen import Screen
from deployments.drill.world.process import WorldProcess
from runbook.alerts.unrouted import Routing
from tests.deployments.receiver_bench import AUTHORIZED, Prefect, serving

SCENARIO = load_scenario("unrouted")
ROUTING = Routing(known=frozenset({"posthog-integration"}), elsewhere={"checkout": "shop"})
TOLD = {"body": {"text": "📭 1 alert of checkout: CartIsSlow"}}


class World:
    """Sends alerts as the drill's world does, and has received what is said in Slack."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = [{"body": {"text": "another message"}}, {"body": None}]

    async def send_alert(self, url: str, *, other: int) -> dict[str, Any]:
        """Send one of the others."""
        at = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
        text = SCENARIO.others[other]
        sent = alert_payload(text, status="firing", starts_at=at, now=at, prometheus_url="http://prometheus")
        async with httpx.AsyncClient(trust_env=False) as client:
            answer: dict[str, Any] = (await client.post(url, json=sent, headers=AUTHORIZED)).json()
        return answer

    async def requests(self, system: str) -> list[dict[str, Any]]:
        """What was said."""
        assert system == "slack"
        return self.said


class Bench:
    """A receiver, and a drill that sends to it."""

    def __init__(self, folder: Path) -> None:
        self.store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{folder}/incidents.db"))
        self.world = World()
        self.shown = io.StringIO()
        self.screen = Screen(Console(file=self.shown, width=200))

    @asynccontextmanager
    async def serving(self, routing: Routing) -> AsyncIterator[str]:
        """Run the receiver; yields its address."""
        async with serving(self.store, Prefect(), routing=routing) as client:
            yield str(client.base_url).rstrip("/")

    async def send(self, url: str) -> list[str]:
        """Send the others."""
        return await send_others(SCENARIO, cast("WorldProcess", self.world), self.screen, url)

    async def judge(self, url: str, opened: list[str]) -> dict[str, tuple[str, str]]:
        """What differs, with both sides."""
        world = cast("WorldProcess", self.world)
        found = await judge_others(SCENARIO, opened, self.store, world, self.screen, url)
        return {one.what: (one.expected, one.actual) for one in found}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench, on which nobody waits long for being told."""
    monkeypatch.setattr(others, "TOLD_WITHIN_SECONDS", 0.2)
    return Bench(tmp_path)


async def test_what_is_kept_counted_and_told_once_is_as_it_has_to_be(bench: Bench) -> None:
    """And people see each of it."""
    async with bench.serving(ROUTING) as url:
        opened = await bench.send(url)
        await note_told(bench.store, await unrouted_alerts(bench.store))
        bench.world.said.append(TOLD)
        assert await bench.judge(url, opened) == {}
    shown = bench.shown.getvalue()
    assert "CartIsSlow came in 2 times. checkout belongs to the environment shop" in shown
    assert "2 messages in /metrics" in shown
    assert "Channel:       📭 1 alert of checkout" in shown
    assert "checkout: CartIsSlow, came in 2 times (runbook alerts --unrouted)" in shown


@pytest.mark.parametrize("times", [0, 2])
async def test_a_channel_that_is_told_never_or_twice_is_a_difference(bench: Bench, times: int) -> None:
    """Once is what people can bear."""
    async with bench.serving(ROUTING) as url:
        opened = await bench.send(url)
        bench.world.said += [TOLD] * times
        assert await bench.judge(url, opened) == {"messages in the channel": ("1", str(times))}


async def test_an_incident_of_another_service_is_a_difference(bench: Bench) -> None:
    """As it would be without any routing."""
    async with bench.serving(Routing()) as url:
        found = await bench.judge(url, await bench.send(url))
    assert found["incidents of other services"] == ("0", "2")
    assert found["unrouted alerts"] == ("checkout: CartIsSlow", "")
    assert found["messages counted"] == ("2", "0")


async def test_a_scenario_without_others_sends_and_judges_nothing(bench: Bench) -> None:
    """As all the others are."""
    plain, world = load_scenario("blind"), cast("WorldProcess", bench.world)
    assert await send_others(plain, world, bench.screen, "http://nowhere.invalid") == []
    assert await judge_others(plain, [], bench.store, world, bench.screen, "http://nowhere.invalid") == []
    assert _services(plain) == {}
    assert _services(SCENARIO) == {"posthog-integration": "default", "checkout": "shop"}
