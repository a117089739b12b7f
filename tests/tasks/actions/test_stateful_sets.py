"""Changes of a StatefulSet: a good template stays while it waits for a broken pod, which may be deleted."""

from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.delete_pod import DELETE_POD
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.approvals.gates import Answer, Choice
from runbook.incidents.events import IncidentEscalated
from runbook.kubernetes.held_rollout import CONTINUES, SOMEBODYS, deletion_for
from tests.blocks.cluster_world import LABELS
from tests.tasks.mitigation_bench import until
from tests.tasks.stateful_set_bench import (
    GOOD,
    LAST,
    NAME,
    a_bad_image,
    app,
    asked_about,
    bench_of,
    planned,
    specify,
    stuck,
    take,
    uid_of,
)

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]


async def test_a_pod_that_triage_did_not_see_is_not_deleted_for_its_name(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The stuck pod was deleted by somebody; the one that has its name now is only starting."""
    async with bench_of(tmp_path, httpserver) as bench:
        bench.world.imitation.set_ready(LAST, False)
        seen = await bench.world.block.read_workload()
        uid = next(item.uid for item in seen.pods if item.name == LAST)
        deletion = planned(DELETE_POD.name, bench.world, pod=LAST, uid=uid)
        assert (await bench.preview(deletion)).in_place is None
        await bench.approve(deletion)
        await bench.world.block.changes.delete_pod(LAST, uid=uid)
        await until(lambda: uid_of(bench.world, LAST) not in ("", uid), "another pod of that name")
        bench.world.imitation.set_ready(LAST, False)
        by_somebody = len(bench.writes())

        result = await bench.take(deletion)
        assert result.outcome is ActionOutcome.ALREADY_IN_PLACE
        assert result.detail == f"the pod {LAST} that triage saw is gone, and another one has its name"
        assert len(bench.writes()) == by_somebody


async def test_a_roll_back_keeps_the_good_template_and_asks_to_delete_the_broken_pod(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The pod is deleted after its own yes, made anew of the good template, and the roll back is proved."""
    async with bench_of(tmp_path, httpserver) as bench:
        await a_bad_image(bench)
        roll_back = planned(ROLL_BACK.name, bench.world, from_revision="2")
        await bench.approve(roll_back)
        assert await take(bench, roll_back) is None

        held = (await bench.incident.read()).results[roll_back.id]
        assert (held.outcome, held.waits_for) == (ActionOutcome.DONE, LAST)
        assert app(bench.world)["image"] == GOOD
        assert await asked_about(bench) == f"{roll_back.id}-delete-pod-1"
        assert bench.writes("DELETE") == []

        await bench.approve(deletion_for(held, LAST, 1))
        result = await take(bench, roll_back)
        assert result is not None
        assert (result.outcome, result.action.name) == (ActionOutcome.RECOVERED, DELETE_POD.name)
        assert {pod.name: pod.ready for pod in bench.world.imitation.pods(LABELS)} == {
            f"{NAME}-{number}": True for number in range(3)
        }
        assert app(bench.world)["image"] == GOOD
        assert [request.method for request in bench.writes()] == ["PATCH", "DELETE"]
        assert await bench.escalations() == []


async def test_a_memory_limit_stays_while_every_broken_pod_is_asked_about(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The controller goes from the lowest pod up, so each is asked about when it is in the way."""
    async with bench_of(tmp_path, httpserver, spec={"replicas": 2}) as bench:
        bench.world.imitation.image_faults[GOOD] = "CrashLoopBackOff"
        for pod in bench.world.pod_names():
            bench.world.imitation.set_ready(pod, False)
            bench.world.imitation.terminate(pod, reason="OOMKilled", exit_code=137)
        await stuck(bench.world, f"{NAME}-0", f"{NAME}-1")
        memory = planned(RAISE_MEMORY_LIMIT.name, bench.world, memory="512Mi")
        await bench.approve(memory)
        assert await take(bench, memory) is None
        bench.world.imitation.image_faults.clear()  # what crashed for its limit starts with the new one

        for number in (1, 2):
            journal = await bench.incident.read()
            held = list(journal.results.values())[-1]
            assert held.waits_for == f"{NAME}-{number - 1}", held
            first = journal.results[memory.id]
            await bench.approve(deletion_for(first, held.waits_for, number))
            await take(bench, memory)
        ends = [(item.action.name, item.outcome) for item in (await bench.incident.read()).results.values()]
        assert ends == [
            (RAISE_MEMORY_LIMIT.name, ActionOutcome.DONE),
            (DELETE_POD.name, ActionOutcome.DONE),
            (DELETE_POD.name, ActionOutcome.RECOVERED),
        ]
        assert app(bench.world)["resources"]["limits"]["memory"] == "512Mi"


async def test_a_deletion_that_is_rejected_leaves_the_good_template(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """Nothing is undone for it."""
    async with bench_of(tmp_path, httpserver) as bench:
        await a_bad_image(bench)
        roll_back = planned(ROLL_BACK.name, bench.world, from_revision="2")
        await bench.approve(roll_back)
        assert await take(bench, roll_back) is None
        held = (await bench.incident.read()).results[roll_back.id]
        await bench.answer(deletion_for(held, LAST, 1), Answer(choice=Choice.REJECT, approver="ada"))

        result = await take(bench, roll_back)
        assert result is not None
        assert result.outcome is ActionOutcome.REJECTED
        assert app(bench.world)["image"] == GOOD
        assert len(bench.writes()) == 1


async def test_a_pod_that_somebody_has_deleted_meanwhile_is_not_deleted_again(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The new pod of the same name is of the good template: the yes was not for it."""
    async with bench_of(tmp_path, httpserver) as bench:
        await a_bad_image(bench)
        roll_back = planned(ROLL_BACK.name, bench.world, from_revision="2")
        await bench.approve(roll_back)
        assert await take(bench, roll_back) is None
        held = (await bench.incident.read()).results[roll_back.id]
        await bench.approve(deletion_for(held, LAST, 1))
        await bench.world.block.changes.delete_pod(
            LAST, uid=bench.world.imitation.get("Pod", LAST)["metadata"]["uid"]
        )
        await bench.world.until("complete")
        before = len(bench.writes("DELETE"))

        result = await take(bench, roll_back)
        assert result is not None
        assert result.outcome is ActionOutcome.ALREADY_IN_PLACE
        assert len(bench.writes("DELETE")) == before


async def test_where_people_only_may_delete_the_pod_they_get_the_commands(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The limit of changes is reached: the template stays, and the page has what to type."""
    async with bench_of(tmp_path, httpserver, changes_per_incident=1) as bench:
        await a_bad_image(bench)
        roll_back = planned(ROLL_BACK.name, bench.world, from_revision="2")
        await bench.approve(roll_back)
        result = await take(bench, roll_back)

        assert result is not None
        assert result.outcome is ActionOutcome.BLOCKED
        assert app(bench.world)["image"] == GOOD
        (called,) = (await bench.incident.read()).events(IncidentEscalated)
        assert called.because.startswith("Delete one stuck pod: blocked. people only: ")
        assert f"it is in place, and its rollout waits until pod {LAST} is deleted" in called.because
        assert called.commands == (
            f"kubectl -n default delete pod {LAST}",
            f"kubectl -n default rollout status statefulset/{NAME}",
        )


async def test_an_undo_whose_rollout_waits_is_undone_and_asks_to_delete_the_pod(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The change's own pod is broken: its template is taken back, and the pod that holds it up is named."""
    async with bench_of(tmp_path, httpserver) as bench:
        memory = planned(RAISE_MEMORY_LIMIT.name, bench.world, memory="512Mi")
        await bench.approve(memory)
        bench.world.imitation.image_faults[GOOD] = "CrashLoopBackOff"
        assert await take(bench, memory) is None

        results = (await bench.incident.read()).results
        undone = results[f"{memory.id}-undo"]
        assert results[memory.id].outcome is ActionOutcome.NOT_RECOVERED
        assert (undone.outcome, undone.waits_for) == (ActionOutcome.DONE, LAST)
        assert app(bench.world)["resources"]["limits"]["memory"] == "256Mi"
        bench.world.imitation.image_faults.clear()
        await bench.approve(deletion_for(undone, LAST, 1))
        result = await take(bench, memory)

        assert result is not None
        assert result.outcome is ActionOutcome.NOT_RECOVERED
        (told,) = await bench.escalations()
        assert "Undone: it is in place" in told
        assert "NOT UNDONE" not in told
        assert (await bench.world.block.workload.rollout_status()).state == "complete"


async def test_a_fix_that_somebody_has_rolled_out_goes_on_after_the_pod_is_deleted(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The pod that triage names is deleted while the rollout waits for it, and its successor never."""
    async with bench_of(tmp_path, httpserver) as bench:
        await a_bad_image(bench)
        specify(bench.world, image="registry.example/integration:3")
        await until(lambda: app(bench.world)["image"].endswith(":3"), "the fix is there")
        await bench.quiet()
        parameters = {"pod": LAST, CONTINUES: SOMEBODYS}
        deletion = planned(DELETE_POD.name, bench.world, **parameters)
        await bench.approve(deletion)
        result = await take(bench, deletion)
        assert result is not None
        assert result.outcome is ActionOutcome.RECOVERED, result.detail

        bench.world.imitation.set_ready(LAST, False)
        again = deletion.model_copy(update={"id": "2-delete-pod"})
        assert (await bench.preview(again)).in_place == f"the rollout no longer waits for pod {LAST}"
