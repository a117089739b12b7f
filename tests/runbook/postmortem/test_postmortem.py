"""The post-mortem draft follows the runbook's template and the post-mortem process, for any incident."""

import re
from datetime import timedelta

import pytest

from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.gates import Choice
from runbook.checks.findings import Status
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.verdict import ErrorType, Verdict
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.incident import Incident
from runbook.policy.business_hours import BusinessCalendar
from runbook.policy.policy import Policy
from runbook.postmortem.draft import ImpactFigures, PostmortemClass, classify, draft_postmortem
from tests.runbook.journals import (
    FALLBACK,
    HAND_OFF,
    OPENED,
    answered,
    asked,
    decided,
    decision,
    effect,
    every_event,
    finished,
    incident,
    resolved,
    triaged,
)

NOW = OPENED + timedelta(hours=3)
NO_FIGURES = ImpactFigures()


def draft(of: Incident, figures: ImpactFigures = NO_FIGURES, calendar: BusinessCalendar | None = None) -> str:
    """A draft, three hours after the incident was opened."""
    return draft_postmortem(of, figures, now=NOW, policy=Policy(calendar=calendar or BusinessCalendar()))


def section(text: str, heading: str) -> str:
    """The text under a heading, up to the next one of the same or a higher level."""
    level = len(heading) - len(heading.lstrip("#"))
    after = text.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"\n#{{1,{level}}} ", after, maxsplit=1)[0]


def test_draft_has_the_template_in_its_order() -> None:
    """Head, Summary and DERP come first, then the rest of the runbook's template."""
    text = draft(incident(*every_event()))
    assert text.splitlines()[0] == "## Incident: PostHog Errors (500/503)"
    assert "**Date:** 2026-11-22" in text
    assert "**Duration:** 0 hours 11 minutes" in text
    assert "**Severity:** P2" in text
    assert re.findall(r"^#+ .*", text, re.MULTILINE)[1:] == [
        "### Summary",
        "### DERP",
        "#### Detection",
        "#### Escalation",
        "#### Recovery",
        "#### Prevention",
        "### Timeline",
        "### Root Cause",
        "### Impact",
        "### Action Items",
        "### Lessons",
        "### Process",
    ]


EVENTS = every_event()


@pytest.mark.parametrize("length", range(len(EVENTS) + 1))
def test_any_incident_can_be_drafted(length: int) -> None:
    """However early an incident ended there is a draft, and each section asks a person for what it lacks."""
    text = draft(incident(*EVENTS[:length]))
    for heading in ("### Summary", "#### Detection", "#### Escalation", "#### Recovery", "#### Prevention"):
        assert "✍️ **Write:**" in section(text, heading)
    for heading in ("### Root Cause", "### Impact", "### Action Items", "### Lessons"):
        assert "✍️ **Write:**" in section(text, heading)


@pytest.mark.parametrize(
    ("events", "parts"),
    [
        ((), ("no verdict was reached", "3 hours 0 minutes so far", "No action was taken", "not rated")),
        ((decided(decision(Verdict.UNKNOWN, plan=())),), ("the runbook concluded: Unknown",)),
        (
            (decided(), asked(), answered(Choice.REJECT), finished(ActionOutcome.REJECTED)),
            ("alice answered “reject” after 30 s", "rejected, by alice"),
        ),
        ((decided(), asked()), ("the question was not answered",)),
        ((decided(), resolved("not_recovered")), ("ended as not recovered",)),
        ((decided(), resolved("unknown")), ("unknown: the runbook could not find out whether it is over",)),
    ],
)
def test_early_end_is_told(events: tuple[e.Event, ...], parts: tuple[str, ...]) -> None:
    """Rejected, unknown, unanswered and unfinished incidents say what became of them."""
    text = draft(incident(*events))
    assert [part for part in parts if part not in text] == []


@pytest.mark.parametrize(
    ("error_type", "heading"),
    [
        (ErrorType.AUTHENTICATION, "Authentication (401/403)"),
        (ErrorType.RATE_LIMITED, "Rate Limited (429)"),
        (ErrorType.INFRASTRUCTURE, "Integration Infrastructure"),
        (ErrorType.NONE, "Integration Alert without Errors"),
        (ErrorType.UNKNOWN, "Integration Errors of Unknown Type"),
    ],
)
def test_heading_names_the_error_type(error_type: ErrorType, heading: str) -> None:
    """`PostHog [Error Type]`, as in the template."""
    text = draft(incident(decided(decision(error_type=error_type))))
    assert text.startswith(f"## Incident: PostHog {heading}\n")


@pytest.mark.parametrize(
    ("events", "kind", "step"),
    [
        ((decided(decision(severity=Severity.P1)),), PostmortemClass.MAJOR, "invite engineering"),
        ((decided(decision(severity=Severity.P2)),), PostmortemClass.MAJOR, "Share the outcomes"),
        ((decided(decision(severity=Severity.P3)),), PostmortemClass.MINOR, "Share the summary"),
        ((decided(decision(severity=Severity.P4)),), PostmortemClass.MINOR, "the timeline is less important"),
        ((), PostmortemClass.MAJOR, "until somebody rates it"),
        (
            (decided(decision(severity=Severity.P1)), resolved("false_positive")),
            PostmortemClass.FALSE_POSITIVE,
            "Consider what could have been done better",
        ),
        (
            (
                decided(decision(severity=Severity.P1)),
                e.SeverityOverridden(
                    assessment=SeverityAssessment(severity=Severity.P3, because="one customer", by="bob")
                ),
            ),
            PostmortemClass.MINOR,
            "#incidents",
        ),
    ],
)
def test_process_follows_the_class(events: tuple[e.Event, ...], kind: PostmortemClass, step: str) -> None:
    """Major incidents get a call, minor ones a shared summary, false positives a question."""
    of = incident(*events)
    assert classify(of) is kind
    assert step in section(draft(of), "### Process")


