"""A change that was made, and that somebody took back before the runbook could tell, is not made again."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.actions.specs.scale import SCALE
from runbook.incidents.effects import Effect, EffectOutcome
from tasks import effects
from tasks.caretaking.in_doubt import read_changes_in_doubt
from tests.blocks.cluster_world import KEY
from tests.tasks.approved_changes import approved
from tests.tasks.changes import CHANGES, SECRET, KnownChange, respecify
from tests.tasks.gitops import apply_now, manifest_of
from tests.tasks.mitigation_bench import Bench, mitigation_bench, save_replacement_key

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

KNOWN = {change.name: change for change in CHANGES}
ENV = {"POSTHOG_FALLBACK": "false", "RATE_LIMIT_MODE": "direct"}


class Died(BaseException):
    """The process is no more."""


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer, engineless: object) -> AsyncIterator[Bench]:  # noqa: ARG001  Prefect keeps the key
    """A cluster with the integration in it, applied from Git."""
    block = await save_replacement_key()
    async with mitigation_bench(tmp_path, httpserver, replacement_key_block=block) as running:
        yield running


async def dies_after(bench: Bench, plan: Any, yes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 between the first request and its outcome in the journal."""

    async def dead(*_: object, **__: object) -> Effect:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(effects, "_record", dead)
        with pytest.raises(Died):
            await bench.make(plan, yes)


def put_back(bench: Bench, change: KnownChange) -> None:
    """A controller applies what stands in Git."""
    match change.name:
        case REPLACE_API_KEY.name:
            data = {"api-key": base64.b64encode(KEY.encode()).decode(), "api-key-previous": None}
            secret = {"kind": "Secret", "metadata": {"name": SECRET}, "data": data}
            bench.world.imitation.apply(secret, manager="external-secrets")
        case SCALE.name:
            respecify(bench.world, replicas=2)
        case ROLL_BACK.name:
            apply_now(bench.world, manifest_of(image="registry.example/integration:2"))
        case RAISE_MEMORY_LIMIT.name:
            apply_now(bench.world, manifest_of(resources={"limits": {"memory": "256Mi"}}))
        case _:
            variables = [{"name": name, "value": value} for name, value in ENV.items()]
            apply_now(bench.world, manifest_of(*variables))


REVERTIBLE = [
    KNOWN[name]
    for name in (
        ENABLE_FALLBACK.name,
        ENABLE_REQUEST_QUEUE.name,
        RAISE_MEMORY_LIMIT.name,
        SCALE.name,
        ROLL_BACK.name,
        REPLACE_API_KEY.name,
    )
]


@pytest.mark.parametrize("change", REVERTIBLE, ids=lambda change: change.name)
async def test_a_change_that_was_put_back_unseen_is_told_and_not_repeated(
    bench: Bench, change: KnownChange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run finds the trace of it: it is reverted, one request was sent, and who did it is named."""
    if change.name == ENABLE_REQUEST_QUEUE.name:
        respecify(bench.world, template=direct())
        await bench.world.until("complete")
    action, plan, yes = await approved(bench, change)
    before = change.shows(bench.world)
    await dies_after(bench, plan, yes, monkeypatch)
    await bench.quiet()
    put_back(bench, change)
    await bench.quiet()

    result = await bench.take(action)
    assert result.outcome is ActionOutcome.REVERTED, result.detail
    assert "reverted by " in result.detail
    assert len(bench.writes()) == 1
    assert change.shows(bench.world) == before
    assert len(await bench.escalations()) == 1


def direct() -> dict[str, Any]:
    """The variable as it stands in Git."""
    env = [{"name": "RATE_LIMIT_MODE", "value": "direct"}]
    return {"spec": {"containers": [{"name": "app", "env": env}]}}


async def test_where_no_run_goes_on_the_reader_of_doubts_sees_that_it_was_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was applied; that somebody has taken it back since is another matter."""
    change = KNOWN[ENABLE_FALLBACK.name]
    action, plan, yes = await approved(bench, change)
    await dies_after(bench, plan, yes, monkeypatch)
    put_back(bench, change)
    await read_changes_in_doubt(bench.incident)
    assert await bench.effects(action) == {"set-field": EffectOutcome.APPLIED}


async def test_what_was_never_made_is_made_after_a_crash(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died before its request: nothing in the cluster bears its mark."""
    change = KNOWN[ENABLE_FALLBACK.name]
    action, plan, yes = await approved(bench, change)

    async def dead(*_: object, **__: object) -> Any:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr("blocks.kubernetes.changes.Changes.patch_workload", dead)
        with pytest.raises(Died):
            await bench.make(plan, yes)
    result = await bench.take(action)
    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    assert change.shows(bench.world) == "true"
