"""A recovery is watched for the settling time after whatever happened last."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import ActionOutcome, ActionResult, PlannedAction
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.decision.severity import Severity
from runbook.decision.verdict import Verdict
from runbook.incidents.events import ActionFinished, AlertJoined, DecisionMade, WatchStarted
from tasks.checks.watch import watch_until_recovered
from tasks.incident import now
from tests.runbook.journals import decision
from tests.tasks.environments import ALERT
from tests.tasks.mitigation_bench import Bench, mitigation_bench

pytestmark = pytest.mark.usefixtures("engineless")

SETTLE_SECONDS = 0.6
ACTION = PlannedAction(
    id="1-restart", name=RESTART_DEPLOYMENT.name, target="default/deployment/web", because="a test"
)
ILL = decision(Verdict.INFRASTRUCTURE_ISSUE, severity=Severity.P2, plan=(ACTION,))


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """All is well in the cluster, for the incident of which a decision was made."""
    async with mitigation_bench(tmp_path, httpserver, settle_seconds=SETTLE_SECONDS) as running:
        await running.incident.record(DecisionMade(round=1, decision=ILL))
        yield running


async def acted(bench: Bench) -> None:
    """The plan's only action ended."""
    result = ActionResult(action=ACTION, outcome=ActionOutcome.RECOVERED, detail="", approved_by="ada")
    await bench.incident.record(ActionFinished(result=result))


async def watch(bench: Bench) -> bool | None:
    """Watch; `None` where there is something to do first."""
    recovery = await watch_until_recovered(bench.incident, ILL)
    return None if recovery is None else recovery.recovered


async def test_a_second_watch_lasts_as_long_as_the_first(bench: Bench) -> None:
    """It ended at once where all had been well before the relapse."""
    assert await watch(bench) is None  # the action is not taken yet, and the checks are well already
    await asyncio.sleep(SETTLE_SECONDS)
    await acted(bench)
    began = now()
    assert await watch(bench)
    assert (now() - began).total_seconds() >= SETTLE_SECONDS
    assert len((await bench.incident.read()).events(WatchStarted)) == 2


async def test_an_alert_that_fires_again_is_watched_anew(bench: Bench) -> None:
    """All actions are taken, so nothing is left to do but to see whether it stays well."""
    await acted(bench)
    watching = asyncio.create_task(watch(bench))
    await asyncio.sleep(SETTLE_SECONDS / 2)
    fired = (await bench.incident.record(AlertJoined(alert=ALERT))).at
    assert await watching
    assert (now() - fired).total_seconds() >= SETTLE_SECONDS
    assert len((await bench.incident.read()).events(WatchStarted)) == 1


async def test_a_run_that_is_continued_goes_on_with_its_watch(bench: Bench) -> None:
    """What has held before the crash has held."""
    await acted(bench)
    assert await watch(bench)
    began = now()
    assert await watch(bench)
    assert (now() - began).total_seconds() < SETTLE_SECONDS
    assert len((await bench.incident.read()).events(WatchStarted)) == 1
