"""The timeline tells of gates, plans and people in plain sentences."""

from datetime import datetime, timedelta

import pytest

from runbook.actions.catalogue import ActionOutcome, ActionResult
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.decision.verdict import Verdict
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.sentences import sentence
from runbook.incidents.timeline import timeline, without_repeats
from tests.runbook.journals import FALLBACK, OPENED, TARGET, incident


def drifted(*voided: str) -> e.PlanDrifted:
    """A plan that is no longer valid."""
    because = ("-image: web:1", "+image: web:2")
    return e.PlanDrifted(
        action_id=FALLBACK.id, old_digest="1" * 64, new_digest="2" * 64, because=because, voided=voided
    )


def answered(choice: Choice, **said: object) -> e.ApprovalAnswered:
    """An answer of a person on the command line."""
    answer = Answer.model_validate({"choice": choice, "approver": "ana", "channel": "cli"} | said)
    return e.ApprovalAnswered(gate="g-1", action_id=FALLBACK.id, plan_digest="1" * 64, answer=answer)


def ended(outcome: ActionOutcome, by: str = "ana") -> e.ActionFinished:
    """An action that ended."""
    return e.ActionFinished(
        result=ActionResult(action=FALLBACK, outcome=outcome, detail="so it is", approved_by=by)
    )


SIGNED = Identity(name="ana", how=Proof.SIGNING_KEY)
TITLE = f"Enable the fallback (graceful degradation) on {TARGET}"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (drifted(), "The plan of 1-enable-fallback is no longer valid: -image: web:1; +image: web:2"),
        (
            drifted("ana", "bob"),
            "The plan of 1-enable-fallback is no longer valid: -image: web:1; +image: web:2; "
            "the approval of ana, bob is void",
        ),
        (
            e.LeadAssigned(lead="ana", by="ana", identity=SIGNED),
            "ana (signed) is the lead now",
        ),
        (e.LeadAssigned(lead="ana", by="bob"), "bob (unproven claim) made ana the lead"),
        (
            e.CommsLeadAssigned(lead="cyd", by="bob"),
            "bob (unproven claim) made cyd the communications lead",
        ),
        (e.IncidentAcknowledged(by="ana", identity=SIGNED), "ana (signed) acknowledged the incident"),
        (e.NoteAdded(by="ana", text="they called", identity=SIGNED), "ana (signed) noted: they called"),
        (e.NoteAdded(by="clean-up", text="removed"), "clean-up noted: removed"),
        (e.ApprovalReminded(gate="g-1"), "Reminded: g-1 is unanswered"),
        (e.ApprovalReminded(gate="g-1", escalated=True), "A person was paged: g-1 is unanswered"),
        (answered(Choice.APPROVE), "ana approved 1-enable-fallback (cli, unproven claim)"),
        (answered(Choice.REJECT, reason="no"), "ana rejected 1-enable-fallback (cli, unproven claim): no"),
        (answered(Choice.SNOOZE, snooze_minutes=10), "ana snoozed 1-enable-fallback (cli, unproven claim)"),
        (
            answered(Choice.EDIT, parameters={"memory": "1Gi", "replicas": "3"}, reason="enough"),
            "ana edited 1-enable-fallback, memory = 1Gi, replicas = 3 (cli, unproven claim): enough",
        ),
        (
            answered(Choice.APPROVE, identity={"name": "al", "how": "os-peer", "detail": "uid 1001"}),
            "ana approved 1-enable-fallback (cli, proven by account al (uid 1001))",
        ),
        (
            answered(Choice.APPROVE, identity={"name": "Ana", "how": "api-token"}),
            "ana approved 1-enable-fallback (cli, proven by API token)",
        ),
        (
            answered(Choice.APPROVE, identity_proven=True),
            "ana approved 1-enable-fallback (cli, proven, by an earlier release's account)",
        ),
        (
            answered(Choice.APPROVE, approver="policy:preapproved", channel="policy"),
            "policy:preapproved approved 1-enable-fallback (policy)",
        ),
        (ended(ActionOutcome.RECOVERED), f"{TITLE}: done, and it helped, approved by ana: so it is"),
        (ended(ActionOutcome.REJECTED), f"{TITLE}: rejected, by ana: so it is"),
        (ended(ActionOutcome.BLOCKED, by=""), f"{TITLE}: not possible: so it is"),
        (
            ended(ActionOutcome.DRY_RUN),
            f"{TITLE}: approved but not applied: dry run only, approved by ana: so it is",
        ),
    ],
)
def test_event_reads_as_a_person_would_tell_it(event: e.Event, text: str) -> None:
    """Who said what about which action, and why an approval counts no more."""
    assert sentence(event) == text


