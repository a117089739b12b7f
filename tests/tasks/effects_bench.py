"""An outside system that fails as its script says, and an effect on it that a gate has to allow."""

from collections.abc import Callable
from pathlib import Path

import pytest

from blocks.transport.errors import Forbidden, OutsideError, Refused, Unavailable
from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.approvals.gates import Answer, Choice
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from tasks.effects import Receipt, carry_out
from tasks.incident import OpenIncident
from tests.runbook.questions import with_questions
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
    for event in with_questions((PREVIEW, answer())):
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
