"""A roll back goes to a revision that was healthy, and says so where there is none."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from flows.action import ROUNDS
from runbook.actions.catalogue import ActionOutcome, ActionResult, PlannedAction
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.incidents.events import ActionFinished, IncidentEscalated
from runbook.kubernetes.patches import RESTART_ANNOTATION
from tests.blocks.cluster_world import stateful_set
from tests.tasks.changes import DEPLOYMENT
from tests.tasks.mitigation_bench import Bench, mitigation_bench, until

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

GOOD, BAD, WORSE = (f"registry.example/integration:{number}" for number in (1, 2, 3))


@pytest.fixture(params=["Deployment", "StatefulSet"])
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, httpserver: HTTPServer
) -> AsyncIterator[Bench]:
    """A workload of either kind at its first revision, in a cluster where two images crash."""
    manifest = stateful_set() if request.param == "StatefulSet" else None
    async with mitigation_bench(tmp_path, httpserver, manifest=manifest) as running:
        for image in (BAD, WORSE):
            running.world.imitation.image_faults[image] = "CrashLoopBackOff"
        yield running


def kind(bench: Bench) -> str:
    """What the workload is."""
    return bench.world.block.workload_kind


async def roll_out(bench: Bench, *, revision: int, image: str = "", restart: bool = False) -> None:
    """Somebody changes the pod template; returns when the controller has made this revision of it."""
    at = {RESTART_ANNOTATION: datetime(2026, 11, 22, 15, revision, tzinfo=UTC).isoformat()}
    template: dict[str, Any] = {"metadata": {"annotations": at}} if restart else {}
    if image:
        template["spec"] = {"containers": [{"name": "app", "image": image}]}
    bench.world.imitation.apply(
        {"kind": kind(bench), "metadata": {"name": DEPLOYMENT}, "spec": {"template": template}}
    )

    await until(lambda: newest(bench) == revision, f"revision {revision}")
    await until(lambda: "CrashLoopBackOff" in waiting(bench), "its pod crashes")
    await bench.quiet()


def newest(bench: Bench) -> int:
    """The number of the newest revision that the controller has made."""
    if kind(bench) == "Deployment":
        notes = bench.world.imitation.get("Deployment", DEPLOYMENT)["metadata"]["annotations"]
        return int(notes["deployment.kubernetes.io/revision"])
    return max(int(item["revision"]) for item in bench.world.imitation.objects("ControllerRevision"))


def waiting(bench: Bench) -> set[str]:
    """Why containers wait."""
    return {
        (container["state"].get("waiting") or {}).get("reason", "")
        for pod in bench.world.imitation.objects("Pod")
        for container in pod["status"].get("containerStatuses", ())
    }


def image(bench: Bench) -> str:
    """What the workload's template asks for."""
    spec = bench.world.imitation.get(kind(bench), DEPLOYMENT)["spec"]["template"]["spec"]
    return str(spec["containers"][0]["image"])


def roll_back(bench: Bench, suspect: int) -> PlannedAction:
    """The action, planned for the suspect."""
    return PlannedAction(
        id="2-roll-back",
        name=ROLL_BACK.name,
        target=bench.world.block.target,
        because="a test",
        parameters={"from_revision": str(suspect)},
    )


async def test_a_restart_of_a_bad_revision_is_not_rolled_back_to_it(bench: Bench) -> None:
    """The revision before differs in its restart alone: the one that still serves is put back."""
    await roll_out(bench, revision=2, image=BAD)
    await roll_out(bench, revision=3, restart=True)
    plan = await bench.preview(roll_back(bench, 3))

    assert f"-        image: {BAD}" in plan.diff
    assert f"+        image: {GOOD}" in plan.diff
    assert "to the pod template of revision 1" in plan.affects
    assert any(line.startswith("revision 1: ") and "ready now" in line for line in plan.affects)
    assert "not revision 2: it is the same in what fails" in plan.affects


async def test_of_two_bad_deploys_neither_is_rolled_back_to(bench: Bench) -> None:
    """The revision before is another one, and its rollout never finished."""
    await roll_out(bench, revision=2, image=BAD)
    await roll_out(bench, revision=3, image=WORSE)
    plan = await bench.preview(roll_back(bench, 3))

    assert GOOD in plan.diff
    assert "to the pod template of revision 1" in plan.affects


async def test_where_no_revision_was_healthy_the_roll_back_is_not_possible(bench: Bench) -> None:
    """Only restarts of what fails are there: nobody is asked, and the reason names each."""
    bench.world.imitation.image_faults[GOOD] = "CrashLoopBackOff"
    for pod in bench.world.pod_names():
        bench.world.imitation.terminate(pod, reason="Error", exit_code=1)
    await roll_out(bench, revision=2, restart=True)
    plan = await bench.preview(roll_back(bench, 2))

    assert plan.blocked == (
        "no earlier revision is known to differ in what fails (revision 1: it is the same in what fails)"
    )


