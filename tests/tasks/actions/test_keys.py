"""A key is written only if it is the approved one, and is told by its fingerprint, not by the block."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import ActionOutcome, ChangePlan, undo_of
from runbook.approvals.approvals import decided
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import ApprovalAnswered, PlanDrifted
from tasks import effects
from tasks.caretaking.in_doubt import read_changes_in_doubt
from tests.blocks.cluster_world import KEY
from tests.tasks.approved_changes import approved, made
from tests.tasks.changes import (
    REPLACE_API_KEY,
    SECRET,
    secret_keys,
    was_restarted,
)
from tests.tasks.mitigation_bench import (
    NEW_KEY,
    Bench,
    mitigation_bench,
    save_replacement_key,
)

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

OTHER_KEY = NEW_KEY[::-1]


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer, engineless: object) -> AsyncIterator[Bench]:  # noqa: ARG001  Prefect keeps the key
    """A cluster with the integration in it, and a replacement for its key."""
    block = await save_replacement_key()
    async with mitigation_bench(tmp_path, httpserver, replacement_key_block=block) as running:
        yield running


async def swap_key(bench: Bench, key: str = OTHER_KEY) -> None:
    """Somebody saves another key in the Secret block."""
    await save_replacement_key(key, name=bench.incident.policy.replacement_key_block)


async def test_a_key_that_was_swapped_after_the_yes_is_never_written(bench: Bench) -> None:
    """As during the wait for the target's lease: nothing is written; the other key is another question."""
    action, plan, decision = await approved(bench, REPLACE_API_KEY)
    await swap_key(bench)

    assert await bench.make(plan, decision) is None

    assert bench.writes() == []
    assert secret_keys(bench.world) == {"api-key": KEY}
    assert await bench.effects(action) == {"secret": EffectOutcome.FAILED}
    known = (await bench.incident.read()).effects[f"{bench.incident.id}/{action.id}/secret"]
    assert "contains a different key than the approved one" in known.detail

    await swap_key(bench, NEW_KEY[:-4] + "abcd")  # PostHog would not take it, so this is what is said of it
    again = await bench.preview(action)
    assert again.blocked
    journal = await bench.incident.read()
    assert decided(journal, again, bench.incident.policy) is None
    assert [event.voided for event in journal.events(PlanDrifted)] == [("ada",)]


