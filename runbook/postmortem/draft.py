"""The post-mortem draft: the runbook's template, filled with what the journal and the metrics know.

Summary and DERP come first, since they are the most valuable. Wherever a person must write, the draft says
`✍️ **Write:**`; searching for it finds everything that is left to do.
"""

from datetime import datetime
from enum import StrEnum

from runbook.channels.local_time import clock_after, hours_and_minutes, in_zone, stamp
from runbook.channels.wording import OUTCOMES, VERDICT_TITLES
from runbook.clocks.response import response_clock
from runbook.decision.severity import Severity
from runbook.decision.verdict import ErrorType
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome
from runbook.incidents.timeline import timeline
from runbook.policy.policy import Policy
from runbook.postmortem.facts import (
    ActionItem,
    action_items,
    detection,
    escalation,
    prevention,
    recovery,
    went_poorly,
    went_well,
)
from runbook.templates.environments import render_markdown
from runbook.value import Value

NO_DATA = "no data"

ERROR_TYPE_HEADINGS = {
    ErrorType.AUTHENTICATION: "Authentication (401/403)",
    ErrorType.RATE_LIMITED: "Rate Limited (429)",
    ErrorType.POSTHOG_ERRORS: "Errors (500/503)",
    ErrorType.INFRASTRUCTURE: "Integration Infrastructure",
    ErrorType.NONE: "Integration Alert without Errors",
    ErrorType.UNKNOWN: "Integration Errors of Unknown Type",
}


class PostmortemClass(StrEnum):
    """Which process a post-mortem follows."""

    MAJOR = "major"
    MINOR = "minor"
    FALSE_POSITIVE = "false positive"


class ImpactFigures(Value):
    """What the metrics say about the impact; `None` is no data.

    Times are aware UTC; `error_share` is failed requests over all requests, 0 to 1.
    """

    errors_total: float | None = None
    peak_errors_per_second: float | None = None
    peak_at: datetime | None = None
    error_share: float | None = None
    impact_started_at: datetime | None = None
    impact_ended_at: datetime | None = None


def classify(incident: Incident) -> PostmortemClass:
    """P1 and P2 are major, P3 and P4 minor; an incident that nobody has rated counts as major."""
    if incident.outcome is IncidentOutcome.FALSE_POSITIVE:
        return PostmortemClass.FALSE_POSITIVE
    severity = incident.severity
    minor = severity is not None and severity.severity in (Severity.P3, Severity.P4)
    return PostmortemClass.MINOR if minor else PostmortemClass.MAJOR


def draft_postmortem(
    incident: Incident,
    figures: ImpactFigures,
    *,
    now: datetime,
    policy: Policy | None = None,
) -> str:
    """A draft for any incident, also for one that ended early or goes on.

    `now` (aware UTC) dates the draft and measures an incident that is not over. Times are shown in the
    zone of the policy's calendar, and its next business day is proposed as the date by which switches are
    taken off.
    """
    rules = policy or Policy()
    hours, response = rules.calendar, response_clock(incident, rules)
    decision = incident.decision
    return render_markdown(
        "postmortem.md.j2",
        incident=incident,
        now=now,
        time_zone=hours.time_zone,
        heading=ERROR_TYPE_HEADINGS[decision.error_type if decision else ErrorType.UNKNOWN],
        date=f"{in_zone(incident.opened_at, hours.time_zone):%Y-%m-%d}",
        duration=_duration(incident, now),
        severity=incident.severity,
        summary=_summary(incident, hours.time_zone),
        verdict=VERDICT_TITLES[decision.verdict] if decision else "",
        kind=classify(incident).value,
        detection=detection(
            incident, figures.impact_started_at, response, now=now, time_zone=hours.time_zone
        ),
        escalation=escalation(incident, hours.time_zone),
        recovery=recovery(incident),
        prevention=prevention(incident),
        timeline=_timeline(incident, hours.time_zone),
        impact=_impact_rows(figures, hours.time_zone),
        action_items=[_line(item) for item in action_items(incident, now, hours)],
        went_well=went_well(incident, response, now),
        went_poorly=went_poorly(incident, response, now),
    )


def _duration(incident: Incident, now: datetime) -> str:
    if incident.duration is not None:
        return hours_and_minutes(incident.duration)
    return f"{hours_and_minutes(now - incident.opened_at)} so far (the response has not ended)"


def _summary(incident: Incident, time_zone: str) -> str:
    decision, alert = incident.decision, incident.alert
    opened = f"On {stamp(incident.opened_at, time_zone)}, {alert.name} came in for {incident.service}"
    concluded = "no verdict was reached"
    if decision:
        concluded = f"the runbook concluded: {VERDICT_TITLES[decision.verdict]}"
    ended = "The response has not ended."
    if incident.outcome and incident.duration is not None:
        ended = f"After {hours_and_minutes(incident.duration)} it ended as {OUTCOMES[incident.outcome]}."
    return f"{opened}; {concluded}. {ended}"


def _timeline(incident: Incident, time_zone: str) -> list[tuple[str, str]]:
    opened = incident.opened_at
    entries = timeline(incident, machinery=False)
    return [(_hour(entry.at, opened, time_zone), entry.sentence) for entry in entries]


def _hour(at: datetime, opened: datetime, time_zone: str) -> str:
    """`HH:MM` as the template has it, with the date once another day has begun."""
    local, first = in_zone(at, time_zone), in_zone(opened, time_zone)
    return f"{local:%H:%M}" if local.date() == first.date() else f"{local:%Y-%m-%d %H:%M}"


def _impact_rows(figures: ImpactFigures, time_zone: str) -> list[tuple[str, str]]:
    started, ended = figures.impact_started_at, figures.impact_ended_at
    length = NO_DATA
    if started and ended:
        length = f"{hours_and_minutes(ended - started)} ({stamp(started, time_zone)} to "
        length += f"{clock_after(ended, started, time_zone)})"
    elif started:
        length = f"since {stamp(started, time_zone)}, no end in the metrics"
    peak = _number(figures.peak_errors_per_second, "{:,.2f} errors/s")
    if figures.peak_at and figures.peak_errors_per_second is not None:
        peak += f" at {stamp(figures.peak_at, time_zone)}"
    return [
        ("Errors in total", _number(figures.errors_total, "{:,.0f}")),
        ("Peak rate", peak),
        ("Share of requests that failed", _number(figures.error_share, "{:.1%}")),
        ("Duration of the impact", length),
    ]


def _number(value: float | None, form: str) -> str:
    return NO_DATA if value is None else form.format(value)


def _line(item: ActionItem) -> tuple[str, str]:
    return item.text, f"{item.due:%Y-%m-%d}" if item.due else ""
