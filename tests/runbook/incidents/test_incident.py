"""An incident is the fold of its journal, and of nothing else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.catalogue import ActionOutcome, ActionResult
from runbook.alerts.alert import AlertStatus
from runbook.approvals.gates import Answer, Choice
from runbook.checks.findings import Status
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.verdict import Verdict
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome, State
from tests.runbook.journals import (
    ALERT,
    FALLBACK,
    HAND_OFF,
    OPENED,
    PLAN,
    decided,
    decision,
    effect,
    every_event,
    finished,
    incident,
    resolved,
    triaged,
)
from tests.runbook.questions import with_questions

NEWER_PLAN = PLAN.model_copy(update={"diff": "--- live\n+++ after\n+ another"})


def ask(gate: str, plan: object = PLAN) -> e.ApprovalRequested:
    """A question about a plan at a gate."""
    digest = NEWER_PLAN.digest if plan is NEWER_PLAN else PLAN.digest
    return e.ApprovalRequested(
        gate=gate, action_id=FALLBACK.id, plan_digest=digest, question="now?", flow_run_id="run-1"
    )


def answer(gate: str, choice: Choice = Choice.APPROVE, plan: object = PLAN) -> e.ApprovalAnswered:
    """An answer at a gate."""
    digest = NEWER_PLAN.digest if plan is NEWER_PLAN else PLAN.digest
    said = Answer(choice=choice, approver="ana", reason="because")
    return e.ApprovalAnswered(gate=gate, action_id=FALLBACK.id, plan_digest=digest, answer=said)


def refuse(gate: str) -> e.ApprovalRefused:
    """An answer that could not be accepted."""
    return e.ApprovalRefused(gate=gate, action_id=FALLBACK.id, because="the approver is empty")


@pytest.mark.parametrize(
    "journal",
    [
        (),
        (decided(),),
        (decided(), e.IncidentOpened(alert=ALERT)),
    ],
)
def test_journal_must_begin_with_the_opening(journal: tuple[e.Event, ...]) -> None:
    """A journal that lost its beginning is no incident."""
    recorded = [e.Recorded(seq=n, at=OPENED, event=event) for n, event in enumerate(journal, start=1)]
    with pytest.raises(ValueError, match="the journal of inc-1 does not begin with IncidentOpened"):
        Incident.from_events("inc-1", recorded)


@given(st.permutations(list(incident(*every_event()).journal)))
def test_order_of_reading_does_not_matter(journal: list[e.Recorded]) -> None:
    """The journal's own numbers give the order, however its rows were read."""
    whole = incident(*every_event())
    assert Incident.from_events(whole.id, journal) == whole


@pytest.mark.parametrize(
    ("journal", "pending"),
    [
        ((), None),
        ((ask("g1"),), "g1"),
        ((ask("g1"), answer("g1")), None),
        ((ask("g1"), answer("g1", Choice.REJECT)), None),
        ((ask("g1"), answer("g1", Choice.SNOOZE)), None),  # the flow asks again, under a new name
        ((ask("g1"), answer("g1", Choice.SNOOZE), ask("g2")), "g2"),
        ((ask("g1"), answer("g1", Choice.EDIT), ask("g2", NEWER_PLAN)), "g2"),
        ((ask("g1"), refuse("g1")), None),
        ((ask("g1"), refuse("g1"), ask("g2")), "g2"),
        ((ask("g1"), ask("g2")), "g2"),
        ((ask("g1"), ask("g2"), answer("g1")), "g2"),  # an answer to an older question
        ((ask("g1"), ask("g2"), answer("g2")), None),  # and the older one does not come back
        ((ask("g1"), resolved()), None),
        ((answer("g1"), ask("g1")), None),  # answered before the question was seen
    ],
)
def test_only_the_newest_question_that_nobody_settled_is_open(
    journal: tuple[e.Event, ...], pending: str | None
) -> None:
    """One question at a time can be answered: the newest, until it is answered, refused or over."""
    gate = incident(*journal).pending_gate
    assert (gate.gate if gate else None) == pending


def test_open_question_says_what_it_is_about_and_since_when() -> None:
    """Everything that a command line needs for asking is in the journal."""
    later = OPENED + timedelta(minutes=15)
    newest = ask("g2", NEWER_PLAN).model_copy(update={"remind_at": later})
    gate = incident(ask("g1"), newest).pending_gate
    assert gate is not None
    assert (gate.action_id, gate.plan_digest, gate.flow_run_id) == (FALLBACK.id, NEWER_PLAN.digest, "run-1")
    assert (gate.asked_at, gate.remind_at) == (OPENED + timedelta(seconds=60), later)


