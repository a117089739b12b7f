"""An acknowledgement whose process dies, or whose pager is away: it is repeated, and nothing is lost."""

import asyncio
import dataclasses
import signal
import sys
from pathlib import Path

import pytest

from blocks.channels.pager import Pager
from runbook.channels.acknowledging import due_acknowledgements
from runbook.incidents import events as e
from runbook.incidents.effect_ids import EffectId
from runbook.incidents.effects import EffectOutcome
from tasks.channels.page import acknowledge_page, page_on_opening
from tasks.incident import OpenIncident
from tests.fixtures.faulty_server import WireFault, faulty
from tests.tasks.channels.team import KEYS, Team, team
from tests.tasks.channels.test_acknowledge import ACK, due

pytestmark = pytest.mark.proof

__all__ = ["team"]  # a fixture, found here

ACKNOWLEDGING = """
import asyncio, pathlib
from datetime import UTC, datetime
from blocks.environment import Environment
from deployments.prefect.configure import blocks
from deployments.settings.settings import load_settings
from runbook.channels.acknowledging import due_acknowledgements
from tasks.channels.page import acknowledge_page
from tasks.incident import OpenIncident

async def main():
    settings = load_settings(pathlib.Path("{settings}"))
    incident = OpenIncident(id="{incident}", environment=Environment.of("{name}", blocks(settings)))
    told, at = await incident.read(), datetime.now(UTC)
    [page] = due_acknowledgements(told, pagers=["pager"], policy=incident.policy, now=at)
    await acknowledge_page(incident, page)

asyncio.run(main())
"""


def with_pager(team: Team, base_url: str) -> OpenIncident:
    """The same incident, with its pager at another address."""
    pager = Pager(routing_key=KEYS.pagerduty_routing_key, base_url=base_url, timeout_seconds=1)
    return dataclasses.replace(
        team.incident, environment=dataclasses.replace(team.incident.environment, pager=pager)
    )


def sent(team: Team) -> list[str]:
    """What the pager was told about its one page."""
    [page] = team.pager.pages
    return [str(event["event_action"]) for event in page.events]


def settings_of(team: Team, folder: Path, pager_url: str) -> Path:
    """Settings with which another process finds the same incident."""
    (folder / "key").write_text(KEYS.pagerduty_routing_key.get_secret_value())
    (folder / "key").chmod(0o600)
    found = folder / "runbook.toml"
    url = team.incident.environment.store.url.get_secret_value()
    found.write_text(
        f'[store]\nurl = "{url}"\n[integration]\nhealth_url = "http://127.0.0.1:1/health"\n'
        f'[pager]\nrouting_key = {{ file = "key" }}\nbase_url = "{pager_url}"\n'
    )
    return found


async def test_a_kill_between_intent_and_request_repeats_it_once(team: Team, tmp_path: Path) -> None:
    """The process is killed while its request is on the way: the next one sends it, once."""
    await page_on_opening(team.incident)
    await team.incident.record(ACK)
    killed = asyncio.Event()
    process: asyncio.subprocess.Process | None = None

    async def kill(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert process is not None
        process.send_signal(signal.SIGKILL)
        killed.set()
        writer.close()

    async with await asyncio.start_server(kill, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        script = ACKNOWLEDGING.format(
            settings=settings_of(team, tmp_path, url),
            incident=team.incident.id,
            name=team.incident.environment.name,
        )
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
        await asyncio.wait_for(killed.wait(), 60)
        assert await process.wait() == -signal.SIGKILL
    known = (await team.incident.read()).effects[f"{team.incident.id}/pager/opened-acknowledged"]
    assert known.outcome is None
    [page] = await due(team.incident)
    assert await acknowledge_page(team.incident, page) == ACK
    assert sent(team) == ["trigger", "acknowledge"]
    assert await due(team.incident) == []


async def test_a_kill_after_the_request_repeats_it_without_harm(team: Team) -> None:
    """The pager cannot be read back: it is told again under the same key, which changes nothing there."""
    await page_on_opening(team.incident)
    await team.incident.record(ACK)
    [page] = await due(team.incident)
    name, pager = page.page.message.acknowledgement, team.incident.environment.pager
    assert pager is not None
    intended = page.page.model_copy(
        update={"id": EffectId.of_message(team.incident.id, "pager", name), "outcome": None, "receipt": {}}
    )
    await team.incident.record(e.EffectIntended(effect=intended))
    await pager.acknowledge_page(page.page.id, page.page.receipt)  # it arrived, and nobody wrote that down
    [again] = await due(team.incident)
    assert await acknowledge_page(team.incident, again) == ACK
    assert sent(team) == ["trigger", "acknowledge", "acknowledge"]
    assert {str(event["dedup_key"]) for event in team.pager.pages[0].events} == {page.page.id}
    assert await due(team.incident) == []
    assert team.pager.pages[0].state == "acknowledged"


@pytest.mark.parametrize(
    "fault", [WireFault.REFUSED, WireFault.HANGING, WireFault.ERROR_500, WireFault.BROKEN_OFF, WireFault.HTML]
)
async def test_a_pager_that_is_away_is_noted_and_told_later(fault: WireFault, team: Team) -> None:
    """The act stands here; the journal says that the pager does not know of it, and it is due again."""
    await page_on_opening(team.incident)
    await team.incident.record(ACK)
    [page] = await due(team.incident)
    pager = team.incident.environment.pager
    assert pager is not None
    async with faulty(pager.base_url, fault) as proxy:
        assert await acknowledge_page(with_pager(team, proxy.address(pager.base_url)), page) is None
    noted = (await team.incident.read()).effects[f"{team.incident.id}/pager/opened-acknowledged"]
    assert noted.outcome in (EffectOutcome.FAILED, EffectOutcome.UNSETTLED)
    assert "PagerDuty" in noted.detail
    journal = await team.incident.read()
    failed_at, policy = journal.journal[-1].at, team.incident.policy
    assert due_acknowledgements(journal, pagers=["pager"], policy=policy, now=failed_at) == []  # not at once
    [again] = await due(team.incident, later=60)
    assert await acknowledge_page(team.incident, again) == ACK
    assert team.pager.pages[0].state == "acknowledged"
    assert await due(team.incident, later=7200) == []