async def test_another_key_that_is_good_is_another_plan(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fingerprint is another: the yes to the first key is void, and what has changed is said."""
    action, plan, _ = await approved(bench, REPLACE_API_KEY)

    async def no_objection(*_: object) -> None:
        """PostHog knows one good key here; this stands for another one."""

    monkeypatch.setattr("tasks.actions.changes.replace_api_key.objection", no_objection)
    await swap_key(bench)
    again = await bench.preview(action)

    assert again.digest != plan.digest
    journal = await bench.incident.read()
    assert decided(journal, again, bench.incident.policy) is None
    (drifted,) = journal.events(PlanDrifted)
    assert drifted.because == ("replacement key has changed (its values are masked)",)


class Died(BaseException):
    """The process is no more."""


async def dies(
    bench: Bench,
    plan: ChangePlan,
    decision: ApprovalAnswered,
    monkeypatch: pytest.MonkeyPatch,
    *,
    landed: bool,
) -> None:
    """kill -9 after the intent: before its request, or after it."""

    async def dead(*_: object, **__: object) -> Any:
        raise Died

    with monkeypatch.context() as patched:
        where = "_record" if landed else "_act"
        if landed:
            patched.setattr(effects, where, dead)
        else:
            patched.setattr("blocks.kubernetes.changes.Changes.patch_secret", dead)
            patched.setattr("blocks.kubernetes.changes.Changes.patch_workload", dead)
        with pytest.raises(Died):
            await bench.make(plan, decision)


@pytest.mark.parametrize("landed", [True, False])
async def test_after_a_crash_the_key_in_place_is_told_by_its_fingerprint(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    """The block holds another key by then: what has landed is found and brought to its end; else the other
    key is not written in its place."""
    action, plan, decision = await approved(bench, REPLACE_API_KEY)
    await dies(bench, plan, decision, monkeypatch, landed=landed)
    assert await bench.effects(action) == {"secret": None}
    await swap_key(bench)

    result = await bench.make(await bench.preview(action), decision)

    if landed:
        assert result is not None
        assert result.outcome is ActionOutcome.RECOVERED, result.detail
        assert secret_keys(bench.world) == {"api-key": NEW_KEY, "api-key-previous": KEY}
        assert was_restarted(bench.world)
        assert await bench.effects(action) == dict.fromkeys(("secret", "restart"), EffectOutcome.APPLIED)
    else:
        assert result is None
        assert secret_keys(bench.world) == {"api-key": KEY}
        assert await bench.effects(action) == {"secret": EffectOutcome.FAILED}
        assert not was_restarted(bench.world)


@pytest.mark.parametrize("landed", [True, False])
async def test_a_doubt_about_the_key_is_settled_by_its_fingerprint(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    """The watchdog reads back without the block, too."""
    action, plan, decision = await approved(bench, REPLACE_API_KEY)
    await dies(bench, plan, decision, monkeypatch, landed=landed)
    await swap_key(bench)
    await read_changes_in_doubt(bench.incident)
    outcome = EffectOutcome.APPLIED if landed else EffectOutcome.FAILED
    assert await bench.effects(action) == {"secret": outcome}


async def test_the_undo_of_a_key_does_not_ask_the_block(bench: Bench) -> None:
    """It holds another key by now, or none that is good: the previous one is in the cluster."""
    action = await made(bench, REPLACE_API_KEY)
    await swap_key(bench)
    undo = undo_of(action)
    result = await bench.make(await bench.preview(undo), await bench.approve(undo))
    assert result is not None
    assert result.outcome is ActionOutcome.DONE, result.detail
    assert secret_keys(bench.world) == {"api-key": KEY}


def puts(bench: Bench, **keys: str) -> None:
    """Somebody writes into the Secret."""
    data = {name.replace("_", "-"): _base64(value) for name, value in keys.items()}
    bench.world.imitation.apply({"kind": "Secret", "metadata": {"name": SECRET}, "data": data})


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_a_previous_key_that_is_another_is_not_put_back(bench: Bench) -> None:
    """Somebody wrote it beside the key: it is not the one that was replaced."""
    action = await made(bench, REPLACE_API_KEY)
    puts(bench, api_key_previous=OTHER_KEY)
    plan = await bench.preview(undo_of(action))
    assert plan.blocked == "the previous key in the cluster is not the one that was replaced"


async def test_a_previous_key_of_an_earlier_replacement_is_not_kept(bench: Bench) -> None:
    """There is no key to replace, only one from before: the undo removes what was added, no more."""
    bench.world.imitation.apply(
        {
            "kind": "Secret",
            "metadata": {"name": SECRET},
            "data": {"api-key": None, "api-key-previous": _base64(KEY)},
        }
    )
    action = await made(bench, REPLACE_API_KEY)
    assert secret_keys(bench.world) == {"api-key": NEW_KEY}
    undo = undo_of(action)
    result = await bench.make(await bench.preview(undo), await bench.approve(undo))
    assert result is not None  # no pod starts without the key, as before
    assert secret_keys(bench.world) == {}


async def test_a_key_that_no_pod_reads_is_not_replaced(bench: Bench) -> None:
    """A wrong name in the settings: nothing is written, and it is said what the pods read."""
    cluster = bench.incident.environment.cluster
    cluster.secret_key = "apikey"
    plan = await bench.preview(await REPLACE_API_KEY.planned(bench.world))
    assert plan.blocked == (
        f"no container of the workload reads key apikey of Secret {cluster.secret_name}; they read api-key. "
        "Correct `secret_name` and `secret_key` in [cluster]"
    )
    assert bench.writes() == []
