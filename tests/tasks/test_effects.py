"""An effect happens once, after a yes, and a crash at any moment does not repeat it."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from blocks.transport.errors import OutsideError, Unavailable
from runbook.approvals.gates import Choice
from runbook.incidents import events as e
from runbook.incidents.effects import Authority
from tasks.effects import NotAuthorised
from tasks.incident import OpenIncident
from tests.runbook.questions import with_questions
from tests.tasks.effects_bench import (
    APPLIED,
    DRIFTED,
    FAILED,
    FORBIDDEN,
    IN_PLACE,
    LOST,
    NEVER_SENT,
    PREVIEW,
    RECEIPT,
    REFUSED,
    UNSETTLED,
    Died,
    Target,
    answer,
    effect,
    incident,
    run,
    written,
)
from tests.tasks.environments import open_incident

__all__ = ["incident"]  # a fixture, found here


async def test_intent_is_written_before_the_act_and_the_outcome_after_it(incident: OpenIncident) -> None:
    """The target is read first; when it is changed, the journal knows already."""
    target = Target(incident)
    done = await run(incident, target)
    assert target.calls == [("observe", "nothing"), ("act", "intended")]
    assert await written(incident) == ["intended", "applied"]
    assert (done.outcome, done.receipt) == (APPLIED, RECEIPT)
    assert (await incident.read()).effects[done.id] == done


async def test_what_is_in_place_already_is_not_done(incident: OpenIncident) -> None:
    """Somebody else has made the change: nothing is sent, and the journal says so."""
    target = Target(incident, present=True)
    done = await run(incident, target)
    assert (done.outcome, done.receipt) == (IN_PLACE, {"seen": True})
    assert target.calls == [("observe", "nothing")]
    assert await written(incident) == ["already_in_place"]


@pytest.mark.parametrize("present", [False, True])
async def test_settled_effect_is_never_done_again(incident: OpenIncident, present: bool) -> None:
    """The flow runs again from the top: the earlier outcome is returned, and the target is not even asked."""
    target = Target(incident, present=present)
    first = await run(incident, target)
    target.calls.clear()
    target.landed = 0  # someone has undone it since: still not ours to repeat
    assert await run(incident, target) == first
    assert target.calls == []


async def test_crash_before_the_act_is_made_up_for(incident: OpenIncident) -> None:
    """Only the intent was written: the target shows nothing, so the change is made now."""
    await incident.record(e.EffectIntended(effect=effect()))
    target = Target(incident)
    assert (await run(incident, target)).outcome is APPLIED
    assert target.calls == [("observe", "intended"), ("act", "intended")]
    assert target.landed == 1


async def test_crash_after_the_act_is_found_out_by_reading(incident: OpenIncident) -> None:
    """The process died before it wrote the outcome: the target shows the change, which counts as ours."""
    target = Target(incident)
    target.after_it_landed(Died())
    with pytest.raises(Died):
        await run(incident, target)
    assert await written(incident) == ["intended"]
    target.well()
    done = await run(incident, target)
    assert (done.outcome, done.receipt) == (APPLIED, {"seen": True})
    assert target.landed == 1
    assert target.calls[2:] == [("observe", "intended")]


@pytest.mark.parametrize(("error", "landed"), [(LOST, True), (LOST, False)])
async def test_lost_answer_is_read_back(incident: OpenIncident, error: Unavailable, landed: bool) -> None:
    """No answer came: whether the change was made is read at the target, at once."""
    target = Target(incident)
    (target.after_it_landed if landed else target.before_it_lands)(error)
    done = await run(incident, target)
    assert done.outcome is (APPLIED if landed else FAILED)
    assert [call for call, _ in target.calls] == ["observe", "act", "observe"]
    assert ("closed the connection" in done.detail) is not landed


async def test_lost_answer_without_a_target_to_read_is_unsettled_until_it_can_be_read(
    incident: OpenIncident,
) -> None:
    """A person must look; a later attempt reads the target, and does not send again what has landed."""
    target = Target(incident, unreadable=(None, NEVER_SENT))
    target.after_it_landed(LOST)
    done = await run(incident, target)
    assert done.outcome is UNSETTLED
    assert done.detail == (
        "the answer was lost (Kubernetes: closed the connection. It may recover by itself; try again) and "
        "the target cannot be read (Kubernetes: does not accept connections. It may recover by "
        "itself; try again)"
    )
    assert (await run(incident, target)).outcome is APPLIED
    assert target.landed == 1


@pytest.mark.parametrize("error", [REFUSED, FORBIDDEN, NEVER_SENT])
async def test_refusal_is_a_failure_with_its_reason(incident: OpenIncident, error: OutsideError) -> None:
    """What certainly was not done is failed, without reading back, and may be tried again."""
    target = Target(incident)
    target.before_it_lands(error)
    failed = await run(incident, target)
    assert (failed.outcome, failed.detail) == (FAILED, str(error))
    assert [call for call, _ in target.calls] == ["observe", "act"]
    target.well()
    assert (await run(incident, target)).outcome is APPLIED
    assert await written(incident) == ["intended", "failed", "intended", "applied"]


@pytest.mark.parametrize("error", [NEVER_SENT, FORBIDDEN])
async def test_target_that_cannot_be_read_is_not_changed(incident: OpenIncident, error: OutsideError) -> None:
    """Without a look at it before, nothing is sent: failed, since it certainly was not done."""
    target = Target(incident, unreadable=(error,))
    done = await run(incident, target)
    assert (done.outcome, done.detail) == (FAILED, f"could not be observed: {error}")
    assert target.calls == [("observe", "nothing")]
    assert await written(incident) == ["failed"]


async def test_interrupted_effect_whose_target_cannot_be_read_is_unsettled(incident: OpenIncident) -> None:
    """After a crash, a target that cannot be read may hold the change or not; nothing is repeated blindly."""
    await incident.record(e.EffectIntended(effect=effect()))
    target = Target(incident, present=True, unreadable=(NEVER_SENT, NEVER_SENT))
    assert (await run(incident, target)).outcome is UNSETTLED
    assert (await run(incident, target)).outcome is UNSETTLED  # and stays so for as long as it cannot be read
    assert (await run(incident, target)).outcome is APPLIED
    assert [call for call, _ in target.calls] == ["observe"] * 3


NO_APPROVAL: dict[str, tuple[e.Event, ...]] = {
    "no answer": (),
    "an answer that was never asked for": (answer(),),
    "rejected": (*with_questions((answer(Choice.REJECT),)),),
    "snoozed": (*with_questions((answer(Choice.SNOOZE),)),),
    "refused": (e.ApprovalRefused(gate="g1", action_id="1-enable-fallback", because="no approver"),),
    "another gate": (*with_questions((answer(gate="g2"),)),),
    "another action": (*with_questions((answer(action="2-restart-deployment"),)),),
    "a plan that drifted": (*with_questions((answer(),)), DRIFTED),
    "asked only": (
        e.ApprovalRequested(
            gate="g1", action_id="1-enable-fallback", plan_digest="d", question="now?", flow_run_id="run-1"
        ),
    ),
}


@pytest.mark.parametrize("journal", NO_APPROVAL.values(), ids=list(NO_APPROVAL))
async def test_nothing_happens_without_an_approval_in_the_journal(
    tmp_path: Path, journal: tuple[e.Event, ...]
) -> None:
    """Whatever the effect claims about its authority: no yes at its gate, no request at all."""
    incident = await open_incident(tmp_path)
    for event in (PREVIEW, *journal):
        await incident.record(event)
    target = Target(incident)
    with pytest.raises(NotAuthorised, match=r"inc-1/1-enable-fallback/set-env: gate 'g1' has no approval"):
        await run(incident, target)
    assert target.calls == []
    assert await written(incident) == []


async def test_interrupted_effect_needs_its_approval_too(tmp_path: Path) -> None:
    """An intent in the journal is no authority."""
    incident = await open_incident(tmp_path)
    await incident.record(e.EffectIntended(effect=effect()))
    target = Target(incident)
    with pytest.raises(NotAuthorised):
        await run(incident, target)
    assert target.calls == []


async def test_policy_allows_its_effects_without_a_gate(tmp_path: Path) -> None:
    """What the configuration permits once for all needs no answer, and is recorded as the policy's."""
    incident = await open_incident(tmp_path)
    done = await run(incident, Target(incident), effect(Authority.policy("announce")))
    assert (done.outcome, done.authority.by) == (APPLIED, "policy:announce")


