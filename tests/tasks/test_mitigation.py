"""Changes at the wire: a preview changes nothing, a change happens once, and what cannot be made says why."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from runbook.actions import ActionName, ActionOutcome, PlannedAction
from runbook.events import ApprovalAnswered
from runbook.gates import Answer, Choice
from runbook.patches import EFFECT_ANNOTATION, RESTART_ANNOTATION
from tasks.incident import OpenIncident
from tasks.mitigate import make_change, preview_change
from tests.blocks.cluster_world import LABELS, ClusterWorld, cluster_world
from tests.tasks.environments import open_incident

FALLBACK, QUEUE = ActionName.ENABLE_FALLBACK, ActionName.ENABLE_REQUEST_QUEUE
RESTART, ROLL_BACK = ActionName.RESTART_DEPLOYMENT, ActionName.ROLL_BACK


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """A cluster with the integration in it."""
    async with cluster_world() as running:
        yield running


@pytest.fixture
async def incident(tmp_path: Path, world: ClusterWorld) -> OpenIncident:
    """An incident whose environment has that cluster, and nothing else that answers."""
    opened = await open_incident(
        tmp_path,
        success_deadline_seconds=0.1,
        watch_poll_seconds=0.05,
        check_deadline_seconds=0.5,
        rollout_deadline_seconds=20,
    )
    environment = dataclasses.replace(opened.environment, cluster=world.block_with(container="app"))
    return OpenIncident(id=opened.id, environment=environment)


def action(name: ActionName) -> PlannedAction:
    """The action, planned."""
    return PlannedAction(id=f"1-{name.replace('_', '-')}", name=name, target="deployment", because="a test")


async def answered(incident: OpenIncident, name: ActionName, choice: Choice) -> ApprovalAnswered:
    """Someone's answer to the preview of the action, in the journal."""
    plan = await preview_change.fn(incident, action(name))
    answer = Answer(choice=choice, approver="ada", reason="a test")
    event = ApprovalAnswered(gate="gate-1", action_id=plan.action.id, plan_digest=plan.digest, answer=answer)
    await incident.record(event)
    return event


def template(world: ClusterWorld) -> dict[str, Any]:
    """The live pod template."""
    spec: dict[str, Any] = world.imitation.get("Deployment", "posthog-integration")["spec"]["template"]
    return spec


async def set_container(world: ClusterWorld, **fields: Any) -> None:
    """Someone else changes the integration's container."""
    containers = [{"name": "app", **fields}]
    await world.block.patch_deployment({"spec": {"template": {"spec": {"containers": containers}}}})


def patches(world: ClusterWorld) -> list[str]:
    """The writes that were meant, dry runs left out."""
    return [
        request.path
        for request in world.imitation.requests
        if request.method in ("PATCH", "PUT", "POST", "DELETE")
        and "dryRun" not in str(request.query)
        and request.user == "system:serviceaccount:default:runbook"
    ]


@pytest.mark.parametrize("name", [FALLBACK, QUEUE, RESTART])
async def test_a_preview_shows_the_diff_and_changes_nothing(
    world: ClusterWorld, incident: OpenIncident, name: ActionName
) -> None:
    """The dry run is made by the server; the live object stays as it is; a repeat gives the same plan."""
    before = template(world)
    plan = await preview_change.fn(incident, action(name))
    again = await preview_change.fn(incident, action(name))

    assert plan.diff
    assert not plan.blocked
    assert again.digest == plan.digest
    assert (template(world), patches(world)) == (before, [])


async def test_a_switch_is_set_in_its_container_alone(world: ClusterWorld, incident: OpenIncident) -> None:
    """The variable changes, other variables and containers stay, and the pods get it."""
    decided = await answered(incident, FALLBACK, Choice.APPROVE)
    plan = await preview_change.fn(incident, action(FALLBACK))
    result = await make_change.fn(incident, plan, decided)

    app, proxy = template(world)["spec"]["containers"]
    assert {"name": "POSTHOG_FALLBACK", "value": "true"} in app["env"]
    assert len(app["env"]) == 3
    assert "env" not in proxy
    assert {pod.env["POSTHOG_FALLBACK"] for pod in world.imitation.pods(LABELS)} == {"true"}
    assert result.outcome is ActionOutcome.UNKNOWN, "no metrics can be read here, so nobody can say it helped"


