"""Every change of the catalogue in every kind of trouble: what the cluster has in the end, and who is told.

`pytest -s -m ""` prints the table of all outcomes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from deployments.drill.cluster.faults import Fault
from flows.action import NEW_PLANS
from runbook.actions.by_hand import undo_commands
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import ApprovalRequested, IncidentEscalated, PlanDrifted
from tests.fixtures.eventually import eventually
from tests.tasks.changes import CHANGES, DELETE_POD, REPLACE_API_KEY, SECOND_REQUEST, KnownChange, template
from tests.tasks.mitigation_bench import stop_controllers
from tests.tasks.troubles_bench import (
    ALL,
    BY_HAND,
    PATIENCE_SECONDS,
    SET_FIELDS,
    TAKEN_BACK,
    benched,
    disturb,
    drift,
    each,
    ended_or_asked,
    no_success,
    without_restarts,
)

pytestmark = [
    pytest.mark.proof,
    pytest.mark.real,
    pytest.mark.usefixtures("engineless", "report"),
]

BLOCKED, FAILED, RECOVERED = ActionOutcome.BLOCKED, ActionOutcome.FAILED, ActionOutcome.RECOVERED
NO_RIGHT = 'deployments.apps "posthog-integration" is forbidden: User "runbook" cannot patch resource'
FROZEN = 'admission webhook "freeze.example.com" denied the request: no change on Fridays'
STALE = "the object has been modified; please apply your changes to the latest version and try again"
FORBIDDEN: dict[str, Any] = {"status": 403, "reason": "Forbidden", "message": NO_RIGHT}
NO_RIGHTS = {**FORBIDDEN, "times": None}
CONFLICT: dict[str, Any] = {"status": 409, "reason": "Conflict", "message": STALE}

Row = dict[str, str]


@pytest.fixture(scope="module")
def report() -> Iterator[dict[str, Row]]:
    """The outcomes by change and trouble, printed when all are known."""
    table: dict[str, Row] = {}
    yield table
    columns = dict.fromkeys(trouble for row in table.values() for trouble in row)
    print("\n\n" + " | ".join(["change", *columns]))
    for name, row in table.items():
        print(" | ".join([name, *(row.get(trouble, "–") for trouble in columns)]))


@dataclass(frozen=True)
class Trouble:
    """What the disturbed request meets from the write on, and how the action has to end.

    `made` is whether the object is changed in the end, `sent` how often the request is sent. `in_part` is
    how it ends where another request has been made before.
    """

    name: str
    fault: dict[str, Any] | None
    outcome: ActionOutcome
    made: bool
    said: str = ""
    sent: int | None = 1
    in_part: ActionOutcome | None = None

    def ends(self, change: KnownChange) -> ActionOutcome:
        """How the change ends."""
        return self.in_part if self.in_part and change is SECOND_REQUEST else self.outcome


TROUBLES = (
    Trouble("none", None, RECOVERED, made=True),
    Trouble("403 once", FORBIDDEN, RECOVERED, made=True, sent=2),
    Trouble("403", NO_RIGHTS, FAILED, made=False, said="the runbook's Role lacks", sent=4),
    Trouble("webhook", {**FORBIDDEN, "message": FROZEN}, FAILED, made=False, said="no change on Fridays"),
    Trouble("409 once", CONFLICT, RECOVERED, made=True, sent=2),
    Trouble(
        "409 always",
        {**CONFLICT, "times": None},
        BLOCKED,
        made=False,
        sent=None,
        in_part=FAILED,
    ),
    Trouble("503 once", {"status": 503, "message": "try later"}, RECOVERED, made=True, sent=2),
    Trouble("answer lost", {"close": "after_effect"}, RECOVERED, made=True),
    Trouble("answer late", {"delay_after": 3 * PATIENCE_SECONDS}, RECOVERED, made=True),
)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
@pytest.mark.parametrize("change", each([*CHANGES, SECOND_REQUEST], twins=SET_FIELDS))
async def test_a_disturbed_request_is_made_once_or_not_at_all(
    tmp_path: Path,
    httpserver: HTTPServer,
    report: dict[str, Row],
    change: KnownChange,
    trouble: Trouble,
) -> None:
    """What landed is found by reading it back; what did not is a failure that a person is told."""
    async with benched(tmp_path, httpserver, change) as (bench, action):
        disturb(bench, change, trouble.fault)
        result = await bench.take(action)
        bench.world.imitation.close_streams()

        assert result.outcome is trouble.ends(change), result.detail
        assert trouble.said in result.detail
        assert change.shows(bench.world) == (change.after if trouble.made else change.before)
        assert trouble.sent in (None, len(bench.writes(*change.request)))
        settled = EffectOutcome.APPLIED if trouble.made else EffectOutcome.FAILED
        assert (await bench.effects(action))[change.disturbed_step] is settled
        assert (await bench.incident.read()).results == {action.id: result}
        told = f"{action.spec.title}: {result.outcome.value}. {result.detail}"
        assert await bench.escalations() == ([] if trouble.made else [told])
        name = change.name if change is not SECOND_REQUEST else "replace_api_key's restart"
        report.setdefault(name, {})[trouble.name] = result.outcome.value


@pytest.mark.parametrize("change", each([CHANGES[0], REPLACE_API_KEY, DELETE_POD]))
async def test_a_target_that_does_not_stop_changing_is_given_up(
    tmp_path: Path, httpserver: HTTPServer, change: KnownChange
) -> None:
    """Every write meets a conflict and no preview does: the same plan is tried again, then given up."""
    async with benched(tmp_path, httpserver, change) as (bench, action):
        method, path = change.request
        for _ in range(NEW_PLANS):
            previewed, refused = Fault(path, method), Fault(path, method, change.attempts, **CONFLICT)
            bench.world.imitation.faults.extend((previewed, refused))
        result = await bench.take(action)

        assert (result.outcome, result.detail) == (FAILED, "the target keeps changing")
        assert change.shows(bench.world) == change.before
        assert len(bench.writes(*change.request)) == NEW_PLANS * change.attempts
        assert (await bench.incident.read()).events(PlanDrifted) == []


@ALL
async def test_a_target_that_drifts_after_the_yes_is_asked_about_anew(
    tmp_path: Path, httpserver: HTTPServer, report: dict[str, Row], change: KnownChange
) -> None:
    """The approval was for another plan: it is void, nothing is sent, and people see what has changed."""
    async with benched(tmp_path, httpserver, change) as (bench, action):
        why = drift(bench, change, action)
        if change.name == RESTART_DEPLOYMENT.name:  # it waits for a rollout first
            workload = bench.incident.environment.cluster.workload
            await eventually(workload.rollout_under_way, lambda found: found is None)
        ended = await ended_or_asked(bench, action)

        assert bench.writes() == []
        assert await bench.effects(action) == {}
        incident = await bench.incident.read()
        (drifted,) = incident.events(PlanDrifted)
        assert drifted.voided == ("ada",)
        assert [line for line in drifted.because if why in line], drifted.because
        asked = [event.plan_digest for event in incident.events(ApprovalRequested)]
        if change is DELETE_POD:
            assert ended is not None
            assert ended.outcome is ActionOutcome.BLOCKED
        else:
            assert ended is None
            assert asked == [drifted.old_digest, drifted.new_digest]
        report.setdefault(change.name, {})["drift"] = ended.outcome.value if ended else "asked anew"


@ALL
async def test_a_change_that_does_not_help_is_undone(
    tmp_path: Path, httpserver: HTTPServer, report: dict[str, Row], change: KnownChange
) -> None:
    """What it had set is what it was; what cannot be undone stays, as does a roll back. A person is told."""
    async with benched(tmp_path, httpserver, change) as (bench, action):
        before = template(bench.world)
        await no_success(bench)
        result = await bench.take(action)

        assert result.outcome is ActionOutcome.NOT_RECOVERED
        (told,) = await bench.escalations()
        results = (await bench.incident.read()).results
        if change.taken_back:
            assert change.shows(bench.world) == change.before
            assert without_restarts(template(bench.world)) == without_restarts(before)
            assert results[f"{action.id}-undo"].outcome is ActionOutcome.DONE
            assert results[f"{action.id}-undo"].approved_by == "ada"
            assert "Undone: everything that the change had set has its previous value" in told
        else:
            assert change.shows(bench.world) == change.after
            assert (f"{action.id}-undo" in results) == change.reversible
            assert ("Not undone: revision 3 stays" in told) == change.reversible
        made = len(change.steps) * (2 if change.taken_back else 1)
        assert [request.status for request in bench.writes()] == [200] * made
        stays = "(stays)" if change.reversible else "(nothing to undo)"
        undone = "→ undone" if change.taken_back else stays
        report.setdefault(change.name, {})["does not help"] = f"{result.outcome.value} {undone}"


@ALL
async def test_a_rollout_that_fails_is_undone(
    tmp_path: Path, httpserver: HTTPServer, report: dict[str, Row], change: KnownChange
) -> None:
    """The new pods do not start, whatever the error rate says: it is undone, as many pods serve as before."""
    async with benched(tmp_path, httpserver, change) as (bench, action):
        for image in ("registry.example/integration:1", "registry.example/integration:2"):
            bench.world.imitation.image_faults[image] = "ImagePullBackOff"
        result = await bench.take(action)

        assert result.outcome is ActionOutcome.NOT_RECOVERED
        assert "the rollout failed: ImagePullBackOff" in result.detail
        assert change.shows(bench.world) == (change.before if change.taken_back else change.after)
        undo = (await bench.incident.read()).results.get(f"{action.id}-undo")
        (told,) = await bench.escalations()
        if undo is None:
            assert not change.reversible
            how = "(nothing to undo)"
        elif not change.taken_back:
            assert f"Not undone: {undo.detail}" in told
            how = "(stays)"
        else:
            assert undo.outcome is ActionOutcome.DONE
            assert f"Undone: {undo.detail}" in told
            how = "→ undone"
        report.setdefault(change.name, {})["rollout fails"] = f"{result.outcome.value} {how}"


async def test_a_rollout_that_never_finishes_is_given_up_at_its_deadline(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """Nobody in the cluster acts upon the change, nor its undo: the field is back, and all pods serve."""
    async with benched(tmp_path, httpserver, CHANGES[0], rollout_deadline_seconds=0.5) as (bench, action):
        await stop_controllers()
        result = await bench.take(action)

        late = "the rollout did not finish in time: "
        assert (result.outcome, result.detail[: len(late)]) == (ActionOutcome.NOT_RECOVERED, late)
        assert CHANGES[0].shows(bench.world) == CHANGES[0].before
        (told,) = await bench.escalations()
        undone = "Undone: everything that the change had set has its previous value, and it is not worse than"
        assert f"{undone} before (2 pods available, 2 before the change), but {late}" in told
        assert len(bench.writes()) == 2


@TAKEN_BACK
async def test_an_undo_that_is_refused_calls_a_person_with_the_commands(
    tmp_path: Path, httpserver: HTTPServer, report: dict[str, Row], change: KnownChange
) -> None:
    """The change is still there, and the message has what to type."""
    async with benched(tmp_path, httpserver, change) as (bench, action):
        disturb(bench, change, NO_RIGHTS, after=3)  # a dry run, the change, the dry run of the undo
        await no_success(bench)
        result = await bench.take(action)

        assert result.outcome is ActionOutcome.NOT_RECOVERED
        assert change.shows(bench.world) == change.after
        undo = (await bench.incident.read()).results[f"{action.id}-undo"]
        assert undo.outcome is ActionOutcome.FAILED
        (told,) = await bench.escalations()
        assert f"NOT UNDONE (failed: {undo.detail})" in told
        journal = await bench.incident.read()
        (called,) = journal.events(IncidentEscalated)
        assert called.about == action.id
        assert called.commands == undo_commands(journal.previews[action.id], BY_HAND)
        report.setdefault(change.name, {})["undo refused"] = "not_recovered, commands"


@ALL
async def test_a_success_that_nobody_can_see_is_unknown(
    tmp_path: Path, httpserver: HTTPServer, report: dict[str, Row], change: KnownChange
) -> None:
    """No data is no recovery, and no failure either: the change stays, and a person is called."""
    async with benched(tmp_path, httpserver, change) as (bench, action):
        bench.signals.mood = "silent"
        bench.world.imitation.faults.append(Fault(path="/events$", status=503, times=None))
        result = await bench.take(action)

        assert result.outcome is ActionOutcome.UNKNOWN
        assert change.shows(bench.world) == change.after
        assert list((await bench.incident.read()).results) == [action.id]
        assert await bench.escalations() == [f"{action.spec.title}: unknown. {result.detail}"]
        assert len(bench.writes()) == len(change.steps)
        report.setdefault(change.name, {})["no data"] = result.outcome.value
