"""An incident: the fold of its journal. Nothing about an incident is stored anywhere else."""

from datetime import datetime

from runbook.actions.catalogue import ActionResult, ChangePlan, PlannedAction
from runbook.actions.spec import ActionKind
from runbook.alerts.alert import Alert
from runbook.approvals.gates import Answer, Choice, PendingGate
from runbook.checks.findings import Findings
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.verdict import Decision
from runbook.incidents import events as e
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.incidents.journal import Journal
from runbook.incidents.state import IncidentOutcome, State
from runbook.value import Value

PERSON = "person"
"""The source of an incident that somebody opened by hand: no alert says when that is over."""

ALERTS_ENDED = "all alerts are resolved"
"""Why an action that had not begun is left."""

_BEGINNINGS = (e.IncidentOpened, e.AlertJoined)
_ALERT_EVENTS = (*_BEGINNINGS, e.AlertsResolved)
_ROUND_ENDS = (e.ActionFinished, e.FactsChanged, e.IncidentReopened)


def _is_change(action: PlannedAction) -> bool:
    return action.spec.kind is ActionKind.CHANGE


class Incident(Journal):
    """An incident as its journal tells it.

    Build it with `from_events`. Everything else is derived, so two readers of one journal agree.
    """

    @property
    def alert(self) -> Alert:
        """The alert that opened the incident."""
        return self.opened.alert

    @property
    def service(self) -> str:
        """The service that the incident is about."""
        return self.alert.service

    @property
    def alerts_over(self) -> bool:
        """Whether an alert opened the incident and all of its alerts are resolved."""
        newest = (item.event for item in reversed(self.journal) if isinstance(item.event, _ALERT_EVENTS))
        return self.alert.source != PERSON and isinstance(next(newest, None), e.AlertsResolved)

    @property
    def fired_at(self) -> datetime:
        """When an alert of the incident began last (aware UTC, our clock)."""
        return next(item.at for item in reversed(self.journal) if isinstance(item.event, _BEGINNINGS))

    @property
    def flapping(self) -> bool:
        """Whether an alert of the incident begins again and again."""
        return self.last(e.FlappingNoted) is not None

    @property
    def environment(self) -> str:
        """Which configuration's blocks the incident is worked with."""
        return self.opened.environment

    @property
    def dry_run(self) -> bool:
        """Whether it is a rehearsal. Earlier releases noted that with the first run, not at the opening."""
        if self.opened.dry_run or self.opened.permissions is not None:
            return self.opened.dry_run
        first = next(iter(self.events(e.RunStarted)), None)
        return first is not None and first.dry_run

    @property
    def findings(self) -> Findings | None:
        """What the newest triage found."""
        completed = self.last(e.TriageCompleted)
        return completed.findings if completed else None

    @property
    def decision(self) -> Decision | None:
        """The newest decision."""
        made = self.last(e.DecisionMade)
        return made.decision if made else None

    @property
    def severity(self) -> SeverityAssessment | None:
        """The severity in force: a person's takes precedence over the rules, whichever came first."""
        overridden = self.last(e.SeverityOverridden)
        if overridden:
            return overridden.assessment
        return self.decision.severity if self.decision else None

    @property
    def rating(self) -> Severity | None:
        """The severity that people are shown: the one in force, or the alert's own until there is one."""
        return self.severity.severity if self.severity else self.alert.severity

    @property
    def effects(self) -> dict[str, Effect]:
        """Every effect by id, as last recorded: without an outcome it is only intended."""
        known: dict[str, Effect] = {}
        for item in self.journal:
            if isinstance(item.event, e.EffectIntended | e.EffectSettled):
                known[item.event.effect.id] = item.event.effect
        return known

    def steps_of(self, action_id: str) -> list[Effect]:
        """The effects of an action, as last recorded."""
        return [effect for effect in self.effects.values() if effect.owner == action_id]

    def messages_in(self, channel: str) -> list[Effect]:
        """The effects of a channel, as last recorded, oldest first."""
        return [effect for effect in self.effects.values() if effect.kind == channel]

    def outcomes_of(self, effect_id: str) -> list[EffectOutcome]:
        """How each attempt at an effect has ended, oldest first."""
        ended = (event.effect for event in self.events(e.EffectSettled) if event.effect.id == effect_id)
        return [effect.outcome for effect in ended if effect.outcome is not None]

    @property
    def previews(self) -> dict[str, ChangePlan]:
        """The newest preview of each action."""
        return {event.plan.action.id: event.plan for event in self.events(e.ActionPreviewed)}

    @property
    def results(self) -> dict[str, ActionResult]:
        """The end of each action that has ended, in order."""
        return {event.result.action.id: event.result for event in self.events(e.ActionFinished)}

    @property
    def round(self) -> int:
        """The round of triage and decision that the response is in, from 1.

        An outdated plan, changed facts and a reopening each lead to another.
        """
        return 1 + len(self.round_ends)

    @property
    def round_ends(self) -> tuple[e.ActionFinished | e.FactsChanged | e.IncidentReopened, ...]:
        """What made each decision but the newest obsolete, oldest first."""
        ends = (item.event for item in self.journal if isinstance(item.event, _ROUND_ENDS))
        return tuple(it for it in ends if not isinstance(it, e.ActionFinished) or it.result.outdated)

    def has_begun(self, action: PlannedAction) -> bool:
        """Whether a request of the action was made, or may have been."""
        return any(effect.outcome is not EffectOutcome.FAILED for effect in self.steps_of(action.id))

    @property
    def something_done(self) -> bool:
        """Whether something was done about what was found, nothing had to be, or all alerts are resolved.

        What people have changed by hand counts; what was done before a reopening did not help. Where somebody
        says that the verdict is wrong, that nothing is planned does not mean that nothing has to be done.
        """
        decision, life = self.decision, [item.event for item in self.since(e.IncidentReopened)]
        disputed = decision is not None and decision.verdict in self.disputed
        needless = not disputed and not any(map(_is_change, decision.plan if decision else ()))
        if (
            needless
            or self.dry_run
            or self.alerts_over
            or any(isinstance(it, e.ManualChangeSeen) for it in life)
        ):
            return True
        ended = {it.result.action.id: it.result for it in life if isinstance(it, e.ActionFinished)}
        return any(_is_change(it.action) and not it.outcome.leaves_all_as_it_was for it in ended.values())

    @property
    def disputed(self) -> frozenset[str]:
        """The verdicts that a person has said are wrong, since it was opened or reopened."""
        made = {event.round: event.decision.verdict for event in self.events(e.DecisionMade)}
        said = [it.event for it in self.since(e.IncidentReopened) if isinstance(it.event, e.FactsChanged)]
        return frozenset(made[it.round - 1] for it in said if it.by and it.round - 1 in made)

    @property
    def untaken(self) -> tuple[PlannedAction, ...]:
        """The actions of the plan that have neither ended nor begun, in order."""
        plan = self.decision.plan if self.decision else ()
        return tuple(item for item in plan if item.id not in self.results and not self.has_begun(item))

    @property
    def needless_gate(self) -> PendingGate | None:
        """The open question about an action that is no longer needed, because all alerts are resolved."""
        gate = self.pending_gate
        asked = gate is not None and any(action.id == gate.action_id for action in self.untaken)
        return gate if asked and self.alerts_over else None

    @property
    def pending_gate(self) -> PendingGate | None:
        """The question that is open now, if any. Only the newest one can be answered."""
        asked = [
            item for item in self.since(e.IncidentReopened) if isinstance(item.event, e.ApprovalRequested)
        ]
        if not asked or self.resolved:
            return None
        newest = asked[-1].event
        if not isinstance(newest, e.ApprovalRequested) or newest.gate in self.closed_gates:
            return None
        return PendingGate(
            gate=newest.gate,
            action_id=newest.action_id,
            plan_digest=newest.plan_digest,
            question=newest.question,
            flow_run_id=newest.flow_run_id,
            asked_at=asked[-1].at,
            remind_at=newest.remind_at,
            bound=newest.bound,
        )

    @property
    def pause(self) -> e.ResponsePaused | None:
        """Why the runbook waits for a person who is not asked anything; `None` where it does not."""
        if self.resolved or self.pending_gate is not None:
            return None
        events = (event for event in self._in_this_round if isinstance(event, e.ResponsePaused))
        return next(events, None)

    @property
    def closed_gates(self) -> dict[str, Answer | None]:
        """Every gate that was answered, or refused or withdrawn (`None`): none takes another answer."""
        ended: dict[str, Answer | None] = {}
        for item in self.journal:
            if isinstance(item.event, e.ApprovalAnswered):
                ended[item.event.gate] = item.event.answer
            elif isinstance(item.event, e.ApprovalRefused | e.ApprovalWithdrawn):
                ended.setdefault(item.event.gate, None)
        return ended

    def as_edited(self, action: PlannedAction) -> PlannedAction:
        """The action with the parameters that people have changed at its gates."""
        edits: dict[str, str] = {}
        for event in self.answers:
            if event.action_id == action.id and event.answer.choice is Choice.EDIT:
                edits |= event.answer.parameters
        return action.model_copy(update={"parameters": action.parameters | edits}) if edits else action

    @property
    def announcements(self) -> tuple[e.StatusAnnounced, ...]:
        """What stakeholders were told, oldest first."""
        return tuple(self.events(e.StatusAnnounced))

    @property
    def state(self) -> State:
        """Where the incident is in its life, see `runbook.incidents.state.TRANSITIONS`."""
        if self.closed:
            return State.CLOSED
        if self.outcome is not None and (self.outcome.good or self.outcome is IncidentOutcome.MERGED):
            return State.RESOLVED
        known = self._in_this_round
        if not any(isinstance(event, e.DecisionMade) for event in known):
            return State.INVESTIGATING
        if self.changing:
            return State.MITIGATING
        if self.something_done and any(isinstance(event, e.WatchStarted) for event in known):
            return State.MONITORING
        if self.decision and self.decision.verdict != "unknown":
            return State.IDENTIFIED
        return State.INVESTIGATING

    @property
    def _in_this_round(self) -> list[Value]:
        """The events since the newest decision became obsolete."""
        events: list[Value] = []
        for item in reversed(self.journal):
            event = item.event
            if isinstance(event, e.FactsChanged | e.IncidentReopened):
                break
            if isinstance(event, e.ActionFinished) and event.result.outdated:
                break
            events.append(event)
        return events

    @property
    def changing(self) -> bool:
        """Whether a change has begun and has not ended."""
        ended = self.results
        changes = (it for it in self.effects.values() if it.is_change and it.owner not in ended)
        return any(change.outcome is not EffectOutcome.FAILED for change in changes)

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Keys of the artifacts in Prefect, each once, oldest first."""
        return tuple(dict.fromkeys(event.key for event in self.events(e.ArtifactPublished)))
