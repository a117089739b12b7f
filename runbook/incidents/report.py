"""What people see of an incident in Prefect: tables and markdown artifacts, and the question at a gate."""

from collections.abc import Iterable

from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.actions.essence import decisive_lines, essence, folded, for_a_form
from runbook.actions.spec import ActionKind
from runbook.approvals.gates import SNOOZE_MINUTES
from runbook.channels.local_time import in_zone
from runbook.channels.wording import REHEARSAL, STATUS_MARKS, VERDICT_TITLES, edit_words
from runbook.checks.catalogue import check_question, check_title
from runbook.checks.findings import Findings
from runbook.decision.tree_picture import data_uri, decision_svg
from runbook.decision.verdict import Decision, Verdict
from runbook.incidents.events import EvidenceCollected
from runbook.incidents.incident import Incident
from runbook.incidents.timeline import timeline
from runbook.policy.permissions import PermissionChange
from runbook.templates.environments import render_markdown

DIGEST_LETTERS = 12
"""How much of a plan's digest people are shown: enough to tell two plans apart by eye."""


HEAVY_PICTURE = 150_000
"""Characters of a data URI from which on a page only says where the picture is."""


def triage_markdown(findings: Findings) -> str:
    """The findings, one to an item: mark, check and answer, then the question with its source and its time.

    Prefect's UI breaks no line in a table, so what does not fit there is lost; a list fits every window.
    """
    rows = [
        (
            f"{STATUS_MARKS[finding.status]} {check_title(finding.check)}",
            f"{finding.status.value}, {finding.summary}",
            check_question(finding.check),
            finding.source,
            f"{finding.seconds:.2f} s",
        )
        for finding in findings.items
    ]
    return render_markdown("triage.md.j2", rows=rows)


def decision_markdown(decision: Decision, *, respond_within: str = "") -> str:
    """The verdict with its picture, path, severity, plan, and what would have led elsewhere.

    `respond_within` is the policy's response time in words, by default that of the runbook's table.
    """
    return render_markdown(
        "decision.md.j2",
        decision=decision,
        respond_within=respond_within or decision.severity.severity.target,
        title=VERDICT_TITLES[decision.verdict],
        picture=data_uri(decision_svg(decision)),
        mix=[(kind.heading, f"{share:.0%}") for kind, share in decision.mix.items()],
        plan=[(action, _how(action)) for action in decision.plan],
        flips=[(flip.change, VERDICT_TITLES[flip.verdict]) for flip in decision.would_flip],
        undecided=decision.verdict is Verdict.UNKNOWN,
    )


def plan_markdown(
    change_plan: ChangePlan, decision: Decision | None = None, who: str = "", gap: str = ""
) -> str:
    """The preview of a change: exactly what would change, why, and how it is proved and undone.

    `who` says whose approval it takes, or has already; `gap` which evidence of the time before is missing.
    """
    return render_markdown(
        "plan.md.j2",
        plan=change_plan,
        spec=change_plan.action.spec,
        reasons=decision.because if decision else (),
        digest=short_digest(change_plan),
        who=who,
        gap=gap,
        rehearsal=REHEARSAL if change_plan.dry_run else "",
    )


def gate_question(
    change_plan: ChangePlan, needed: str = "", edited: Iterable[PermissionChange] = (), gap: str = ""
) -> str:
    """The question at a gate, as markdown: the change in one line, its decisive lines, then everything else.

    Prefect's form has its fields below. So the whole change, with the lines around it, is there only where
    the decisive lines are not all of it; it is among the run's artifacts in any case.

    `needed` says who has to approve, where not anybody may; `edited` is what was edited in the policy since
    the incident was opened; `gap` is which evidence is missing that the change may destroy.
    """
    decisive = decisive_lines(change_plan.diff)
    return render_markdown(
        "gate.md.j2",
        question=_asked(change_plan),
        essence=essence(change_plan),
        decisive=for_a_form(decisive.text),
        whole="" if decisive.complete else for_a_form(folded(change_plan.diff)),
        plan=change_plan,
        spec=change_plan.action.spec,
        digest=short_digest(change_plan),
        snooze=SNOOZE_MINUTES,
        needed=needed,
        edited=[edit_words(change) for change in edited],
        gap=gap,
    )


def question_of(change_plan: ChangePlan) -> str:
    """The question in one line, with what changes; it says of a rehearsal that it is one."""
    return " ".join(filter(None, (_asked(change_plan), essence(change_plan))))


def _asked(change_plan: ChangePlan) -> str:
    question = f"{change_plan.action.spec.title} on {change_plan.action.target}?"
    return f"{REHEARSAL}. {question}" if change_plan.dry_run else question


def timeline_markdown(incident: Incident, *, time_zone: str = "UTC", response: str = "") -> str:
    """The whole journal, an event to an item under its day, on the clocks of the zone and in UTC.

    `response` says how soon a person has acted. A list, as in `triage_markdown`.
    """
    days: dict[str, list[tuple[str, str]]] = {}
    for entry in timeline(incident):
        at = in_zone(entry.at, time_zone)
        utc = "" if time_zone == "UTC" else f" ({in_zone(entry.at, 'UTC'):%H:%M:%S} UTC)"
        days.setdefault(f"{at:%Y-%m-%d}", []).append((f"{at:%H:%M:%S %Z}{utc}", entry.sentence))
    return render_markdown("timeline.md.j2", incident=incident, days=days, response=response)


def evidence_markdown(collection: EvidenceCollected, chart_uri: str | None = None) -> str:
    """What was kept, where, with the beginnings of its hashes; and what could not be had, and why.

    The manifest has the whole hashes, and its own is whole here. `chart_uri` is the address of the error
    chart, a data URI as a rule; one that would make the page heavy is named as the file that it is.
    """
    heavy = len(chart_uri or "") > HEAVY_PICTURE
    return render_markdown(
        "evidence.md.j2", heavy=heavy, collection=collection, letters=DIGEST_LETTERS, chart_uri=chart_uri
    )


def short_digest(change_plan: ChangePlan) -> str:
    """The start of the plan's digest, for people to compare."""
    return change_plan.digest[:DIGEST_LETTERS]


def _how(action: PlannedAction) -> str:
    match action.spec.kind:
        case ActionKind.CHANGE:
            return f"change, {action.spec.risk.value} risk, needs an approval"
        case ActionKind.HAND_OFF:
            return "for a person"
        case _:
            return "read-only, changes nothing"
