"""A change that was approved survives an API server that is away, busy, or has just started."""

import asyncio
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from deployments.drill.cluster import Fault
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.outages import open_outage
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import (
    AlertsResolved,
    ApprovalAnswered,
    ApprovalExpired,
    ApprovalRequested,
    DecisionMade,
    OutageEnded,
    OutageNoted,
    PlanDrifted,
)
from tasks.actions.outage import NoLongerNeeded
from tests.blocks.cluster_world import RULES
from tests.runbook.journals import decision
from tests.tasks.changes import administer
from tests.tasks.mitigation_bench import in_time, mitigation_bench
from tests.tasks.outage_bench import (
    FALLBACK,
    approved,
    come_back,
    go_away,
    patched,
    waiting,
    with_channel,
    without_pods,
)
from tests.tasks.troubles_bench import ended_or_asked

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]


async def test_rights_that_a_server_denies_while_it_starts_do_not_end_a_proof(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The server starts anew after the change, and takes longer than a request may: the rollout is seen."""
    async with approved(tmp_path, httpserver) as (bench, action):
        taking = asyncio.create_task(bench.take(action))
        await patched(bench)
        bench.world.imitation.load_rules(after_seconds=2)
        result = await taking

        assert result.outcome is ActionOutcome.RECOVERED, result.detail
        assert await bench.escalations() == []


async def test_a_right_that_is_gone_for_good_ends_a_proof_as_unknown(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """It is doubted for no longer than the rollout may take; then a person reads which rule is missing."""
    async with approved(tmp_path, httpserver, rollout_deadline_seconds=2) as (bench, action):
        taking = asyncio.create_task(bench.take(action))
        await patched(bench)
        bench.world.restrict(*without_pods())
        result = await taking

        assert result.outcome is ActionOutcome.UNKNOWN
        assert "the runbook's Role lacks {apiGroups: [''], resources: [pods], verbs: [list]}" in result.detail


async def test_a_yes_holds_while_the_cluster_is_away(tmp_path: Path, httpserver: HTTPServer) -> None:
    """The plan is the same when it is back, so the change is made; the channel was told once."""
    async with approved(tmp_path, httpserver) as (bench, action), with_channel(bench) as told:
        go_away(bench)
        taking = asyncio.create_task(bench.take(action))
        await waiting(bench)
        await asyncio.sleep(0.3)
        come_back(bench)
        result = await taking

        assert result.outcome is ActionOutcome.RECOVERED, result.detail
        assert FALLBACK.shows(bench.world) == FALLBACK.after
        assert result.approved_by == "ada"
        journal = await bench.incident.read()
        assert len(journal.events(OutageNoted)) == len(journal.events(OutageEnded)) == 1
        assert len(journal.events(ApprovalRequested)) == 1
        assert await bench.escalations() == []
        (line,) = told.about("The approval is valid until")
        assert "cannot patch" not in line


async def test_a_request_that_is_not_answered_is_made_once_the_cluster_is_back(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """The outage begins between the preview and the change: the change is made once, and proved."""
    async with approved(tmp_path, httpserver, patience=0.5) as (bench, action), with_channel(bench) as told:
        previewed = Fault(method="PATCH")
        lost = Fault(method="PATCH", delay_after=3, times=1)
        away = Fault(method="GET", path="/deployments/", close="before_effect", times=None)
        bench.world.imitation.faults.extend((previewed, lost))
        taking = asyncio.create_task(bench.take(action))
        await patched(bench)
        bench.world.imitation.faults.insert(0, away)
        await waiting(bench)
        assert set((await bench.effects(action)).values()) == {EffectOutcome.UNSETTLED}
        come_back(bench)
        result = await taking
        bench.world.imitation.close_streams()

        assert result.outcome is ActionOutcome.RECOVERED, result.detail
        assert len(bench.writes("PATCH")) == 1
        assert await bench.effects(action) == {"set-field": EffectOutcome.APPLIED}
        assert len(told.about("has started. When the cluster answers again")) == 1


async def test_another_plan_after_the_outage_is_asked_about_anew(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """Somebody has deployed meanwhile: the yes was for another plan, and is void."""
    async with approved(tmp_path, httpserver) as (bench, action):
        go_away(bench)
        taking = asyncio.create_task(ended_or_asked(bench, action))
        await waiting(bench)
        administer(bench.world, image="registry.example/integration:7")
        come_back(bench)

        assert await taking is None
        journal = await bench.incident.read()
        (drifted,) = journal.events(PlanDrifted)
        assert drifted.voided == ("ada",)
        assert len(journal.events(ApprovalRequested)) == 2
        assert bench.writes() == []


async def test_a_yes_expires_after_its_time_and_the_question_is_asked_again(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """A person is called once; when the cluster is back the same plan is asked about, and answered anew."""
    async with approved(tmp_path, httpserver, approval_outage_seconds=0.2) as (bench, action):
        go_away(bench)
        taking = asyncio.create_task(ended_or_asked(bench, action))
        async with in_time("a person is called"):
            while not await bench.escalations():  # noqa: ASYNC110 - a journal tells nobody
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        come_back(bench)

        assert await taking is None
        assert bench.writes() == []
        journal = await bench.incident.read()
        (expired,) = journal.events(ApprovalExpired)
        assert expired.by == ("ada",)
        first, second = journal.events(ApprovalRequested)
        assert first.plan_digest == second.plan_digest
        assert open_outage(journal, action) is None
        (called,) = await bench.escalations()
        assert "The approval has expired; you are asked again" in called

        again = ApprovalAnswered(
            gate=second.gate,
            action_id=action.id,
            plan_digest=second.plan_digest,
            answer=journal.events(ApprovalAnswered)[0].answer,
        )
        await bench.incident.record(again)
        result = await bench.take(action)
        assert result.outcome is ActionOutcome.RECOVERED, result.detail


@pytest.mark.parametrize("status", [302, 401, 403])
async def test_a_page_that_stays_in_the_servers_place_is_named_and_not_asked_for_ever(
    tmp_path: Path, httpserver: HTTPServer, status: int
) -> None:
    """A proxy has its login page there: people read that, and nothing of rights; the wait has an end."""
    page = "<html><head><title>Sign in - Corporate proxy</title></head></html>"
    clocks = {"approval_outage_seconds": 0.3, "watch_limit_seconds": 1.5}
    async with approved(tmp_path, httpserver, **clocks) as (bench, action):
        bench.world.imitation.faults.append(Fault(status=status, text=page, times=None))
        async with in_time("the wait ends"):
            result = await bench.take(action)

        assert result.outcome is ActionOutcome.BLOCKED
        told = [result.detail, *await bench.escalations()]
        assert len(told) >= 2
        assert all("a page named 'Sign in - Corporate proxy'" in words for words in told)
        assert not any("Role" in words for words in told)
        assert bench.writes() == []


async def test_a_yes_holds_while_the_rules_are_not_loaded(tmp_path: Path, httpserver: HTTPServer) -> None:
    """The right was there when people were asked: that it is refused now is looked at again."""
    async with approved(tmp_path, httpserver, patience=0.5) as (bench, action):
        bench.world.imitation.load_rules(after_seconds=1)
        result = await bench.take(action)

        assert result.outcome is ActionOutcome.RECOVERED, result.detail


async def test_a_right_that_stays_away_blocks_the_change(tmp_path: Path, httpserver: HTTPServer) -> None:
    """The approval is not held for it any longer than a minute (six timeouts)."""
    async with approved(tmp_path, httpserver, patience=0.2) as (bench, action):
        reads = tuple(rule for rule in RULES if (rule.verbs[0], rule.resources[0]) != ("get", "deployments"))
        bench.world.restrict(*reads)
        result = await bench.take(action)

        assert result.outcome is ActionOutcome.BLOCKED
        assert "the runbook's Role lacks" in result.detail


async def test_what_nobody_has_approved_does_not_wait(tmp_path: Path, httpserver: HTTPServer) -> None:
    """Without a yes there is nothing to keep: the action is blocked, and a person is told why."""
    async with mitigation_bench(tmp_path, httpserver, patience=0.3) as bench:
        action = await FALLBACK.planned(bench.world)
        go_away(bench)
        result = await bench.take(action)

        assert result.outcome is ActionOutcome.BLOCKED
        assert result.detail.startswith("it cannot be previewed: Kubernetes")
        assert (await bench.incident.read()).events(OutageNoted) == []


async def test_an_undo_waits_for_the_cluster_too(tmp_path: Path, httpserver: HTTPServer) -> None:
    """Its approval was given with the change: the change does not stay because the cluster was away."""
    async with approved(tmp_path, httpserver, success_deadline_seconds=1) as (bench, action):
        bench.signals.mood = "ill"
        bench.world.imitation.faults.append(Fault(method="PATCH", times=2))  # a dry run and the change
        bench.world.imitation.faults.append(Fault(method="PATCH", close="before_effect", times=None))
        taking = asyncio.create_task(bench.take(action))
        await waiting(bench)
        come_back(bench)
        result = await taking

        assert result.outcome is ActionOutcome.NOT_RECOVERED
        assert FALLBACK.shows(bench.world) == FALLBACK.before
        (told,) = await bench.escalations()
        assert "Undone: everything that the change had set has its previous value" in told


async def test_a_change_that_is_not_needed_any_more_is_left(tmp_path: Path, httpserver: HTTPServer) -> None:
    """No alert fires any more while the cluster is away: nothing is made when it is back."""
    async with approved(tmp_path, httpserver) as (bench, action):
        await bench.incident.record(DecisionMade(round=1, decision=decision(plan=(action,))))
        await bench.incident.record(AlertsResolved(alerts=1))
        go_away(bench)

        with pytest.raises(NoLongerNeeded):
            await bench.take(action)
        assert (await bench.incident.read()).results == {}