async def test_a_change_that_was_made_is_not_made_again(world: ClusterWorld, incident: OpenIncident) -> None:
    """A second run of the same action finds its effect in the journal."""
    decided = await answered(incident, RESTART, Choice.APPROVE)
    plan = await preview_change.fn(incident, action(RESTART))
    await make_change.fn(incident, plan, decided)
    first = template(world)["metadata"]["annotations"][RESTART_ANNOTATION]
    await make_change.fn(incident, await preview_change.fn(incident, action(RESTART)), decided)

    assert len(patches(world)) == 1
    assert template(world)["metadata"]["annotations"][RESTART_ANNOTATION] == first


async def test_a_rejection_sends_no_request(world: ClusterWorld, incident: OpenIncident) -> None:
    """A no ends the action with its reason."""
    decided = await answered(incident, FALLBACK, Choice.REJECT)
    plan = await preview_change.fn(incident, action(FALLBACK))
    result = await make_change.fn(incident, plan, decided)

    assert (result.outcome, result.detail, result.approved_by) == (ActionOutcome.REJECTED, "a test", "ada")
    assert patches(world) == []


async def test_drift_makes_another_plan(world: ClusterWorld, incident: OpenIncident) -> None:
    """An approval of the old diff is no approval of the new one."""
    decided = await answered(incident, QUEUE, Choice.APPROVE)
    await set_container(world, env=[{"name": "RATE_LIMIT_MODE", "value": "drop"}])
    plan = await preview_change.fn(incident, action(QUEUE))

    assert plan.digest != decided.plan_digest
    assert (await incident.read()).decided(plan.action.id, plan.digest) is None


async def test_a_switch_that_is_on_needs_no_change(world: ClusterWorld, incident: OpenIncident) -> None:
    """The plan says that it is in place."""
    await set_container(world, env=[{"name": "RATE_LIMIT_MODE", "value": "queue"}])
    plan = await preview_change.fn(incident, action(QUEUE))
    assert plan.in_place == "RATE_LIMIT_MODE=queue"


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        (RESTART, {"paused": True}, "paused"),
        (RESTART, {"replicas": 0}, "scaled to zero"),
        (ROLL_BACK, {"paused": True}, "paused"),
        (ROLL_BACK, {}, "no earlier revision"),
    ],
)
async def test_what_cannot_be_made_is_blocked_with_the_reason(
    world: ClusterWorld, incident: OpenIncident, name: ActionName, change: dict[str, Any], why: str
) -> None:
    """A precondition that does not hold is found before anyone is asked."""
    if change:
        await world.block.patch_deployment({"spec": change})
    plan = await preview_change.fn(incident, action(name))
    assert plan.blocked
    assert why in plan.blocked


async def test_a_variable_from_a_reference_is_not_overwritten(
    world: ClusterWorld, incident: OpenIncident
) -> None:
    """A switch that someone set with valueFrom is theirs."""
    reference = {"secretKeyRef": {"name": "posthog-secrets", "key": "api-key"}}
    await set_container(world, env=[{"name": "RATE_LIMIT_MODE", "valueFrom": reference}])
    plan = await preview_change.fn(incident, action(QUEUE))
    assert plan.blocked
    assert "valueFrom" in plan.blocked


async def test_a_roll_back_restores_the_template_of_the_revision_before(
    world: ClusterWorld, incident: OpenIncident
) -> None:
    """Field by field, without the ReplicaSet's own label; the effect is noted outside of the template."""
    before = template(world)
    await set_container(world, image="registry.example/integration:2")
    await world.until("complete")
    decided = await answered(incident, ROLL_BACK, Choice.APPROVE)
    plan = await preview_change.fn(incident, action(ROLL_BACK))
    await make_change.fn(incident, plan, decided)

    live = world.imitation.get("Deployment", "posthog-integration")
    assert live["spec"]["template"] == before
    assert live["metadata"]["annotations"][EFFECT_ANNOTATION] == f"{incident.id}/1-roll-back"