def test_closed_gates_tell_answers_from_refusals() -> None:
    """A refusal settles a gate without an answer, and never takes a real answer away."""
    settled = incident(answer("g1"), refuse("g2"), answer("g3", Choice.REJECT), refuse("g1")).closed_gates
    assert {gate: said and said.choice for gate, said in settled.items()} == {
        "g1": Choice.APPROVE,
        "g2": None,
        "g3": Choice.REJECT,
    }


def edit(value: str, *, action_id: str = FALLBACK.id, choice: Choice = Choice.EDIT) -> e.ApprovalAnswered:
    """An answer that comes with a parameter."""
    said = Answer(choice=choice, approver="ana", parameters={"memory": value})
    return e.ApprovalAnswered(gate=f"g-{value}", action_id=action_id, plan_digest=PLAN.digest, answer=said)


@pytest.mark.parametrize(
    ("journal", "parameters"),
    [
        ((), {"pod": "web-1"}),
        ((edit("1Gi"),), {"pod": "web-1", "memory": "1Gi"}),
        ((edit("1Gi"), edit("768Mi")), {"pod": "web-1", "memory": "768Mi"}),
        ((edit("1Gi"), answer("g2", plan=NEWER_PLAN)), {"pod": "web-1", "memory": "1Gi"}),
        ((edit("1Gi", action_id="2-other"),), {"pod": "web-1"}),
        ((edit("1Gi", choice=Choice.APPROVE),), {"pod": "web-1"}),  # only an edit edits
    ],
)
def test_action_is_as_people_have_edited_it(journal: tuple[e.Event, ...], parameters: dict[str, str]) -> None:
    """The newest value of each parameter at this action's gates; what nobody touched stays as planned."""
    planned = FALLBACK.model_copy(update={"parameters": {"pod": "web-1"}})
    edited = incident(*with_questions(journal)).as_edited(planned)
    assert edited == planned.model_copy(update={"parameters": parameters})


def overridden(severity: Severity) -> e.SeverityOverridden:
    """A person's own assessment."""
    return e.SeverityOverridden(
        assessment=SeverityAssessment(severity=severity, because="one region", by="bob")
    )


@pytest.mark.parametrize(
    ("journal", "severity"),
    [
        ((), None),
        ((decided(),), Severity.P1),
        ((decided(), decided(decision(severity=Severity.P2))), Severity.P2),
        ((decided(), overridden(Severity.P3)), Severity.P3),
        ((overridden(Severity.P3), decided()), Severity.P3),
        ((overridden(Severity.P3), overridden(Severity.P4), decided()), Severity.P4),
    ],
)
def test_severity_of_a_person_goes_before_that_of_the_rules(
    journal: tuple[e.Event, ...], severity: Severity | None
) -> None:
    """Whichever came first, a person's word is in force; among equals, the newest."""
    in_force = incident(*journal).severity
    assert (in_force.severity if in_force else None) is severity


INTENDED = e.EffectIntended(effect=effect())


def settled(outcome: EffectOutcome) -> e.EffectSettled:
    """What became of the effect."""
    return e.EffectSettled(effect=effect(outcome))


@pytest.mark.parametrize(
    ("journal", "outcome"),
    [
        ((INTENDED,), None),
        ((INTENDED, settled(EffectOutcome.APPLIED)), EffectOutcome.APPLIED),
        ((INTENDED, settled(EffectOutcome.FAILED), INTENDED), None),  # tried again: open again
        ((INTENDED, settled(EffectOutcome.UNSETTLED), settled(EffectOutcome.APPLIED)), EffectOutcome.APPLIED),
        ((settled(EffectOutcome.ALREADY_IN_PLACE),), EffectOutcome.ALREADY_IN_PLACE),
    ],
)
def test_effect_is_as_it_was_last_recorded(
    journal: tuple[e.Event, ...], outcome: EffectOutcome | None
) -> None:
    """An intent reopens an effect; the newest outcome closes it."""
    assert [item.outcome for item in incident(*journal).effects.values()] == [outcome]


DONE = e.ActionFinished(result=ActionResult(action=FALLBACK, outcome=ActionOutcome.RECOVERED, detail=""))
CHANGED = e.FactsChanged(round=2, because=("the verdict would be unknown",))
MERGED = e.IncidentMerged(into="inc-20261122-1", by="ana")
CLOSED = e.IncidentClosed(outcome="recovered")


