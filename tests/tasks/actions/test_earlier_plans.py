"""What the release before this one has asked about, or begun, is held to what its plan has."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import ActionOutcome, undo_of
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.roll_back import ROLL_BACK as ROLL_BACK_SPEC
from runbook.approvals.approvals import decided
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.incidents.effects import Authority, Effect
from runbook.incidents.events import (
    EVENT,
    ActionPreviewed,
    ApprovalAnswered,
    ApprovalRequested,
    EffectIntended,
    PlanDrifted,
)
from tests.tasks.changes import (
    CHANGES,
    REPLACE_API_KEY,
    KnownChange,
)
from tests.tasks.mitigation_bench import (
    Bench,
    mitigation_bench,
    save_replacement_key,
)

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

KNOWN = {change.name: change for change in CHANGES}
FALLBACK, ROLL_BACK = KNOWN[ENABLE_FALLBACK.name], KNOWN[ROLL_BACK_SPEC.name]
RECORDED = Path(__file__).parents[2] / "data" / "journals"


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer, engineless: object) -> AsyncIterator[Bench]:  # noqa: ARG001  Prefect keeps the key
    """A cluster with the integration in it, and a replacement for its key."""
    block = await save_replacement_key()
    async with mitigation_bench(tmp_path, httpserver, replacement_key_block=block) as running:
        yield running


def recorded(name: str) -> tuple[ActionPreviewed, ApprovalRequested]:
    """A plan and its question, as the release before this one has journalled them."""
    lines = (RECORDED / f"asked-0004-{name}.jsonl").read_text().splitlines()
    previewed, asked = (EVENT.validate_python(json.loads(line)) for line in lines)
    assert isinstance(previewed, ActionPreviewed)
    assert isinstance(asked, ApprovalRequested)
    return previewed, asked


EARLIER = pytest.mark.parametrize("change", [FALLBACK, REPLACE_API_KEY], ids=lambda change: change.name)


async def asked_by_the_release_before(bench: Bench, change: KnownChange) -> ApprovalAnswered:
    """The journal has its plan and its question, and a person's answer to that."""
    previewed, asked = recorded(change.name.slug)
    await bench.incident.record(previewed)
    await bench.incident.record(asked)
    identity = Identity(name="ada", how=Proof.OS_PEER)
    yes = Answer(choice=Choice.APPROVE, approver="ada", channel="cli", identity=identity)
    event = ApprovalAnswered(
        gate=asked.gate, action_id=asked.action_id, plan_digest=asked.plan_digest, answer=yes
    )
    await bench.incident.record(event)
    return event


@EARLIER
async def test_a_question_of_the_release_before_still_holds(bench: Bench, change: KnownChange) -> None:
    """The same plan, made by this release, is approved by the answer to it, and is no drift."""
    decision = await asked_by_the_release_before(bench, change)
    action = recorded(change.name.slug)[0].plan.action
    plan = await bench.preview(action)

    journal = await bench.incident.read()
    assert journal.events(PlanDrifted) == []
    assert decided(journal, plan, bench.incident.policy) == decision
    result = await bench.make(plan, decision)
    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    assert change.shows(bench.world) == change.after


@EARLIER
async def test_a_change_that_the_release_before_has_begun_is_brought_to_its_end(
    bench: Bench, change: KnownChange
) -> None:
    """Its plan binds less: what it has is held, the rest is as configured. Its undo works, too."""
    decision = await asked_by_the_release_before(bench, change)
    action = recorded(change.name.slug)[0].plan.action
    intended = Effect(
        id=f"{bench.incident.id}/{action.id}/{change.steps[0]}",
        kind="kubernetes",
        target="x",
        summary="x",
        authority=Authority.approval(decision.gate, "ada"),
    )
    await bench.incident.record(EffectIntended(effect=intended))
    plan = await bench.preview(action)
    assert plan == recorded(change.name.slug)[0].plan

    result = await bench.make(plan, decision)

    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    assert change.shows(bench.world) == change.after
    await bench.quiet()
    undo = undo_of(action)
    result = await bench.make(await bench.preview(undo), await bench.approve(undo))
    assert result is not None
    assert result.outcome is ActionOutcome.DONE, result.detail
    assert change.shows(bench.world) == change.before
