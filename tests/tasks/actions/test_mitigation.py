"""Changes at the wire: a preview changes nothing, and a change happens once."""

import pytest

from deployments.drill.cluster.faults import Fault
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.delete_pod import DELETE_POD
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.actions.specs.roll_back import ROLL_BACK as ROLL_BACK_SPEC
from runbook.actions.specs.scale import SCALE as SCALE_SPEC
from runbook.approvals.approvals import decided
from runbook.approvals.gates import Answer, Choice
from runbook.kubernetes.patches import EFFECT_ANNOTATION, RESTART_ANNOTATION
from tasks.actions.ending import finish
from tasks.effects import NotAuthorised
from tasks.incidents import incidents_with_switches
from tests.blocks.cluster_world import LABELS
from tests.tasks.changes import (
    CHANGES,
    DEPLOYMENT,
    PATCHES_WORKLOAD,
    KnownChange,
    administer,
    respecify,
    template,
)
from tests.tasks.mitigation_bench import Bench
from tests.tasks.planned_actions import action, bench, bench_with_key

__all__ = ["bench", "bench_with_key"]  # fixtures, found here

FALLBACK, QUEUE = ENABLE_FALLBACK.name, ENABLE_REQUEST_QUEUE.name
RESTART, ROLL_BACK = RESTART_DEPLOYMENT.name, ROLL_BACK_SPEC.name
MEMORY, SCALE, DELETE = RAISE_MEMORY_LIMIT.name, SCALE_SPEC.name, DELETE_POD.name

ALL = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)


@pytest.mark.real
@ALL
async def test_a_preview_shows_the_diff_and_changes_nothing(
    bench_with_key: Bench, change: KnownChange
) -> None:
    """The dry run is made by the server; the live object stays as it is; a repeat gives the same plan."""
    planned = await change.planned(bench_with_key.world)
    await bench_with_key.quiet()
    before = template(bench_with_key.world)
    plan = await bench_with_key.preview(planned)
    again = await bench_with_key.preview(planned)

    assert plan.diff
    assert (plan.blocked, plan.in_place) == (None, None)
    assert again.digest == plan.digest
    assert [request.status for request in bench_with_key.changing_requests()] == [200] * 2 * len(change.steps)
    assert (template(bench_with_key.world), bench_with_key.writes()) == (before, [])
    assert change.shows(bench_with_key.world) == change.before


async def test_a_switch_is_set_in_its_container_alone(bench: Bench) -> None:
    """The variable changes, other variables and containers stay, and the pods get it."""
    decision = await bench.approve(action(FALLBACK))
    await bench.make(await bench.preview(action(FALLBACK)), decision)

    app, proxy = template(bench.world)["spec"]["containers"]
    assert {"name": "POSTHOG_FALLBACK", "value": "true"} in app["env"]
    assert len(app["env"]) == 3
    assert "env" not in proxy
    assert {pod.env["POSTHOG_FALLBACK"] for pod in bench.world.imitation.pods(LABELS)} == {"true"}


async def test_an_incident_that_turned_a_switch_is_found_by_it(bench: Bench) -> None:
    """The reports of switches left on look for the key that carrying out an action leaves in the journal."""
    environment = bench.incident.environment
    assert await incidents_with_switches(environment) == []
    await finish(bench.incident, action(FALLBACK), ActionOutcome.RECOVERED, "recovered")
    assert [incident.id for incident in await incidents_with_switches(environment)] == [bench.incident.id]


async def test_a_change_that_was_made_is_not_made_again(bench: Bench) -> None:
    """A second run of the same action finds its effect in the journal."""
    decision = await bench.approve(action(RESTART))
    first = await bench.make(await bench.preview(action(RESTART)), decision)
    restarted = template(bench.world)["metadata"]["annotations"][RESTART_ANNOTATION]
    assert await bench.make(await bench.preview(action(RESTART)), decision) == first

    assert len(bench.writes()) == 1
    assert template(bench.world)["metadata"]["annotations"][RESTART_ANNOTATION] == restarted


async def test_a_rejection_sends_no_request(bench: Bench) -> None:
    """A no ends the action with its reason."""
    answer = Answer(choice=Choice.REJECT, approver="ada", reason="a test")
    decision = await bench.answer(action(FALLBACK), answer)
    result = await bench.make(await bench.preview(action(FALLBACK)), decision)

    assert result is not None
    assert (result.outcome, result.detail, result.approved_by) == (ActionOutcome.REJECTED, "a test", "ada")
    assert bench.writes() == []


