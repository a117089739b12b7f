"""Just before a change the people and rules of that moment decide whether its approval still counts."""

import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from blocks.policy import RunbookPolicy
from blocks.transport.errors import Unavailable
from deployments.drill.cluster.faults import Fault
from runbook.actions.catalogue import ActionOutcome, ChangePlan
from runbook.actions.spec import Risk
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.approvals.identity import Proof
from runbook.approvals.rules import ApprovalRule
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import ApprovalLapsed, ApprovalRequested
from runbook.policy.policy import Policy
from tasks import effects
from tests.tasks.approved_changes import approved
from tests.tasks.changes import REPLACE_API_KEY
from tests.tasks.mitigation_bench import Bench, mitigation_bench, save_replacement_key
from tests.tasks.planned_actions import action

FALLBACK = ENABLE_FALLBACK.name
PROVEN: dict[str, Any] = {"approvals": {Risk.MEDIUM: ApprovalRule(accept_unverified=False)}}


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """An incident with a cluster to change, whose medium-risk changes take a proven identity."""
    async with mitigation_bench(tmp_path, httpserver, **PROVEN) as ready:
        yield ready


def configured(bench: Bench, **changes: Any) -> Bench:
    """The bench while other rules are saved from now on; the run still has those that it began with."""
    changed = bench.incident.policy.model_copy(update=changes)

    async def source() -> RunbookPolicy:
        return RunbookPolicy(policy=Policy.model_validate(changed.model_dump()))

    environment = dataclasses.replace(bench.incident.environment, policy_source=source)
    return dataclasses.replace(bench, incident=dataclasses.replace(bench.incident, environment=environment))


LAPSED: dict[str, dict[str, Any]] = {
    "no approver any more": {"approvals": {Risk.MEDIUM: ApprovalRule(approvers=("bob",))}},
    "two by now": {"approvals": {Risk.MEDIUM: ApprovalRule(count=2)}},
    "signatures only": {
        "approvals": {Risk.MEDIUM: ApprovalRule(accept_unverified=False, proofs=(Proof.SIGNING_KEY,))}
    },
}


@pytest.mark.parametrize("changes", LAPSED.values(), ids=list(LAPSED))
async def test_an_approval_that_counts_no_more_makes_no_change(changes: dict[str, Any], bench: Bench) -> None:
    """What was taken away between the answer and the change: nothing is requested, and it is asked anew."""
    given = await bench.approve(action(FALLBACK))
    later = configured(bench, **changes)
    made = await later.make(await later.preview(action(FALLBACK)), given)
    journal = await bench.incident.read()
    assert made is None
    assert bench.writes() == []
    assert journal.results == {}
    [lapsed] = journal.events(ApprovalLapsed)
    assert (lapsed.action_id, lapsed.by) == (action(FALLBACK).id, ("ada",))


async def test_an_approval_that_still_counts_is_carried_out(bench: Bench) -> None:
    """Other rules may have changed meanwhile."""
    given = await bench.approve(action(FALLBACK))
    later = configured(bench, approvals={Risk.MEDIUM: ApprovalRule(approvers=("bob", "Ada"))})
    made = await later.make(await later.preview(action(FALLBACK)), given)
    assert made is not None
    assert made.outcome is ActionOutcome.RECOVERED
    assert set((await bench.effects(action(FALLBACK))).values()) == {EffectOutcome.APPLIED}


async def test_where_the_rules_cannot_be_read_nothing_is_changed(bench: Bench) -> None:
    """Nobody can tell then whether the approval still counts."""
    given = await bench.approve(action(FALLBACK))

    async def source() -> RunbookPolicy:
        raise Unavailable("Prefect", "no answer", "Start it")

    environment = dataclasses.replace(bench.incident.environment, policy_source=source)
    later = dataclasses.replace(bench, incident=dataclasses.replace(bench.incident, environment=environment))
    made = await later.make(await later.preview(action(FALLBACK)), given)
    assert made is not None
    assert (made.outcome, made.detail) == (ActionOutcome.FAILED, "Prefect: no answer. Start it")
    assert bench.writes() == []


async def test_a_policy_that_was_just_read_is_not_read_again_for_a_preview(bench: Bench) -> None:
    """Only the change itself takes one that is new in any case."""
    read: list[float] = []

    async def source() -> RunbookPolicy:
        read.append(time.monotonic())
        return bench.incident.environment.runbook_policy

    environment = dataclasses.replace(bench.incident.environment, policy_source=source)
    first = await environment.with_current_policy(within=60)
    assert len(read) == 1
    assert await first.with_current_policy(within=60) is first
    assert len(read) == 1
    await first.with_current_policy()
    assert len(read) == 2


class Died(BaseException):
    """The process is no more."""


async def dies(bench: Bench, plan: ChangePlan, given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 after the first request, before its outcome is in the journal."""

    async def dead(*_: object, **__: object) -> Any:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(effects, "_record", dead)
        with pytest.raises(Died):
            await bench.make(plan, given)


@pytest.mark.usefixtures("engineless")
@pytest.mark.parametrize("changes", LAPSED.values(), ids=list(LAPSED))
async def test_what_was_made_before_its_approval_lapsed_is_proved(
    changes: dict[str, Any], bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the cluster: nobody is asked about it again, and how it went is told."""
    given = await bench.approve(action(FALLBACK))
    await dies(bench, await bench.preview(action(FALLBACK)), given, monkeypatch)
    sent = len(bench.writes())
    result = await configured(bench, **changes).take(action(FALLBACK))
    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    assert len(bench.writes()) == sent == 1
    assert len((await bench.incident.read()).events(ApprovalRequested)) == 1


async def test_what_was_not_made_before_its_approval_lapsed_is_asked_about(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request never arrived: nothing is in the cluster, and nothing is sent."""
    given = await bench.approve(action(FALLBACK))
    refused = Fault(path="/deployments/", method="PATCH", status=403, times=None)
    plan = await bench.preview(action(FALLBACK))
    bench.world.imitation.faults.append(refused)
    await dies(bench, plan, given, monkeypatch)
    bench.world.imitation.faults.clear()
    sent = len(bench.writes())
    later = configured(bench, **LAPSED["two by now"])
    assert await later.make(plan, given) is None
    assert len(bench.writes()) == sent
    assert not (await bench.incident.read()).has_begun(action(FALLBACK))


@pytest.mark.usefixtures("engineless")
async def test_a_change_that_is_half_made_when_its_approval_lapses_is_a_person_s(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is in place, and the restart is not made without an approval that counts."""
    block = await save_replacement_key()
    key = REPLACE_API_KEY
    async with mitigation_bench(tmp_path, httpserver, replacement_key_block=block) as bench:
        planned, plan, given = await approved(bench, key)
        await dies(bench, plan, given, monkeypatch)
        later = configured(bench, approvals={Risk.HIGH: ApprovalRule(approvers=("bob",))})
        result = await later.take(planned)
        assert result.outcome is ActionOutcome.FAILED
        assert result.detail.startswith("only a part was applied (replace api-key in Secret")
        assert "its approval is no longer valid" in result.detail
        assert len(bench.writes()) == 1
        assert len(await bench.escalations()) == 1
