"""The dry run that begins before its run does: the run takes it for its own, or makes it anew."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from blocks.policy import RunbookPolicy
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.incidents.events import ActionPreviewed
from tasks.actions.preview import preview_ahead
from tests.runbook.journals import decided
from tests.tasks.changes import DEPLOYMENT
from tests.tasks.mitigation_bench import Bench, is_dry_run, mitigation_bench
from tests.tasks.planned_actions import action

FALLBACK = action(ENABLE_FALLBACK.name)
OF_OTHERS = {
    "template": {"spec": {"containers": [{"name": "app", "env": [{"name": "OTHER", "value": "1"}]}]}}
}
"""What somebody else sets meanwhile."""


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """An incident with a decision, whose change was approved."""
    async with mitigation_bench(tmp_path, httpserver) as ready:
        await ready.incident.record(decided())
        await ready.approve(FALLBACK)
        yield ready


def dry_runs(bench: Bench) -> int:
    """How many dry runs the cluster was asked for."""
    return len([request for request in bench.changing_requests() if is_dry_run(request)])


async def test_the_run_takes_the_dry_run_that_has_begun(bench: Bench) -> None:
    """The cluster is asked once, and what is journalled is as ever."""
    before, known = dry_runs(bench), (await bench.incident.read()).journal
    await preview_ahead(bench.incident)
    plan = await bench.preview(FALLBACK)
    assert dry_runs(bench) == before + 1
    assert not plan.blocked
    assert (await bench.incident.read()).journal == known  # the plan is the one that was approved
    assert bench.writes() == []


async def test_it_is_taken_once(bench: Bench) -> None:
    """A preview that is made again sees the target as it is then."""
    await preview_ahead(bench.incident)
    before = dry_runs(bench)
    await bench.preview(FALLBACK)
    taken = dry_runs(bench) - before
    await bench.preview(FALLBACK)
    assert dry_runs(bench) == before + taken + 1


async def test_what_changed_since_voids_it_before_anything_is_changed(bench: Bench) -> None:
    """The plan is bound to the versions that it saw, however long ago that was."""
    given = await bench.approve(FALLBACK)
    await preview_ahead(bench.incident)
    plan = await bench.preview(FALLBACK)
    bench.world.imitation.apply({"kind": "Deployment", "metadata": {"name": DEPLOYMENT}, "spec": OF_OTHERS})
    assert await bench.make(plan, given) is None
    assert bench.writes() == []


async def test_under_another_policy_it_is_made_anew(bench: Bench) -> None:
    """What the policy bounds is decided by the one that the run has."""
    await preview_ahead(bench.incident)
    stricter = bench.incident.policy.model_copy(update={"check_deadline_seconds": 4.0})
    environment = dataclasses.replace(
        bench.incident.environment, runbook_policy=RunbookPolicy(policy=stricter)
    )
    later = dataclasses.replace(bench, incident=dataclasses.replace(bench.incident, environment=environment))
    before = dry_runs(bench)
    await later.preview(FALLBACK)
    assert dry_runs(bench) == before + 2  # the one that had begun, and its own


async def test_a_change_that_has_begun_is_not_looked_at(bench: Bench) -> None:
    """What was approved is in the journal then."""
    given = await bench.approve(FALLBACK)
    made = await bench.make(await bench.preview(FALLBACK), given)
    assert made is not None
    assert made.outcome is ActionOutcome.RECOVERED
    before = dry_runs(bench)
    await preview_ahead(bench.incident)
    assert dry_runs(bench) == before
    assert len((await bench.incident.read()).events(ActionPreviewed)) == 1
