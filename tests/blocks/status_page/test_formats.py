"""What each form of a status page lists, from document to finding; never "operational" by mistake."""

import json
from pathlib import Path
from typing import Any

import pytest

from blocks.status_page.formats import Listing, UnknownFormat, read_feed, read_json, read_statuspage
from runbook.checks.findings import Status
from runbook.checks.specs.status_page import STATUS_PAGE
from tests.blocks.status_page_listings import BAD, EU, OK, UNKNOWN, US, component, incident, judged, summary

FOLDER = Path(__file__).parents[2] / "data" / "status-pages"


def recorded(name: str) -> Listing:
    """What a recorded document lists."""
    [path] = FOLDER.glob(f"{name}-*") if not (FOLDER / name).exists() else [FOLDER / name]
    content = path.read_text()
    return read_feed(content) if path.suffix == ".xml" else read_json(json.loads(content), "statuspage")


@pytest.mark.parametrize(
    ("name", "regions", "status", "worst"),
    [
        ("S1", (US,), BAD, "partial_outage"),  # beside an incident of the other region
        ("S1", (EU,), BAD, "degraded_performance"),
        ("S1b.json", (US,), BAD, "partial_outage"),
        ("S1b.json", (EU,), UNKNOWN, "none"),  # a red group, and none of its components is listed
        ("S2", (), BAD, "none"),  # an incident counts whatever impact it claims
        ("S4", (), OK, "none"),
        ("S5", (US,), OK, "none"),
        ("S5", (EU,), BAD, "degraded_performance"),
        ("S6", (), OK, "none"),
        ("S7", (), UNKNOWN, "none"),
        ("S10", (), BAD, "degraded_performance"),
        ("S11", (), OK, "none"),
        ("S12", (), OK, "none"),
        ("S13", (), OK, "none"),
        ("S14", (), OK, "none"),
        ("S20", (), OK, "none"),
        ("S30", (), OK, "none"),
        ("S31", (), BAD, "degraded_performance"),
        ("S32", (), OK, "none"),
    ],
)
def test_a_recorded_page_says_this(name: str, regions: tuple[str, ...], status: Status, worst: str) -> None:
    """Pages of many vendors, for the regions that the integration uses."""
    found = judged(recorded(name), *regions)
    assert (found.status, found.facts_of(STATUS_PAGE).worst_impact) == (status, worst), found.summary


RED_US = component("Flags", "major_outage", "us")
RED_EU = component("Ingestion", "degraded_performance", "eu")


@pytest.mark.parametrize(
    ("document", "status", "worst"),
    [
        (summary(), OK, "none"),
        (summary(RED_US), BAD, "full_outage"),
        (summary(RED_EU, indicator="minor"), OK, "none"),
        (summary(RED_EU, indicator="critical"), OK, "none"),  # the components say where it is
        (summary(RED_US, RED_EU, incidents=[incident(RED_EU)]), BAD, "full_outage"),
        (
            summary(RED_US, incidents=[incident(impact="none")]),
            BAD,
            "full_outage",
        ),  # a notice explains nothing
        (summary(RED_US, incidents=[incident(RED_US)]), BAD, "full_outage"),  # worse than it claims
        (summary(component("App", "operational", "us"), indicator="major"), BAD, "partial_outage"),
        (summary(component("App", "sideways", "us")), UNKNOWN, "none"),
        (summary(component("App", None, "us")), UNKNOWN, "none"),
        (summary(component("App", "sideways", "eu")), OK, "none"),  # of no concern
        (summary(component("App", "sideways", "us"), RED_US), BAD, "full_outage"),
        (summary(component("App", "under_maintenance", "us")), OK, "none"),
        (summary(indicator="sideways"), UNKNOWN, "none"),
        (summary(indicator="sideways", incidents=[incident(RED_EU)]), UNKNOWN, "none"),
        (summary(indicator="maintenance"), OK, "none"),
        (summary(component("Website", "partial_outage")), BAD, "partial_outage"),  # in no region: everyone's
        (summary(incidents=[incident(RED_EU, impact="critical", status="Resolved")]), OK, "none"),
        (summary(incidents=[incident(RED_EU, status="")]), OK, "none"),  # open, and elsewhere
        (summary(incidents=[incident(status="sideways")]), BAD, "degraded_performance"),
    ],
)
def test_components_and_banner_say_what_incidents_do_not(
    document: dict[str, Any], status: Status, worst: str
) -> None:
    """For an integration in the US: what is red there counts, and what nobody can read is unknown."""
    found = judged(read_statuspage(document), US)
    assert (found.status, found.facts_of(STATUS_PAGE).worst_impact) == (status, worst), found.summary


