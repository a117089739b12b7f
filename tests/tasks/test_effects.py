"""An effect happens once, after a yes, and a crash at any moment does not repeat it."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from blocks.transport.errors import Forbidden, OutsideError, Refused, Unavailable
from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.approvals.gates import Answer, Choice
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from tasks.effects import NotAuthorised, Receipt, carry_out
from tasks.incident import OpenIncident
from tests.tasks.environments import AT, open_incident

APPLIED, IN_PLACE, FAILED, UNSETTLED = EffectOutcome
RECEIPT: Receipt = {"resource_version": "18"}

LOST = Unavailable("Kubernetes", "closed the connection", may_have_landed=True)
NEVER_SENT = Unavailable("Kubernetes", "does not accept connections")
REFUSED = Refused("Kubernetes", "the patch is invalid", "Correct it")
FORBIDDEN = Forbidden("Kubernetes", "may not patch deployments")


class Died(BaseException):
    """The process ended here; nothing of ours can catch it."""


class Target:
    """An outside system that can be read and changed, as its script says.

    `calls` says what it was asked, and what the journal knew of the effect at that moment. `landed` counts
    how often the change was really made.
    """

    def __init__(
        self,
        incident: OpenIncident,
        *,
        present: bool = False,
        unreadable: tuple[OutsideError | None, ...] = (),
    ) -> None:
        self.incident = incident
        self.landed = int(present)
        self.calls: list[tuple[str, str]] = []
        self.unreadable = list(unreadable)
        self.acting: Callable[[], None] = lambda: None

    async def observe(self) -> Receipt | None:
        """Whether the change is there."""
        self.calls.append(("observe", await self._journal()))
        error = self.unreadable.pop(0) if self.unreadable else None
        if error:
            raise error
        return {"seen": True} if self.landed else None

    async def act(self) -> Receipt:
        """Make the change, as scripted."""
        self.calls.append(("act", await self._journal()))
        self.acting()
        self.landed += 1
        return RECEIPT

    async def _journal(self) -> str:
        effects = list((await self.incident.read()).effects.values())
        if not effects:
            return "nothing"
        return str(effects[-1].outcome or "intended")

    def before_it_lands(self, error: BaseException) -> None:
        """From now on the change fails like this, before it is made."""

        def fail() -> None:
            raise error

        self.acting = fail

    def after_it_landed(self, error: BaseException) -> None:
        """From now on the change fails like this, after it was made."""

        def land_and_fail() -> None:
            self.landed += 1
            raise error

        self.acting = land_and_fail

    def well(self) -> None:
        """From now on the change is made."""
        self.acting = lambda: None


def effect(authority: Authority | None = None, incident: str = "inc-1") -> Effect:
    """A change that the gate `g1` has to allow."""
    return Effect(
        id=f"{incident}/1-enable-fallback/set-env",
        kind="kubernetes",
        target="default/deployment/posthog-integration",
        summary="POSTHOG_FALLBACK=true",
        authority=authority or Authority.approval("g1", "ana"),
    )


ACTION = PlannedAction(
    id="1-enable-fallback", name=ENABLE_FALLBACK.name, target="deployment", because="an outage"
)
PREVIEW = e.ActionPreviewed(plan=ChangePlan(action=ACTION, diff="+ POSTHOG_FALLBACK=true"), since=AT)
DRIFTED = e.ActionPreviewed(plan=ChangePlan(action=ACTION, diff="+ POSTHOG_FALLBACK=yes"), since=AT)


def answer(choice: Choice = Choice.APPROVE, gate: str = "g1", action: str = ACTION.id) -> e.ApprovalAnswered:
    """An answer at a gate, to the plan as it was previewed."""
    said = Answer(choice=choice, approver="ana", reason="because")
    return e.ApprovalAnswered(gate=gate, action_id=action, plan_digest=PREVIEW.plan.digest, answer=said)


@pytest.fixture
async def incident(tmp_path: Path) -> OpenIncident:
    """An incident whose gate `g1` was approved."""
    opened = await open_incident(tmp_path)
    for event in (PREVIEW, answer()):
        await opened.record(event)
    return opened


async def run(incident: OpenIncident, target: Target, of: Effect | None = None) -> Effect:
    """One attempt of the flow at the effect."""
    return await carry_out(
        incident, of or effect(incident=incident.id), observe=target.observe, act=target.act
    )


async def written(incident: OpenIncident) -> list[str]:
    """What the journal holds about effects, in order."""
    lines = []
    for item in (await incident.read()).journal:
        if isinstance(item.event, e.EffectIntended):
            lines.append("intended")
        elif isinstance(item.event, e.EffectSettled):
            lines.append(str(item.event.effect.outcome))
    return lines


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
    "rejected": (answer(Choice.REJECT),),
    "snoozed": (answer(Choice.SNOOZE),),
    "refused": (e.ApprovalRefused(gate="g1", action_id="1-enable-fallback", because="no approver"),),
    "another gate": (answer(gate="g2"),),
    "another action": (answer(action="2-restart-deployment"),),
    "a plan that drifted": (answer(), DRIFTED),
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
        await incident.record(answer())
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