def test_false_positive_asks_what_would_have_prevented_the_alert() -> None:
    """A false positive is worth the question how it came to be raised."""
    text = draft(incident(decided(), resolved("false_positive")))
    assert "what would have prevented the alert" in section(text, "#### Prevention")


def test_measured_impact_is_filled_in() -> None:
    """Figures of the metrics are shown with their times in the reader's zone."""
    figures = ImpactFigures(
        errors_total=12_345.0,
        peak_errors_per_second=18.04,
        peak_at=OPENED + timedelta(minutes=4),
        error_share=0.934,
        impact_started_at=OPENED - timedelta(minutes=3),
        impact_ended_at=OPENED + timedelta(hours=1, minutes=2),
    )
    text = draft(incident(), figures, BusinessCalendar(time_zone="Europe/Berlin"))
    impact = section(text, "### Impact")
    assert "| Errors in total | 12,345 |" in impact
    assert "| Peak rate | 18.04 errors/s at 2026-11-22 16:04 CET (15:04 UTC) |" in impact
    assert "| Share of requests that failed | 93.4% |" in impact
    assert "| Duration of the impact | 1 hour 5 minutes (2026-11-22 15:57 CET (14:57 UTC) to 17:02" in impact
    assert "Errors began to rise at 2026-11-22 15:57 CET (14:57 UTC), 3 min 0 s before" in text


def test_missing_figures_are_no_data_not_zero() -> None:
    """Without metrics every figure says so; an impact without an end is not over."""
    impact = section(draft(incident()), "### Impact")
    assert impact.count("| no data |") == 4
    ongoing = draft(incident(), ImpactFigures(impact_started_at=OPENED))
    assert "since 2026-11-22 15:00 UTC, no end in the metrics" in ongoing


def test_users_and_revenue_are_left_to_a_person() -> None:
    """Nobody's guess stands for the users affected or for revenue."""
    impact = section(draft(incident()), "### Impact")
    assert "- Users affected: ✍️ **Write:** N" in impact
    assert "- Revenue impact: ✍️ **Write:** $X" in impact


def test_action_items_come_from_loose_ends() -> None:
    """Switches left on, effects in doubt, hand-offs and blind checks become tasks; what harms has a date."""
    of = incident(
        triaged(status_page=Status.UNKNOWN),
        decided(decision(plan=(FALLBACK, HAND_OFF))),
        e.EffectSettled(effect=effect(EffectOutcome.UNSETTLED)),
        finished(ActionOutcome.RECOVERED),
    )
    items = section(draft(of), "### Action Items").strip().splitlines()
    assert [item.split(" - ")[0] for item in items] == [
        "- [ ] Disable the fallback on deployment/posthog-integration, left on by this incident",
        "- [ ] Find out whether this happened: set POSTHOG_FALLBACK=true (deployment/posthog-integration)",
        "- [ ] Ask PostHog support for a higher rate limit (long-term remedy for 429)",
        "- [ ] Make the check “Status page” answer; it said: as expected",
        "- [ ] ✍️ **Write:** preventive measure",
    ]
    assert items[0].endswith("- ✍️ **Write:** owner - 2026-11-23 (proposed)")
    assert items[2].endswith("- ✍️ **Write:** owner - ✍️ **Write:** due date")


def test_timeline_has_hours_and_names_another_day() -> None:
    """`HH:MM - event`; once midnight has passed the date is there too."""
    text = draft(incident(decided(), resolved(), step=timedelta(hours=8)))
    timeline = section(text, "### Timeline")
    assert "- 15:00 - Incident opened by alertmanager" in timeline
    assert "- 2026-11-23 07:00 - Response ended: recovered" in timeline


@pytest.mark.parametrize(
    ("delay", "word", "heading"),
    [(timedelta(minutes=14), "in time", "well"), (timedelta(minutes=16), "late", "poorly")],
)
def test_response_time_is_judged(delay: timedelta, word: str, heading: str) -> None:
    """A person within the severity's response time went well, a later one poorly, whatever the verdict."""
    acted = e.IncidentAcknowledged(by="ana")
    lessons = section(draft(incident(acted, decided(), step=delay)), "### Lessons")
    well, _, poorly = lessons.partition("Went poorly:")
    judged = {"well": well, "poorly": poorly}[heading]
    assert f"First person after {delay.seconds // 60} min 0 s: {word} for P1 (15 min)" in judged
    assert f"Explained verdict after {2 * delay.seconds // 60} min 0 s" in well


def test_a_verdict_is_no_response() -> None:
    """An incident in which nobody did anything in time says so, however soon its verdict was."""
    text = draft(incident(decided()))
    assert "Verdict after 30 s; no person yet, late: one was due by 15:15 UTC (15 min)" in text
    _, _, poorly = section(text, "### Lessons").partition("Went poorly:")
    assert "No person responded: one was due within 15 min (P1)" in poorly


def test_draft_masks_secrets() -> None:
    """A key that a person wrote into a note does not get into the document."""
    text = draft(incident(e.NoteAdded(by="bob", text="the key is phx_abcdef123456")))
    assert "the key is [redacted:phx]" in text