async def test_authority_of_another_kind_is_none(incident: OpenIncident) -> None:
    """Only an approval or a policy allows anything."""
    claimed = Authority(kind="because-i-say-so", reference="g9", by="mallory")
    target = Target(incident)
    with pytest.raises(NotAuthorised):
        await run(incident, target, effect(claimed))
    assert target.calls == []


FATES: dict[str, Callable[[Target], None]] = {
    "is made": lambda target: target.well(),
    "dies before": lambda target: target.before_it_lands(Died()),
    "dies after": lambda target: target.after_it_landed(Died()),
    "answer lost before": lambda target: target.before_it_lands(LOST),
    "answer lost after": lambda target: target.after_it_landed(LOST),
    "is refused": lambda target: target.before_it_lands(REFUSED),
}


async def test_whatever_befalls_two_attempts_the_third_leaves_it_done_exactly_once(tmp_path: Path) -> None:
    """Every pair of fates, then a good attempt: the change has landed once, and the journal says applied."""
    for number, fates in enumerate(product(FATES, repeat=2)):
        incident = await open_incident(tmp_path, name=f"inc-{number}")
        await incident.record(PREVIEW)
        for event in with_questions((answer(),)):
            await incident.record(event)
        target = Target(incident)
        for fate in fates:
            FATES[fate](target)
            try:
                await run(incident, target)
            except Died:
                continue
        target.well()
        done = await run(incident, target)
        assert (target.landed, done.outcome) == (1, APPLIED), fates