async def test_after_somebodys_fix_nothing_is_rolled_back(bench: Bench) -> None:
    """The newest revision is not the suspect any more: nobody is asked, nobody is called."""
    await roll_out(bench, revision=2, image=BAD)
    suspected = roll_back(bench, 2)
    asked = await bench.preview(suspected)
    assert asked.blocked is None
    fix = "registry.example/integration:4"
    bench.world.imitation.apply(
        {
            "kind": kind(bench),
            "metadata": {"name": DEPLOYMENT},
            "spec": {"template": {"spec": {"containers": [{"name": "app", "image": fix}]}}},
        }
    )
    await until(lambda: newest(bench) == 3, "revision 3")

    result = await bench.take(suspected)
    assert (result.outcome, result.outdated) == (ActionOutcome.BLOCKED, True)
    assert result.detail == (
        "somebody has rolled out revision 3 since triage saw revision 2 fail: the runbook decides again"
    )
    assert bench.writes() == []
    assert await bench.escalations() == []
    assert (await bench.incident.read()).round == 2


async def test_a_fix_after_the_yes_keeps_the_roll_back_from_being_made(bench: Bench) -> None:
    """The yes was for the suspect; the open question is taken back where nobody has answered."""
    await roll_out(bench, revision=2, image=BAD)
    suspected = roll_back(bench, 2)
    await bench.approve(suspected)
    await roll_out(bench, revision=3, image=WORSE)

    result = await bench.take(suspected)
    assert (result.outcome, result.outdated) == (ActionOutcome.BLOCKED, True)
    assert bench.writes() == []


@pytest.mark.parametrize("bench", ["Deployment"], indirect=True)
async def test_a_roll_back_that_does_not_help_stays(bench: Bench) -> None:
    """The revision that it replaced crashed: putting that one back cures nothing. A person is called."""
    await roll_out(bench, revision=2, image=BAD)
    bench.signals.mood = "ill"
    back = roll_back(bench, 2)
    await bench.approve(back)
    result = await bench.take(back)

    assert result.outcome is ActionOutcome.NOT_RECOVERED
    assert image(bench) == GOOD
    assert len(bench.writes()) == 1
    (called,) = (await bench.incident.read()).events(IncidentEscalated)
    stays = "Not undone: revision 3 stays: it replaced a failed revision, and is not worse"
    assert stays in called.because
    assert any("--to-revision=2" in command for command in called.commands)
    assert await bench.take(back) == result
    assert len(await bench.escalations()) == 1


@pytest.mark.parametrize("bench", ["Deployment"], indirect=True)
async def test_a_roll_back_that_makes_it_worse_is_undone(bench: Bench) -> None:
    """The earlier revision does not start any more either, and takes the last serving pod with it."""
    bench.world.imitation.apply(
        {
            "kind": "Deployment",
            "metadata": {"name": DEPLOYMENT},
            "spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}},
        }
    )
    await bench.quiet()
    good_later = "registry.example/integration:4"
    bench.world.imitation.apply(
        {
            "kind": "Deployment",
            "metadata": {"name": DEPLOYMENT},
            "spec": {"template": {"spec": {"containers": [{"name": "app", "image": good_later}]}}},
        }
    )
    await until(lambda: newest(bench) == 2, "revision 2")
    await bench.quiet()
    bench.world.imitation.image_faults[GOOD] = "CrashLoopBackOff"
    back = roll_back(bench, 2)
    await bench.approve(back)
    result = await bench.take(back)

    assert result.outcome is ActionOutcome.NOT_RECOVERED
    assert image(bench) == good_later
    (called,) = (await bench.incident.read()).events(IncidentEscalated)
    assert "Undone: everything that the change had set has its previous value" in called.because


async def test_who_keeps_deploying_is_left_to_people(bench: Bench) -> None:
    """After some rounds the roll back is not possible, and a person is called."""
    for number in range(1, ROUNDS):
        earlier = roll_back(bench, 1).model_copy(update={"id": f"{number}-of-another-round"})
        result = ActionResult(action=earlier, outcome=ActionOutcome.BLOCKED, detail="a test", outdated=True)
        await bench.incident.record(ActionFinished(result=result))

    result = await bench.take(roll_back(bench, 7))
    assert (result.outcome, result.outdated) == (ActionOutcome.BLOCKED, False)
    (called,) = await bench.escalations()
    assert "somebody has rolled out revision 1 since triage saw revision 7 fail" in called