@pytest.mark.parametrize(
    ("journal", "state"),
    [
        ((), State.INVESTIGATING),
        ((triaged(), decided(decision(Verdict.UNKNOWN))), State.INVESTIGATING),
        ((decided(),), State.IDENTIFIED),
        ((decided(), DONE, e.WatchStarted(waiting_for=())), State.MONITORING),
        ((decided(), e.WatchStarted(waiting_for=())), State.IDENTIFIED),  # nothing was done about it
        ((decided(), INTENDED), State.MITIGATING),
        ((decided(), DONE, e.WatchStarted(waiting_for=()), CHANGED), State.INVESTIGATING),
        ((decided(), resolved("recovered"), e.IncidentClosed(outcome="recovered")), State.CLOSED),
        ((decided(), MERGED), State.RESOLVED),
        (
            (decided(), resolved("recovered"), CLOSED, e.IncidentReopened(because="again")),
            State.INVESTIGATING,
        ),
        ((decided(), resolved("recovered")), State.RESOLVED),
        ((decided(), resolved("false_positive")), State.RESOLVED),
        ((decided(), resolved("unknown")), State.IDENTIFIED),  # ended, but nobody may say that it is over
        ((decided(), DONE, e.WatchStarted(waiting_for=()), resolved("not_recovered")), State.MONITORING),
    ],
)
def test_state_is_resolved_only_after_a_recovery(journal: tuple[e.Event, ...], state: State) -> None:
    """Stakeholders hear RESOLVED only where the journal holds a good end."""
    assert incident(*journal).state is state


def test_artifacts_are_listed_once_in_their_order() -> None:
    """A key that was published anew keeps its place."""
    keys = ["a", "b", "a", "c"]
    journal = [e.ArtifactPublished(key=key, kind="markdown") for key in keys]
    assert incident(*journal).artifacts == ("a", "b", "c")


def test_previews_and_results_are_the_newest_of_each_action() -> None:
    """Plans and ends by action: a second preview replaces the first."""
    of = incident(
        e.ActionPreviewed(plan=PLAN, since=OPENED),
        e.ActionPreviewed(plan=NEWER_PLAN, since=OPENED),
        finished(ActionOutcome.RECOVERED),
        finished(ActionOutcome.HANDED_OFF, HAND_OFF),
    )
    assert of.previews == {FALLBACK.id: NEWER_PLAN}
    assert {key: result.outcome for key, result in of.results.items()} == {
        FALLBACK.id: ActionOutcome.RECOVERED,
        HAND_OFF.id: ActionOutcome.HANDED_OFF,
    }


def test_findings_and_decision_are_of_the_newest_round() -> None:
    """A second triage goes before the first."""
    of = incident(triaged(), triaged(probe=Status.BAD), decided(), decided(decision(Verdict.UNKNOWN)))
    assert of.findings == triaged(probe=Status.BAD).findings
    assert of.decision == decision(Verdict.UNKNOWN)


def test_clocks_are_those_of_the_journal() -> None:
    """Opening, first decision and end, each by its own event; a later decision sets no clock back."""
    of = incident(decided(), decided(), resolved(), e.IncidentClosed(outcome="recovered"))
    assert of.opened_at == OPENED
    assert of.time_of(e.DecisionMade) == OPENED + timedelta(seconds=30)
    assert of.resolved_at == OPENED + timedelta(seconds=90)
    assert of.duration == timedelta(seconds=90)
    assert (of.resolved, of.closed, of.outcome) == (True, True, IncidentOutcome.RECOVERED)


def test_new_incident_knows_only_its_alert() -> None:
    """Everything that has not happened yet is empty, and nothing fails for it."""
    of = incident()
    assert (of.alert, of.service, of.environment) == (ALERT, ALERT.service, "default")
    nothing: list[Callable[[Incident], object]] = [
        lambda of: of.findings,
        lambda of: of.decision,
        lambda of: of.severity,
        lambda of: of.outcome,
        lambda of: of.duration,
        lambda of: of.pending_gate,
    ]
    assert [read(of) for read in nothing] == [None] * len(nothing)
    assert (of.effects, of.previews, of.results, of.artifacts, of.announcements) == ({}, {}, {}, (), ())
    assert not of.resolved
    assert not of.closed


def test_joined_alert_does_not_replace_the_one_that_opened_it() -> None:
    """The incident stays the incident of its first alert."""
    resolved_alert = ALERT.model_copy(update={"status": AlertStatus.RESOLVED, "name": "Other"})
    assert incident(e.AlertJoined(alert=resolved_alert)).alert == ALERT
