"""An approval is void where what the plan relies on has changed, and by nothing else; and not for ever."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from flows.action import NEW_PLANS
from runbook.actions.catalogue import ActionOutcome, ChangePlan
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.approvals.approvals import decided
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.incidents.events import ActionPreviewed, ApprovalAnswered, ApprovalRequested, PlanDrifted
from tests.runbook.questions import question
from tests.tasks.approved_changes import approved
from tests.tasks.changes import CHANGES, DEPLOYMENT, REPLACE_API_KEY, SECRET, KnownChange, administer
from tests.tasks.mitigation_bench import Bench, mitigation_bench, save_replacement_key
from tests.tasks.troubles_bench import ended_or_asked

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

(FALLBACK,) = (change for change in CHANGES if change.name == ENABLE_FALLBACK.name)
EACH = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer, engineless: object) -> AsyncIterator[Bench]:  # noqa: ARG001  Prefect keeps the key
    """A cluster with the integration in it, and a replacement for its key."""
    block = await save_replacement_key()
    async with mitigation_bench(tmp_path, httpserver, replacement_key_block=block) as running:
        yield running


def note(bench: Bench, number: int) -> None:
    """An operator writes its annotation and its label on whatever it looks after."""
    stamp = str(number)
    metadata = {
        "annotations": {"operator.example/seen": stamp, "a-first": stamp, "zz-last": stamp},
        "labels": {"operator.example/round": stamp},
    }
    for kind, name in (("Deployment", DEPLOYMENT), ("Secret", SECRET)):
        bench.world.imitation.apply({"kind": kind, "metadata": {"name": name, **metadata}})


@EACH
async def test_annotations_and_labels_that_somebody_writes_void_no_approval(
    bench: Bench, change: KnownChange
) -> None:
    """Before the preview, after the yes and before the change: the plan is the same, and is made."""
    action = await change.planned(bench.world)
    await bench.quiet()
    first = await bench.preview(action)
    note(bench, 1)
    await bench.quiet()
    decision = await bench.approve(action)
    note(bench, 2)
    await bench.quiet()
    plan = await bench.preview(action)
    note(bench, 3)

    assert first.digest == plan.digest == decision.plan_digest
    result = await bench.make(plan, decision)
    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    assert (await bench.incident.read()).events(PlanDrifted) == []
    assert change.shows(bench.world) == change.after


@EACH
async def test_a_question_of_the_release_before_still_holds(bench: Bench, change: KnownChange) -> None:
    """It had all that stands around the change, the labels and the Secret's version in its digest."""
    action = await change.planned(bench.world)
    await bench.quiet()
    plan = await bench.preview(action)
    asked = as_before(plan)
    assert change.request[1].startswith("/pods/") or asked.digest != plan.digest

    assert plan.known_as(asked.digest)
    assert not as_before(plan.model_copy(update={"diff": "another"})).known_as(asked.digest)


@EACH
async def test_a_plan_of_the_release_before_is_made(bench: Bench, change: KnownChange) -> None:
    """One that had begun is carried out as it stands in the journal, by its own fingerprints."""
    action = await change.planned(bench.world)
    await bench.quiet()
    old = as_before(await bench.preview(action))
    (previewed,) = (await bench.incident.read()).events(ActionPreviewed)
    await bench.incident.record(previewed.model_copy(update={"plan": old}))
    identity = Identity(name="ada", how=Proof.OS_PEER)
    yes = Answer(choice=Choice.APPROVE, approver="ada", channel="cli", identity=identity)
    asked = ApprovalAnswered(gate="1", action_id=action.id, plan_digest=old.digest, answer=yes)
    await bench.incident.record(question(asked))
    await bench.incident.record(asked)
    assert decided(await bench.incident.read(), old, bench.incident.policy) is not None

    result = await bench.make(old, asked)
    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED, result.detail


def as_before(plan: ChangePlan) -> ChangePlan:
    """The plan as the release before has made it."""
    return plan.model_copy(update={"changes": None, "earlier": {}, "basis": plan.basis | plan.earlier})


async def test_a_value_of_the_secret_that_changes_before_the_request_is_a_conflict(bench: Bench) -> None:
    """The request is not sent: the restart would roll out a value that nobody has seen."""
    _, plan, decision = await approved(bench, REPLACE_API_KEY)
    bench.world.imitation.apply({"kind": "Secret", "metadata": {"name": SECRET}, "data": {"other": "eA=="}})

    assert await bench.make(plan, decision) is None
    assert bench.writes() == []


async def test_a_target_that_voids_every_approval_is_given_up(bench: Bench) -> None:
    """Each approval starts the run anew, so that the number is the journal's; the last reason is told."""
    action = await FALLBACK.planned(bench.world)
    await bench.quiet()
    ended = None
    for number in range(NEW_PLANS):
        await bench.approve(action)
        administer(bench.world, image=f"registry.example/integration:{number + 5}")
        ended = await ended_or_asked(bench, action)
        assert (ended is None) == (number + 1 < NEW_PLANS), number

    assert ended is not None
    assert ended.outcome is ActionOutcome.FAILED
    assert "the target keeps changing; last: " in ended.detail
    assert "registry.example/integration:9" in ended.detail
    journal = await bench.incident.read()
    assert len(journal.events(PlanDrifted)) == NEW_PLANS
    assert len(journal.events(ApprovalRequested)) == 2 * NEW_PLANS - 1
    (told,) = await bench.escalations()
    assert "keeps changing" in told
