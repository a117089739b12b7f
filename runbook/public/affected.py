"""Which areas of PostHog's product an incident affects, and where, by its findings and the decision on them.

What PostHog's page calls its components and regions only chooses among ours.
"""

from runbook.checks.findings import Findings, Status
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.checks.status_page_words import names_region
from runbook.decision.verdict import Verdict
from runbook.incidents.incident import Incident
from runbook.public.areas import OURS, Affected, ProductArea

_WORDS = {
    ProductArea.INGESTION: ("ingestion", "capture", "events", "event pipeline", "data pipeline"),
    ProductArea.FEATURE_FLAGS: ("flag", "flags"),
    ProductArea.SESSION_REPLAY: ("replay", "replays", "recording", "recordings"),
    ProductArea.EXPERIMENTS: ("experiment", "experiments", "experimentation"),
    ProductArea.SURVEYS: ("survey", "surveys"),
    ProductArea.INSIGHTS: ("insights", "queries", "query", "dashboards", "analytics"),
}
"""Words in the names of components on PostHog's page."""

REGIONS = ("US", "EU")


def affected(incident: Incident) -> Affected:
    """What the findings and the decision on them say is affected.

    During an outage of PostHog's it is what its page names; where the page names nothing that is known,
    and with any other verdict, it is all that the integration is for.
    """
    decision, findings = incident.decision, incident.findings
    if decision is None or findings is None or decision.verdict is not Verdict.POSTHOG_OUTAGE:
        return Affected()
    listed = findings.facts(STATUS_PAGE).incidents
    named = [_areas(it.components) for it in listed]
    regions = [_regions(it.regions) for it in listed]
    areas = (
        OURS if not all(named) else tuple(area for area in ProductArea if any(area in each for each in named))
    )
    return Affected(
        areas=areas or OURS,
        regions=tuple(it for it in REGIONS if all(regions) and any(it in each for each in regions)),
        well=tuple(area for area in OURS if areas and area not in areas) if _probe_is_well(findings) else (),
    )


def _areas(components: tuple[str, ...]) -> list[ProductArea]:
    return [
        area
        for area, words in _WORDS.items()
        if any(names_region(component, word) for component in components for word in words)
    ]


def _regions(listed: tuple[str, ...]) -> list[str]:
    return [region for region in REGIONS if any(names_region(it, region) for it in listed)]


def _probe_is_well(findings: Findings) -> bool:
    return any(it.check == PROBE.name and it.status is Status.OK for it in findings.items)