async def test_drift_makes_another_plan(bench: Bench) -> None:
    """An approval of the old diff is no approval of the new one, and does not allow its request either."""
    decision = await bench.approve(action(QUEUE))
    administer(bench.world, env=[{"name": "RATE_LIMIT_MODE", "value": "drop"}])
    plan = await bench.preview(action(QUEUE))

    assert plan.digest != decision.plan_digest
    assert decided(await bench.incident.read(), plan, bench.incident.policy) is None
    with pytest.raises(NotAuthorised):
        await bench.make(plan, decision)
    assert bench.writes() == []


@pytest.mark.real
@pytest.mark.parametrize(
    "change", [item for item in CHANGES if item.name != DELETE], ids=lambda change: change.name
)
async def test_a_workload_that_changes_at_the_last_moment_is_not_touched(
    bench_with_key: Bench, change: KnownChange
) -> None:
    """Somebody changes the workload after the last preview: the change gives up before any request."""
    planned = await change.planned(bench_with_key.world)
    decision = await bench_with_key.approve(planned)
    plan = await bench_with_key.preview(planned)
    administer(bench_with_key.world, env=[{"name": "LOG_LEVEL", "value": "debug"}])

    assert await bench_with_key.make(plan, decision) is None
    assert bench_with_key.writes() == []
    assert change.shows(bench_with_key.world) == change.before
    assert (await bench_with_key.incident.read()).results == {}


async def test_what_somebody_else_made_meanwhile_is_neither_proved_nor_undone(bench: Bench) -> None:
    """The switch was turned on between the preview and the change: it is theirs, whether it helps or not."""
    decision = await bench.approve(action(FALLBACK))
    plan = await bench.preview(action(FALLBACK))
    administer(bench.world, env=[{"name": "POSTHOG_FALLBACK", "value": "true"}])
    bench.signals.mood = "ill"

    result = await bench.make(plan, decision)

    assert result is not None
    words = "somebody else has made it in the meantime"
    assert (result.outcome, result.detail) == (ActionOutcome.ALREADY_IN_PLACE, words)
    assert bench.writes() == []


async def test_what_an_autoscaler_does_voids_no_approval(bench: Bench) -> None:
    """The number of pods is no part of a switch's plan; the compare and set goes on with the new version."""
    decision = await bench.approve(action(FALLBACK))
    plan = await bench.preview(action(FALLBACK))
    respecify(bench.world, replicas=3)

    result = await bench.make(plan, decision)
    assert result is not None
    assert result.outcome is ActionOutcome.RECOVERED
    assert bench.world.imitation.get("Deployment", DEPLOYMENT)["spec"]["replicas"] == 3
    assert (await bench.preview(action(FALLBACK))).digest == decision.plan_digest


@pytest.mark.parametrize(("times", "blocked"), [(1, None), (9, None), (None, "has been modified")])
async def test_a_status_written_during_the_preview_does_not_block_the_change(
    bench: Bench, times: int | None, blocked: str | None
) -> None:
    """The dry run is bound to a version, too: it is made again on the new one, unless that has no end."""
    method, path = PATCHES_WORKLOAD
    stale = "Operation cannot be fulfilled on deployments.apps: the object has been modified"
    fault = Fault(path=path, method=method, times=times, status=409, reason="Conflict", message=stale)
    bench.world.imitation.faults.append(fault)

    plan = await bench.preview(action(FALLBACK))

    assert (plan.blocked is None) == (blocked is None)
    assert (blocked or "") in (plan.blocked or "")
    assert bool(plan.diff) == (blocked is None)


@pytest.mark.real
async def test_a_change_that_is_made_in_part_says_which(bench_with_key: Bench) -> None:
    """The key is replaced, the restart is refused: the next person has to know both."""
    planned = action(REPLACE_API_KEY.name)
    decision = await bench_with_key.approve(planned)
    plan = await bench_with_key.preview(planned)
    method, path = PATCHES_WORKLOAD
    bench_with_key.world.imitation.faults.append(Fault(path=path, method=method, status=422, message="no"))

    result = await bench_with_key.make(plan, decision)

    assert result is not None
    assert result.outcome is ActionOutcome.FAILED
    part = (
        "only a part was applied (replace api-key in Secret posthog-secrets), then: Kubernetes: cannot patch"
    )
    assert result.detail.startswith(part)


async def test_a_roll_back_restores_the_template_of_the_revision_before(bench: Bench) -> None:
    """Field by field, without the ReplicaSet's own label; the effect is noted outside of the template."""
    before = template(bench.world)
    administer(bench.world, image="registry.example/integration:2")
    await bench.world.until("complete")
    decision = await bench.approve(action(ROLL_BACK))
    await bench.make(await bench.preview(action(ROLL_BACK)), decision)

    live = bench.world.imitation.get("Deployment", DEPLOYMENT)
    assert live["spec"]["template"] == before
    assert live["metadata"]["annotations"][EFFECT_ANNOTATION] == f"{bench.incident.id}/1-roll-back"
