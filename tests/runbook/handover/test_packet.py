"""The hand-over packet: on a page, what the next lead has to know."""

from datetime import timedelta

from runbook.approvals.identity import Identity
from runbook.handover.packet import packet_markdown, packet_of
from runbook.incidents import events as e
from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.effects import EffectOutcome
from runbook.policy.policy import Policy
from tests.runbook.journals import OPENED, PLAN, asked, decided, effect, every_event, incident, triaged

NOW = OPENED + timedelta(minutes=5)
ANA = Identity(name="ana")


def page(*events: e.Event) -> str:
    """The page of an incident."""
    return packet_markdown(packet_of(incident(*events), Policy(), now=NOW))


def told_by_page() -> e.EffectSettled:
    """The first page has arrived."""
    name = EffectId.of_message("inc-1", "pager", MessageName.escalation(1))
    sent = effect(EffectOutcome.APPLIED).model_copy(update={"id": name, "kind": "pager"})
    return e.EffectSettled(effect=sent)


def test_it_says_what_is_known_open_promised_and_who_is_there() -> None:
    """Each in its place."""
    text = page(
        triaged(),
        decided(),
        e.LeadAssigned(lead="ana", by="ana"),
        e.SupportAssigned(lead="dee", by="ana"),
        e.NoteAdded(by="ana", text="their engineer called", identity=ANA),
        e.StatusAnnounced(channel="slack", state="IDENTIFIED", next_update_at=OPENED + timedelta(minutes=30)),
        e.IncidentEscalated(because="somebody is needed"),
        told_by_page(),
        e.ActionPreviewed(plan=PLAN, since=OPENED),
        asked(),
    )
    for part in (
        "**State:** IDENTIFIED, opened at 15:00 UTC",
        "**Severity:** P1 by rules: all requests fail",
        "**Verdict:** PostHog outage",
        "**Response:** Verdict after 1 min 0 s; first person after 1 min 30 s of 15 min (ana)",
        "**Lead:** ana",
        "**Communications:** nobody",
        "**Support:** dee",
        "- Waits for a person: Enable the fallback",
        "- Paged at 15:03 UTC: somebody is needed",
        "Nothing was changed.",
        "15:30 UTC: the update that was promised in slack",
        "15:02 UTC ana: their engineer called",
    ):
        assert part in text, part


def test_a_state_that_is_told_on_a_persons_word_stands_beside_the_proved_one() -> None:
    """The next lead has to know both: colleagues and users have read the other one."""
    said = e.StateForced(state="MONITORING", by="ana", because="they rolled back", identity=ANA)
    text = page(triaged(), decided(), said)
    told = "people are told MONITORING, said by ana: they rolled back; not proved by the runbook"
    assert f"**State:** IDENTIFIED, opened at 15:00 UTC; {told}" in text


def test_what_was_changed_is_told_with_how_it_is_undone() -> None:
    """Also a change of which nobody knows yet how it ended; one that was never begun is none."""
    begun = effect(EffectOutcome.APPLIED).model_copy(update={"id": f"inc-1/{PLAN.action.id}/apply"})
    told = packet_of(
        incident(decided(), e.ActionPreviewed(plan=PLAN, since=OPENED), e.EffectSettled(effect=begun)),
        Policy(),
        now=NOW,
    )
    [done] = told.done
    assert (done.title, done.outcome) == (PLAN.action.spec.title, "under way, or in doubt")
    assert done.undo


def test_an_acknowledged_page_is_no_longer_open() -> None:
    """A page after it is."""
    paged = e.IncidentEscalated(because="somebody is needed"), told_by_page()
    assert "Paged at" not in page(decided(), *paged, e.IncidentAcknowledged(by="ana"))
    assert "Paged at" in page(decided(), e.IncidentAcknowledged(by="ana"), *paged)


def test_a_page_that_reached_nobody_is_called_so() -> None:
    """The next lead must not think that somebody comes."""
    text = page(decided(), e.IncidentEscalated(because="somebody is needed"))
    assert "- Nobody could be told at 15:01 UTC (" in text
    assert "no pager and no channel is configured" in text
    assert "Paged at" not in text


def test_what_people_wrote_is_masked_and_escaped() -> None:
    """A key in a note is not handed on, and no note makes a heading."""
    note = e.NoteAdded(by="ana", text="# key phx_abcdef123456\n## Changed", identity=ANA)
    text = page(note)
    assert "phx_abcdef123456" not in text
    assert "\n## Changed" not in text


def test_every_incident_has_a_packet() -> None:
    """Also one that has seen everything."""
    assert page(*every_event()).startswith("## Hand-over of")
