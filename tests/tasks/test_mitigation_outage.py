"""A change that was approved survives an API server that is away, busy, or has just started."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from deployments.drill.cluster import Rule
from runbook.actions import ActionName, ActionOutcome, PlannedAction
from tests.blocks.cluster_world import RULES
from tests.tasks.changes import CHANGES
from tests.tasks.mitigation_bench import Bench, mitigation_bench, until

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

(FALLBACK,) = (change for change in CHANGES if change.name is ActionName.ENABLE_FALLBACK)


@asynccontextmanager
async def approved(
    folder: Path, httpserver: HTTPServer, *, patience: float = 1, **policy: Any
) -> AsyncIterator[tuple[Bench, PlannedAction]]:
    """A bench on which a change is possible, previewed and approved."""
    async with mitigation_bench(folder, httpserver, patience=patience, **policy) as bench:
        action = await FALLBACK.planned(bench.world)
        await bench.quiet()
        await bench.approve(action)
        yield bench, action


async def patched(bench: Bench) -> None:
    """Wait until the change is in the cluster."""
    await until(lambda: FALLBACK.shows(bench.world) == FALLBACK.after, "the change is in the cluster")


async def test_rights_that_a_server_denies_while_it_starts_do_not_end_a_proof(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The server starts anew after the change, and takes longer than a request may: the rollout is seen."""
    async with approved(tmp_path, httpserver) as (bench, action):
        taking = asyncio.create_task(bench.take(action))
        await patched(bench)
        bench.world.imitation.load_rules(after_seconds=2)
        result = await taking

        assert result.outcome is ActionOutcome.RECOVERED, result.detail
        assert await bench.escalations() == []


async def test_a_right_that_is_gone_for_good_ends_a_proof_as_unknown(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """It is doubted for no longer than the rollout may take; then a person reads which rule is missing."""
    async with approved(tmp_path, httpserver, rollout_deadline_seconds=2) as (bench, action):
        taking = asyncio.create_task(bench.take(action))
        await patched(bench)
        bench.world.restrict(*without_pods())
        result = await taking

        assert result.outcome is ActionOutcome.UNKNOWN
        assert "the runbook's Role lacks {apiGroups: [''], resources: [pods], verbs: [list]}" in result.detail


def without_pods() -> tuple[Rule, ...]:
    """All rules but for the one that lists pods."""
    return tuple(rule for rule in RULES if (rule.verbs[0], rule.resources[0]) != ("list", "pods"))