def test_a_banner_that_nothing_lists_the_cause_of_is_not_clear() -> None:
    """A page without components whose banner is worse than its incidents elsewhere hides something."""
    document = {**summary(indicator="critical", incidents=[incident(RED_EU)]), "components": []}
    assert judged(read_statuspage(document), "us").status is UNKNOWN


def test_maintenance_of_a_component_is_noted() -> None:
    """A component under maintenance is listed as one, where no maintenance on the page does it."""
    listing = read_statuspage(summary(component("App", "under_maintenance", "us")))
    assert [item.name for item in listing.maintenances] == ["App: under maintenance"]
    assert judged(listing, US).summary == "no incident listed; maintenance: App: under maintenance"


def test_the_summary_names_what_is_not_clear() -> None:
    """People see which word it was."""
    assert judged(read_statuspage(summary(component("App", "sideways", "us")))).summary == (
        "not clear: App (sideways)"
    )


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"ongoing_incidents": 2}, BAD),
        ({"ongoing_incidents": 0}, OK),
        ({"ongoing_incidents": [], "overall": {"status": "partial_outage"}}, BAD),
        ({"ongoing_incidents": [], "overall": {"status": "sideways"}}, UNKNOWN),
        ({"ongoing_incidents": [{"title": "x", "phase": "resolved"}]}, OK),
        ({"page": {"status": "UP"}, "activeIncidents": []}, OK),
        ({"page": {"status": "UP"}}, OK),
        ({"page": {"status": "HASISSUES"}}, BAD),
        ({"page": {"status": "UNDERMAINTENANCE"}}, OK),
        ({"page": {"status": "UP"}, "activeIncidents": [{"name": "x", "status": "INVESTIGATING"}]}, BAD),
        ({"overall_status": "Partial System Outage", "active_incidents": []}, BAD),
        ({"overall_status": "sideways", "active_incidents": []}, UNKNOWN),
        ({"overall_status": "operational", "components": [{"name": "a", "status": "down"}]}, BAD),
        ({"overall_status": "operational", "components": [{"name": "a", "status": "what"}]}, UNKNOWN),
        ({"active_incidents": [{"name": "x", "status": "Closed"}]}, OK),
    ],
)
def test_other_summaries_are_read(document: dict[str, Any], status: Status) -> None:
    """Summaries of Flashduty, Instatus and others, and those that only count."""
    assert judged(read_json(document, "api_status")).status is status


@pytest.mark.parametrize(
    "document",
    [
        {"ongoing_incidents": None},
        {"ongoing_incidents": True},
        {"ongoing_incidents": {}},
        {"ongoing_incidents": ["x"]},
        {"incidents": ["x"]},
        {"incidents": [], "components": "x"},
        {"incidents": [], "components": ["x"]},
        {"active_incidents": "none"},
        {"page": {"name": "PostHog"}},
        {},
    ],
)
def test_half_a_document_is_unreadable(document: dict[str, Any]) -> None:
    """A list that is none, or holds something else, is no empty list."""
    with pytest.raises(UnknownFormat):
        read_json(document, "api_status")
