"""An undo takes back what the change had set, keeps what others have done since, and never claims more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from blocks.transport.errors import Unavailable
from runbook.actions.catalogue import ActionOutcome, ActionResult, PlannedAction, undo_of
from runbook.actions.spec import ActionName
from runbook.actions.specs.fallback import DISABLE_FALLBACK, ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY as REPLACE_API_KEY_SPEC
from runbook.actions.specs.request_queue import DISABLE_REQUEST_QUEUE, ENABLE_REQUEST_QUEUE
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.actions.specs.scale import SCALE
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import IncidentEscalated
from tasks.actions.changes.workload import PAUSED
from tests.blocks.cluster_world import KEY, LABELS
from tests.tasks.changes import (
    CHANGES,
    DEPLOYMENT,
    REPLACE_API_KEY,
    KnownChange,
    administer,
    container,
    respecify,
    secret_keys,
)
from tests.tasks.mitigation_bench import (
    NEW_KEY,
    Bench,
    mitigation_bench,
    save_replacement_key,
    stop_controllers,
    until,
)
from tests.tasks.other_hands import (
    PREVIOUS_IMAGE,
    Others,
    limits_memory,
    puts_key,
    rolls_out,
    scales,
    sets_variable,
)

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]
KNOWN = {change.name: change for change in CHANGES}


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer, engineless: object) -> AsyncIterator[Bench]:  # noqa: ARG001  Prefect keeps the key
    """A cluster with the integration in it, and a replacement for its key."""
    block = await save_replacement_key()
    async with mitigation_bench(
        tmp_path, httpserver, replacement_key_block=block, success_deadline_seconds=3
    ) as running:
        yield running


async def made(bench: Bench, change: KnownChange) -> PlannedAction:
    """The change, made."""
    action = await change.planned(bench.world)
    await bench.quiet()
    decision = await bench.approve(action)
    result = await bench.make(await bench.preview(action), decision)
    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    await bench.quiet()
    return action


@pytest.mark.parametrize(
    ("name", "others", "kept", "why"),
    [
        (ENABLE_FALLBACK.name, sets_variable("POSTHOG_FALLBACK", "half"), "half", "is half"),
        (DISABLE_FALLBACK.name, sets_variable("POSTHOG_FALLBACK", "half"), "half", "is half"),
        (ENABLE_REQUEST_QUEUE.name, sets_variable("RATE_LIMIT_MODE", "drop"), "drop", "is drop"),
        (DISABLE_REQUEST_QUEUE.name, sets_variable("RATE_LIMIT_MODE", "drop"), "drop", "is drop"),
        (RAISE_MEMORY_LIMIT.name, limits_memory("1Gi"), "1Gi", "is 1Gi"),
        (SCALE.name, scales(5), 5, "replicas is 5"),
        (ROLL_BACK.name, rolls_out("integration:3"), "integration:3", "rolled out revision 4 since"),
        (REPLACE_API_KEY_SPEC.name, puts_key(api_key=KEY[::-1]), KEY[::-1], "changed the key since"),
    ],
)
async def test_what_somebody_else_has_changed_since_is_kept(
    bench: Bench, name: ActionName, others: Others, kept: object, why: str
) -> None:
    """Their value is newer than ours: the undo is blocked before any request, and says what it found."""
    action = await made(bench, KNOWN[name])
    others(bench.world)
    await bench.quiet()
    sent = len(bench.changing_requests())
    plan = await bench.preview(undo_of(action))

    assert plan.blocked
    assert why in plan.blocked
    assert "which is kept" in plan.blocked
    assert KNOWN[name].shows(bench.world) == kept
    assert len(bench.changing_requests()) == sent


@pytest.mark.parametrize(
    ("name", "others", "why"),
    [
        (ENABLE_FALLBACK.name, sets_variable("POSTHOG_FALLBACK", "false"), "is false, as before"),
        (RAISE_MEMORY_LIMIT.name, limits_memory("262144Ki"), "is 262144Ki, as before"),
        (SCALE.name, scales(2), "is 2, as before"),
        (ROLL_BACK.name, rolls_out("registry.example/integration:2"), "the revision that was replaced"),
        (REPLACE_API_KEY_SPEC.name, puts_key(api_key=KEY, api_key_previous=None), "no previous key is kept"),
    ],
)
async def test_what_somebody_has_taken_back_already_needs_no_undo(
    bench: Bench, name: ActionName, others: Others, why: str
) -> None:
    """The plan says so and sends nothing."""
    action = await made(bench, KNOWN[name])
    others(bench.world)
    await bench.quiet()
    plan = await bench.preview(undo_of(action))

    assert plan.in_place
    assert why in plan.in_place


async def test_a_limit_that_the_api_server_keeps_in_its_shortest_form_is_undone(bench: Bench) -> None:
    """It stores 1Gi where 1024Mi was sent: that is our value, and nobody else's."""
    action = await KNOWN[RAISE_MEMORY_LIMIT.name].planned(bench.world)
    action = action.model_copy(update={"parameters": {"memory": "1024Mi"}})
    await bench.make(await bench.preview(action), await bench.approve(action))
    limits_memory("1Gi")(bench.world)
    await bench.world.until("complete")
    await bench.quiet()

    result = await take_undo(bench, action)

    assert result.outcome is ActionOutcome.DONE
    assert container(bench.world)["resources"]["limits"]["memory"] == "256Mi"


