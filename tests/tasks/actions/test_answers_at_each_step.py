"""Every answer of an API server that passes, at each step of a change: preview, request, proof and undo."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from deployments.drill.cluster.faults import Fault
from runbook.actions.catalogue import ActionOutcome
from runbook.incidents.effects import EffectOutcome
from tests.tasks.changes import CHANGES, DELETE_POD
from tests.tasks.mitigation_bench import Bench, until
from tests.tasks.troubles_bench import benched

pytestmark = [pytest.mark.proof, pytest.mark.real, pytest.mark.usefixtures("engineless")]

FALLBACK = CHANGES[0]
PAGE = "<html><head><title>Sorry</title></head><body>default backend</body></html>"
DENIED = 'deployments.apps is forbidden: User "runbook" cannot do that'

PASSING: dict[str, dict[str, Any]] = {
    "401": {"status": 401, "reason": "Unauthorized", "message": "Unauthorized"},
    "403 of a start": {"status": 403, "reason": "Forbidden", "message": DENIED, "times": 3},
    "302 to a login": {"status": 302, "text": PAGE},
    "401 with a page": {"status": 401, "text": PAGE, "times": 3},
    "403 with a page": {"status": 403, "text": PAGE, "times": 3},
    "404 of a load balancer": {"status": 404, "text": PAGE},
    "409": {"status": 409, "reason": "Conflict", "message": "the object has been modified"},
    "410 of a load balancer": {"status": 410, "text": PAGE},
    "422 with a page": {"status": 422, "text": PAGE},
    "422 cut": {"status": 422, "text": '{"kind": "Status", "apiVersion": "v1", "sta'},
    "429": {"status": 429, "text": "Too many requests", "retry_after": 1},
    "500": {"status": 500},
    "503": {"status": 503, "text": PAGE},
    "silence": {"delay_before": 30},
    "200 with a page": {"status": 200, "text": PAGE},
    "200 cut": {"short_body": 300},
}
"""What passes after one answer, or a few; none of it is a no of the API server."""

EACH = pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING.keys())


@EACH
@pytest.mark.parametrize("before", [0, 1], ids=["preview", "change"])
async def test_an_approved_change_is_made_once_after_an_answer_that_passes(
    tmp_path: Path, httpserver: HTTPServer, answer: dict[str, Any], before: int
) -> None:
    """It meets the dry run or the request: the yes holds, nobody is called, and one request has an effect."""
    async with benched(tmp_path, httpserver, FALLBACK) as (bench, action):
        meet(bench, answer, after=before)
        result = await bench.take(action)
        bench.world.imitation.close_streams()

        assert result.outcome is ActionOutcome.RECOVERED, result.detail
        assert result.approved_by == "ada"
        assert FALLBACK.shows(bench.world) == FALLBACK.after
        assert await bench.effects(action) == {"set-field": EffectOutcome.APPLIED}
        assert await bench.escalations() == []


@EACH
async def test_a_look_before_the_change_outlasts_an_answer_that_passes(
    tmp_path: Path, httpserver: HTTPServer, answer: dict[str, Any]
) -> None:
    """The first read of the preview meets it: an approved action is not blocked for good by it."""
    async with benched(tmp_path, httpserver, FALLBACK) as (bench, action):
        bench.world.imitation.faults.append(Fault(path="/deployments/", method="GET", **answer))
        result = await bench.take(action)
        bench.world.imitation.close_streams()

        assert result.outcome is ActionOutcome.RECOVERED, result.detail
        assert len(bench.writes()) == 1


@EACH
async def test_a_proof_outlasts_an_answer_that_passes(
    tmp_path: Path, httpserver: HTTPServer, answer: dict[str, Any]
) -> None:
    """The reads after the change meet it: the rollout is looked at again."""
    async with benched(tmp_path, httpserver, FALLBACK, success_deadline_seconds=5) as (bench, action):
        taking = asyncio.create_task(bench.take(action))
        await until(lambda: FALLBACK.shows(bench.world) == FALLBACK.after, "the change is made")
        bench.world.imitation.faults.append(Fault(method="GET", **answer))
        result = await taking
        bench.world.imitation.close_streams()

        assert result.outcome is ActionOutcome.RECOVERED, result.detail
        assert await bench.escalations() == []


@EACH
async def test_an_undo_is_made_after_an_answer_that_passes(
    tmp_path: Path, httpserver: HTTPServer, answer: dict[str, Any]
) -> None:
    """What did not help is taken back once, and people read that it was."""
    async with benched(tmp_path, httpserver, FALLBACK) as (bench, action):
        bench.signals.mood = "ill"
        meet(bench, answer, after=3)  # a dry run, the change, the dry run of the undo
        result = await bench.take(action)
        bench.world.imitation.close_streams()

        assert result.outcome is ActionOutcome.NOT_RECOVERED
        assert FALLBACK.shows(bench.world) == FALLBACK.before
        (told,) = await bench.escalations()
        assert "Undone: everything that the change had set has its previous value" in told


async def test_a_deletion_that_is_not_found_while_the_pod_is_there_is_no_deletion(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """Only a pod that is gone was deleted by somebody else."""
    async with benched(tmp_path, httpserver, DELETE_POD) as (bench, action):
        meet(bench, {"status": 404, "reason": "NotFound", "message": "not found"}, change=DELETE_POD)
        result = await bench.take(action)

        assert result.outcome is ActionOutcome.FAILED
        assert DELETE_POD.shows(bench.world) == DELETE_POD.before
        assert await bench.effects(action) == {"delete": EffectOutcome.FAILED}


def meet(bench: Bench, answer: dict[str, Any], *, after: int = 1, change: Any = FALLBACK) -> None:
    """The change's request meets the answer, after so many like it that go well."""
    method, path = change.request
    well, met = Fault(path=path, method=method, times=after), Fault(path=path, method=method, **answer)
    bench.world.imitation.faults.extend((well, met))
