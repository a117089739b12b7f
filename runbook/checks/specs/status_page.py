"""Does PostHog's status page show an incident?"""

from datetime import datetime

from runbook.checks.facts import Facts, RecordedFacts
from runbook.checks.findings import Finding, Status
from runbook.checks.readings import Impact, ListedIncident, StatusPageReading, Title
from runbook.checks.spec import CheckName, CheckSpec
from runbook.checks.status_page_words import names_region
from runbook.decision.leaves import Verdict
from runbook.outside_text import OutsideLine

IMPACTS = tuple(Impact)


class StatusPageFacts(Facts):
    """The incidents that count for us and the worst of their impacts, `elsewhere` the number of the others.

    `maintenances` and `unclear` are names; `route` and `format` say how the page was read.
    """

    incidents: tuple[ListedIncident, ...] = ()
    worst_impact: Impact | None = None
    elsewhere: int | None = None
    maintenances: tuple[Title, ...] = ()
    unclear: tuple[Title, ...] = ()
    route: OutsideLine | None = None
    format: OutsideLine | None = None


def judge_status_page(reading: StatusPageReading, *, regions: tuple[str, ...], now: datetime) -> Finding:
    """An incident counts when it affects everyone or a region that we use; maintenance is only noted.

    Where nothing counts, but something of ours is told in words that nobody knows, the answer is unknown.
    """
    relevant = [incident for incident in reading.incidents if _concerns(incident, regions)]
    unclear = [item for item in reading.unclear if _concerns(item, regions)]
    worst = max((incident.impact for incident in relevant), key=IMPACTS.index, default=Impact.NONE)
    others = len(reading.incidents) - len(relevant)
    if relevant:
        status, summary = Status.BAD, _listed(relevant)
    elif unclear:
        status, summary = Status.UNKNOWN, "not clear: " + "; ".join(item.name for item in unclear)
    elif others:
        status, summary = Status.OK, f"nothing listed for our regions ({others} elsewhere)"
    else:
        status, summary = Status.OK, "no incident listed"
    if reading.maintenances:
        summary += f"; maintenance: {', '.join(item.name for item in reading.maintenances)}"
    facts = StatusPageFacts(
        incidents=tuple(relevant),
        worst_impact=worst,
        elsewhere=others,
        maintenances=tuple(item.name for item in reading.maintenances),
        unclear=tuple(item.name for item in unclear),
        route=reading.route,
        format=reading.format,
    )
    return Finding(
        check=STATUS_PAGE.name,
        status=status,
        summary=summary,
        facts=RecordedFacts.of(facts),
        source=reading.page_url,
        observed_at=now,
    )


def _listed(incidents: list[ListedIncident]) -> str:
    return "; ".join(f"{incident.name} ({incident.impact}, {incident.status})" for incident in incidents)


def _concerns(incident: ListedIncident, regions: tuple[str, ...]) -> bool:
    if not regions or not incident.regions:
        return True
    return any(names_region(listed, wanted) for listed in incident.regions for wanted in regions)


STATUS_PAGE = CheckSpec[StatusPageFacts, StatusPageReading](
    name=CheckName("status_page"),
    title="Status page",
    order=10,
    question="Does PostHog's status page show an incident?",
    hope="PostHog's status page lists no incident",
    asked="PostHog's status page",
    facts=StatusPageFacts,
    judge=lambda reading, _, now: judge_status_page(reading, regions=reading.our_regions, now=now),
    lasting=frozenset({Verdict.POSTHOG_OUTAGE}),
)