async def take_undo(bench: Bench, action: PlannedAction) -> ActionResult:
    """Undo the action, as approved."""
    undo = undo_of(action)
    decision = await bench.approve(undo)
    result = await bench.make(await bench.preview(undo), decision)
    assert result is not None
    return result


async def test_the_previous_key_is_put_back_and_nothing_else_in_the_secret(bench: Bench) -> None:
    """What somebody added to the Secret stays; our copy of the key goes."""
    action = await made(bench, REPLACE_API_KEY)
    assert secret_keys(bench.world) == {"api-key": NEW_KEY, "api-key-previous": KEY}
    puts_key(note="by hand")(bench.world)

    result = await take_undo(bench, action)

    assert result.outcome is ActionOutcome.DONE
    assert secret_keys(bench.world) == {"api-key": KEY, "note": "by hand"}
    assert {pod.env["POSTHOG_API_KEY"] for pod in bench.world.imitation.pods({"app": DEPLOYMENT})} == {KEY}
    assert await bench.effects(undo_of(action)) == dict.fromkeys(("secret", "restart"), EffectOutcome.APPLIED)


async def test_a_replaced_revision_that_is_gone_cannot_be_rolled_forward_to(bench: Bench) -> None:
    """The cluster keeps only so much history."""
    action = await made(bench, KNOWN[ROLL_BACK.name])
    respecify(bench.world, revisionHistoryLimit=0)
    await bench.quiet()
    plan = await bench.preview(undo_of(action))
    assert plan.blocked == "the revision that was replaced is gone from the history"


async def test_a_field_that_somebody_sets_during_the_proof_is_kept_and_a_person_is_told(bench: Bench) -> None:
    """Somebody takes over meanwhile: it is not known whether the change would have helped, and no undo."""
    action = await KNOWN[ENABLE_FALLBACK.name].planned(bench.world)
    await bench.approve(action)
    bench.signals.mood = "ill"

    async def somebody() -> None:
        await until(lambda: bool(bench.writes()), "the change is made")
        sets_variable("POSTHOG_FALLBACK", "half")(bench.world)

    result, _ = await asyncio.gather(bench.take(action), somebody())

    assert result.outcome is ActionOutcome.REVERTED
    assert KNOWN[ENABLE_FALLBACK.name].shows(bench.world) == "half"
    assert len(bench.writes()) == 1
    (told,) = await bench.escalations()
    assert "changed since by kubectl (kubectl-patch)" in told
    assert "env POSTHOG_FALLBACK of app is half, and was true" in told