def sent(number: int, outcome: EffectOutcome = EffectOutcome.APPLIED) -> e.EffectSettled:
    """A message with the state IDENTIFIED, as the channel took it."""
    name = f"identified-{number}"
    return e.EffectSettled(
        effect=Effect(
            id=f"inc-1/slack/{name}",
            kind="slack",
            target="slack",
            summary=name,
            authority=Authority.policy("announce"),
            outcome=outcome,
        )
    )


ANNOUNCED = e.StatusAnnounced(channel="slack", state="IDENTIFIED")


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ((sent(1), ANNOUNCED), ["Announced in slack: IDENTIFIED"]),
        ((sent(1),), ["Done: identified-1 (slack)"]),
        (
            (sent(1, EffectOutcome.FAILED), ANNOUNCED),
            ["Failed: identified-1 (slack)", "Announced in slack: IDENTIFIED"],
        ),
        ((sent(1), ANNOUNCED, sent(2)), ["Announced in slack: IDENTIFIED", "Done: identified-2 (slack)"]),
    ],
)
def test_an_announcement_is_one_line(events: tuple[e.Event, ...], lines: list[str]) -> None:
    """The effect has a line of its own only where no announcement tells of it."""
    assert [entry.sentence for entry in timeline(incident(*events))][1:] == lines


def noted(text: str, at: datetime | None) -> e.NoteAdded:
    """A note of something that happened then."""
    return e.NoteAdded(by="ana", text=text, identity=SIGNED, happened_at=at)


def test_a_note_stands_where_it_happened_and_says_when_it_was_written() -> None:
    """Also one of before the opening; everything else keeps its place."""
    told = timeline(
        incident(
            e.ApprovalReminded(gate="g-1"),
            e.ApprovalReminded(gate="g-2"),
            noted("between", OPENED + timedelta(seconds=45)),
            noted("before", OPENED - timedelta(minutes=5)),
            noted("at once", OPENED + timedelta(seconds=149)),
            noted("ahead", OPENED + timedelta(seconds=200)),
            noted("now", None),
        )
    )
    assert [(entry.at - OPENED, entry.sentence.partition(" noted: ")[2]) for entry in told] == [
        (timedelta(minutes=-5), "before (written 7 min 0 s later)"),
        (timedelta(), ""),
        (timedelta(seconds=30), ""),
        (timedelta(seconds=45), "between"),
        (timedelta(seconds=60), ""),
        (timedelta(seconds=149), "at once"),
        (timedelta(seconds=200), "ahead"),
        (timedelta(seconds=210), "now"),
    ]


def test_a_message_that_was_changed_in_place_is_no_event_of_a_post_mortem() -> None:
    """What it shows is told by another event; one that could not be changed is told."""
    edit = Effect(
        id="inc-1/slack/edit-1-of-identified-2",
        kind="slack",
        target="slack",
        summary="message changed",
        authority=Authority.policy("announce"),
        outcome=EffectOutcome.APPLIED,
    )
    for outcome, lines in ((EffectOutcome.APPLIED, 0), (EffectOutcome.FAILED, 1)):
        event = e.EffectSettled(effect=edit.model_copy(update={"outcome": outcome}))
        told = timeline(incident(event), machinery=False)
        assert sum("message changed" in entry.sentence for entry in told) == lines


def test_looks_that_find_nothing_new_are_one_line() -> None:
    """The last one, so that it says until when; one that finds something stands for itself."""
    same = e.FactsChecked(round=1, verdict=Verdict.UNKNOWN)
    other = e.FactsChecked(round=1, verdict=Verdict.POSTHOG_OUTAGE, changes=("the verdict would be another",))
    told = incident(same, same, same, other, same, same)
    kept = without_repeats(told.journal)
    assert [item.seq for item in kept] == [0, 3, 4, 6]
    assert [entry.sentence for entry in timeline(told)].count("Checked again: still Unknown") == 2
