"""What each form of a status page lists, from document to finding; never "operational" by mistake."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from blocks.status_page.formats import (
    Listing,
    UnknownFormat,
    read_api_status,
    read_feed,
    read_incident_io,
    read_json,
    read_statuspage,
)
from runbook.checks.findings import Finding, Status
from runbook.checks.readings import StatusPageReading
from runbook.checks.specs.status_page import STATUS_PAGE, judge_status_page

FOLDER = Path(__file__).parents[2] / "data" / "status-pages"
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


RSS = (
    "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel>{}</channel></rss>"
)
ATOM = "<feed xmlns='http://www.w3.org/2005/Atom'><entry>{}</entry></feed>"


@pytest.mark.parametrize(
    ("feed", "status"),
    [
        (RSS.format("<item><title>[RESOLVED] Errors</title></item>"), OK),
        (RSS.format("<item><title>Errors - Resolved</title></item>"), OK),
        (RSS.format("<item><title>Errors (completed)</title></item>"), OK),
        (RSS.format("<item><title>Investigating: errors</title></item>"), BAD),
        (RSS.format("<item><title>UPDATE: Errors</title></item>"), BAD),
        (RSS.format("<item><title>Resolved tickets cannot be opened</title></item>"), UNKNOWN),
        (RSS.format("<item><title>Errors</title></item>"), UNKNOWN),  # nobody says whether it is over
        (RSS.format("<item><title>Errors</title><status>resolved</status></item>"), OK),
        (RSS.format("<item><title>E</title><description>Status: Resolved</description></item>"), OK),
        (
            RSS.format(
                "<item><title>E</title><description><![CDATA[<b>Closed beta</b> ends]]></description></item>"
            ),
            UNKNOWN,
        ),
        (
            RSS.format(
                "<item><title>E</title><description>See the page.</description>"
                "<content:encoded><![CDATA[<strong class='s'>Resolved</strong> - done]]></content:encoded>"
                "</item>"
            ),
            OK,
        ),
        (
            ATOM.format(
                "<title>E</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
                "<p><small>Jan 1</small><br/><strong>Resolved</strong> - done</p>"
                "<p><strong>Investigating</strong> - look</p></div></content>"
            ),
            OK,
        ),
        (
            ATOM.format(
                "<title>E</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
                "<p><strong>Monitoring</strong> - looks well</p></div></content>"
            ),
            BAD,
        ),
        ("\ufeff\n <?xml version='1.0' encoding='UTF-8'?>" + RSS.format(""), OK),
        ("\r\n" + ATOM.format("<title>E</title><summary>&lt;b&gt;In progress&lt;/b&gt;</summary>"), OK),
    ],
)
def test_the_state_of_an_item_is_read_wherever_it_stands(feed: str, status: Status) -> None:
    """In the title, in a label of any body, escaped or not, or in an element of its own; else unknown."""
    assert judged(read_feed(feed)).status is status


STATUSES = (
    "operational",
    "degraded_performance",
    "partial_outage",
    "major_outage",
    "under_maintenance",
    "",
    "odd",
)
components = st.builds(
    component,
    st.sampled_from(("App", "Flags", "Ingestion")),
    st.sampled_from(STATUSES),
    st.sampled_from(("us", "eu", None)),
)
incidents = st.builds(
    lambda listed, impact, status: incident(*listed, impact=impact, status=status),
    st.lists(components, max_size=2),
    st.sampled_from(("none", "minor", "critical", "odd")),
    st.sampled_from(("investigating", "resolved", "odd")),
)
pages = st.builds(
    lambda listed, indicator, open_: summary(*listed, indicator=indicator, incidents=open_),
    st.lists(components, max_size=4),
    st.sampled_from(("none", "minor", "critical", "maintenance", "odd")),
    st.lists(incidents, max_size=2),
)


@given(pages, st.sampled_from(("us", "eu", None)), st.sampled_from(((), (US,), (EU,))))
def test_one_more_operational_component_makes_nothing_well(
    document: dict[str, Any], group: str | None, regions: tuple[str, ...]
) -> None:
    """What was bad or unknown stays so when the page lists one more component that is operational."""
    before = judged(read_statuspage(document), *regions).status
    more = {**document, "components": [*document["components"], component("New", "operational", group)]}
    assume(before is not OK)
    assert judged(read_statuspage(more), *regions).status is before


documents = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(STATUSES) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "status",
                    "page",
                    "components",
                    "incidents",
                    "ongoing_incidents",
                    "active_incidents",
                    "name",
                    "group",
                )
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(documents)
def test_a_document_is_read_or_refused(document: Any) -> None:
    """No JSON object stops a reader in any other way."""
    assume(isinstance(document, dict))
    for read in (read_incident_io, read_statuspage, read_api_status):
        try:
            listing = read(document)
        except UnknownFormat:
            continue
        assert judged(listing).status in Status


@given(st.text(max_size=100) | st.text(alphabet="<>/rsitem= '\"![]-:", max_size=100))
def test_a_feed_is_read_or_refused(text: str) -> None:
    """No text stops the reader of feeds in any other way, alone or within an item."""
    for feed in (text, RSS.format(f"<item><title>{text}</title></item>")):
        try:
            listing = read_feed(feed)
        except UnknownFormat:
            continue
        assert judged(listing).status in Status