async def test_a_roll_back_of_a_paused_workload_is_not_called_undone(bench: Bench) -> None:
    """The newest revision is still the replaced one, but the template to come is not."""
    action = await KNOWN[ROLL_BACK.name].planned(bench.world)
    await bench.quiet()
    await bench.approve(action)
    respecify(bench.world, paused=True, template={"spec": {"containers": [PREVIOUS_IMAGE]}})
    await bench.quiet()
    plan = await bench.preview(undo_of(action))
    assert (plan.in_place, plan.blocked) == (None, PAUSED)


async def test_revisions_that_the_controller_has_not_written_yet_are_waited_for(bench: Bench) -> None:
    """Without it nobody knows which revision is the newest: neither to roll back to, nor to undo to."""
    action = await KNOWN[ROLL_BACK.name].planned(bench.world)
    await bench.quiet()
    await bench.approve(action)
    await stop_controllers()
    respecify(bench.world, template={"spec": {"containers": [PREVIOUS_IMAGE]}})
    for planned in (action, undo_of(action)):
        with pytest.raises(Unavailable, match="the controller has not acted upon the newest specification"):
            await bench.preview(planned)


NO_START = "ImagePullBackOff"


async def no_pod_starts(bench: Bench) -> None:
    """Pods end before others start in their place, and those do not start."""
    respecify(bench.world, strategy={"type": "Recreate", "rollingUpdate": None})
    await bench.quiet()
    bench.world.imitation.image_faults[PREVIOUS_IMAGE["image"]] = NO_START


async def test_an_undo_is_not_well_where_fewer_pods_serve_than_before(bench: Bench) -> None:
    """The field is back, which needs no commands; that the pods do not come back is told."""
    action = await KNOWN[ENABLE_FALLBACK.name].planned(bench.world)
    await no_pod_starts(bench)
    await bench.approve(action)
    result = await bench.take(action)

    assert result.outcome is ActionOutcome.NOT_RECOVERED
    undo = (await bench.incident.read()).results[f"{action.id}-undo"]
    assert undo.outcome is ActionOutcome.NOT_RECOVERED
    assert "but 0 pods available, 2 before the change" in undo.detail
    (called,) = (await bench.incident.read()).events(IncidentEscalated)
    assert f"Undone, but not healthy: {undo.detail}" in called.because
    assert called.commands == ()


async def test_an_undo_is_done_where_nothing_could_start_before_either(bench: Bench) -> None:
    """The workload was ill before the change; its undo is judged by what it put back."""
    action = await KNOWN[ENABLE_FALLBACK.name].planned(bench.world)
    await no_pod_starts(bench)
    respecify(bench.world, template={"metadata": {"annotations": {"deployed": "again"}}})
    await until(lambda: not any(pod.ready for pod in bench.world.imitation.pods(LABELS)), "no pod is ready")
    await bench.quiet()
    await bench.approve(action)
    await bench.take(action)

    undo = (await bench.incident.read()).results[f"{action.id}-undo"]
    assert undo.outcome is ActionOutcome.DONE
    assert (
        "not worse than before (0 pods available, 0 before the change), but the rollout failed" in undo.detail
    )


async def test_an_undo_that_somebody_takes_over_is_not_undone(tmp_path: Path, httpserver: HTTPServer) -> None:
    """While its rollout is waited for, the field is set to something else: it is not ours any more."""
    async with mitigation_bench(tmp_path, httpserver, rollout_deadline_seconds=1) as bench:
        action = await made(bench, KNOWN[ENABLE_FALLBACK.name])
        undo = undo_of(action)
        decision, plan = await bench.approve(undo), await bench.preview(undo)
        await stop_controllers()
        undoing = asyncio.create_task(bench.make(plan, decision))
        await until(lambda: len(bench.writes()) == 2, "it is put back")
        administer(bench.world, env=[{"name": "POSTHOG_FALLBACK", "value": "half"}])
        result = await undoing

        assert result is not None
        assert result.outcome is ActionOutcome.FAILED
        assert "it was undone, and has changed again" in result.detail
