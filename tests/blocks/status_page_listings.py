"""Atlassian's summary as a page may list it, and the finding that it leads to."""

from datetime import UTC, datetime
from typing import Any

from blocks.status_page.formats import Listing
from runbook.checks.findings import Finding, Status
from runbook.checks.readings import StatusPageReading
from runbook.checks.specs.status_page import judge_status_page

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
US, EU = "US Cloud", "EU Cloud"
OK, BAD, UNKNOWN = Status


def judged(listing: Listing, *regions: str) -> Finding:
    """The finding of a page with this listing, for an integration that uses these regions."""
    reading = StatusPageReading(
        page_url="https://status.example",
        format="statuspage",
        route="direct",
        incidents=listing.incidents,
        maintenances=listing.maintenances,
        unclear=listing.unclear,
    )
    return judge_status_page(reading, regions=regions, now=NOW)


def component(name: str, status: Any, group: str | None = None) -> dict[str, Any]:
    """A component of Atlassian's summary."""
    return {"id": name, "name": name, "status": status, "group": False, "group_id": group}


def summary(
    *components: dict[str, Any], indicator: str = "none", incidents: Any = (), **more: Any
) -> dict[str, Any]:
    """Atlassian's summary, with the groups of both regions."""
    groups = [
        {"id": "us", "name": US, "status": "operational", "group": True, "group_id": None},
        {"id": "eu", "name": EU, "status": "operational", "group": True, "group_id": None},
    ]
    return {
        "page": {"id": "p", "name": "PostHog"},
        "status": {"indicator": indicator, "description": f"Banner {indicator}"},
        "components": [*groups, *components],
        "incidents": list(incidents),
        "scheduled_maintenances": [],
        **more,
    }


def incident(
    *components: dict[str, Any], impact: str = "minor", status: str = "identified"
) -> dict[str, Any]:
    """An incident of Atlassian's summary."""
    return {"id": "i", "name": "Incident", "status": status, "impact": impact, "components": list(components)}
