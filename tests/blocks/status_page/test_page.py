"""What PostHog's status page lists, in four formats; never "operational" by mistake."""

import pytest
from pytest_httpserver import HTTPServer

from blocks.status_page.formats import UnknownFormat, impact_of, read_feed, read_statuspage
from blocks.transport.errors import Unreadable
from runbook.checks.readings import Impact
from tests.blocks.status_page_bench import INCIDENT, STATUSPAGE, SUMMARY, page


async def test_the_widget_lists_an_incident(httpserver: HTTPServer) -> None:
    """incident.io's summary is read with its impact, regions, components and last update."""
    httpserver.expect_request("/api/v1/summary").respond_with_json(
        {**SUMMARY, "ongoing_incidents": [INCIDENT]}
    )

    reading = await page(httpserver).read_any()

    assert (reading.format, reading.route) == ("incident_io", "direct")
    (incident,) = reading.incidents
    assert incident.impact is Impact.FULL_OUTAGE
    assert incident.regions == ("US Cloud 🇺🇸",)
    assert incident.components == ("Flags",)
    assert incident.message == "We found it."
    assert incident.updated_at is not None


async def test_three_empty_lists_are_no_incident(httpserver: HTTPServer) -> None:
    """The widget's healthy answer has no incident."""
    httpserver.expect_request("/api/v1/summary").respond_with_json(SUMMARY)

    reading = await page(httpserver).read_any()

    assert reading.incidents == ()
    assert reading.maintenances == ()


async def test_an_incident_without_components_affects_everyone(httpserver: HTTPServer) -> None:
    """No affected components, or one outside of any group, means that no region is spared."""
    ungrouped = [{"name": "Website"}, *INCIDENT["affected_components"]]
    incidents = [{**INCIDENT, "affected_components": []}, {**INCIDENT, "affected_components": ungrouped}]
    httpserver.expect_request("/api/v1/summary").respond_with_json(
        {**SUMMARY, "ongoing_incidents": incidents}
    )

    reading = await page(httpserver).read_any()

    assert [incident.regions for incident in reading.incidents] == [(), ()]


async def test_a_running_maintenance_is_no_incident(httpserver: HTTPServer) -> None:
    """A maintenance in progress is listed apart."""
    maintenance = {
        "id": "m",
        "name": "Upgrade",
        "status": "maintenance_in_progress",
        "affected_components": [],
    }
    httpserver.expect_request("/api/v1/summary").respond_with_json(
        {**SUMMARY, "in_progress_maintenances": [maintenance]}
    )

    reading = await page(httpserver).read_any()

    assert reading.incidents == ()
    assert [item.impact for item in reading.maintenances] == [Impact.MAINTENANCE]


async def test_the_next_format_is_tried(httpserver: HTTPServer) -> None:
    """Where the widget is not served, Atlassian's summary is read; its groups are regions."""
    incident = {
        "id": "i",
        "name": "Delays",
        "status": "monitoring",
        "impact": "major",
        "shortlink": "https://stspg.io/i",
        "updated_at": "2026-11-22T15:00:00.000Z",
        "incident_updates": [{"body": "Newest", "status": "monitoring"}, {"body": "Older"}],
        "components": [{"id": "c", "name": "Ingestion", "group_id": "g"}],
    }
    over = {**incident, "id": "o", "status": "resolved"}
    httpserver.expect_request("/api/v2/summary.json").respond_with_json(
        {**STATUSPAGE, "incidents": [incident, over]}
    )

    reading = await page(httpserver).read_any()

    assert reading.format == "statuspage"
    (listed,) = reading.incidents
    assert (listed.impact, listed.regions, listed.message) == (Impact.PARTIAL_OUTAGE, ("EU Cloud",), "Newest")


async def test_a_summary_without_incidents_is_completed(httpserver: HTTPServer) -> None:
    """A partial summary says nothing about incidents; the unresolved ones are asked for."""
    partial = {key: value for key, value in STATUSPAGE.items() if key != "incidents"}
    incident = {"id": "i", "name": "Delays", "status": "investigating", "impact": "minor"}
    httpserver.expect_request("/api/v2/summary.json").respond_with_json(partial)
    httpserver.expect_request("/api/v2/incidents/unresolved.json").respond_with_json(
        {"incidents": [incident]}
    )

    reading = await page(httpserver).read_any()

    assert [item.name for item in reading.incidents] == ["Delays"]


async def test_a_summary_that_cannot_be_completed_is_unreadable(httpserver: HTTPServer) -> None:
    """A summary without incidents is no proof of health."""
    partial = {key: value for key, value in STATUSPAGE.items() if key != "incidents"}
    httpserver.expect_request("/api/v2/summary.json").respond_with_json(partial)

    with pytest.raises(Unreadable):
        await page(httpserver, format="statuspage").read_any()


async def test_the_plain_status_form_is_read(httpserver: HTTPServer) -> None:
    """`/api/status` with an active incident is read."""
    httpserver.expect_request("/api/status").respond_with_json(
        {
            "overall_status": "degraded_performance",
            "component_groups": [],
            "active_incidents": [
                {"id": 7, "title": "Slow queries", "status": "identified", "impact": "weird"}
            ],
        }
    )

    reading = await page(httpserver).read_any()

    assert reading.format == "api_status"
    assert [(item.id, item.name, item.impact) for item in reading.incidents] == [
        ("7", "Slow queries", Impact.DEGRADED)
    ]


async def test_broken_components_count_without_an_incident(httpserver: HTTPServer) -> None:
    """Red components that no incident explains are listed as one."""
    group = {"name": "US Cloud", "components": [{"id": "c", "name": "Flags", "status": "partial_outage"}]}
    httpserver.expect_request("/api/status").respond_with_json(
        {"overall_status": "partial_outage", "component_groups": [group], "active_incidents": []}
    )

    (incident,) = (await page(httpserver).read_any()).incidents

    assert incident.impact is Impact.PARTIAL_OUTAGE
    assert incident.components == ("Flags",)
    assert incident.regions == ("US Cloud",)


def test_a_banner_counts_without_an_incident() -> None:
    """An indicator that is not none is an incident, even with green components."""
    document = {**STATUSPAGE, "status": {"indicator": "critical", "description": "Major Service Outage"}}

    (incident,) = read_statuspage(document).incidents

    assert (incident.name, incident.impact) == ("Major Service Outage", Impact.FULL_OUTAGE)


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>PostHog</title>
<item><title>Open</title><link>https://s/1</link><pubDate>Sun, 22 Nov 2026 15:00:00 GMT</pubDate>
<description>&lt;b&gt;Status: Identified&lt;/b&gt; found it</description></item>
<item><title>Over</title><description>&lt;p&gt;&lt;strong&gt;Resolved&lt;/strong&gt; - done&lt;/p&gt;
&lt;p&gt;&lt;strong&gt;Investigating&lt;/strong&gt; - look&lt;/p&gt;</description></item>
<item><title>Upgrade</title><description>&lt;strong&gt;In progress&lt;/strong&gt; - now</description></item>
<item><title>Later</title><description>&lt;strong&gt;Scheduled&lt;/strong&gt; - soon</description></item>
</channel></rss>"""


async def test_the_feed_is_the_last_resort(httpserver: HTTPServer) -> None:
    """Where no JSON is served, the feed's unresolved items are the incidents."""
    httpserver.expect_request("/feed.rss").respond_with_data(FEED, content_type="application/rss+xml")

    reading = await page(httpserver).read_any()

    assert (reading.format, reading.route) == ("feed", "feed, direct")
    assert [(item.name, item.status) for item in reading.incidents] == [("Open", "identified")]
    assert [item.name for item in reading.maintenances] == ["Upgrade"]


@pytest.mark.parametrize("text", ["<html></html>", "no xml", "<!DOCTYPE rss [<!ENTITY a 'b'>]><rss/>", ""])
def test_what_is_no_feed_is_unreadable(text: str) -> None:
    """HTML, text and documents with entities are no feed."""
    with pytest.raises(UnknownFormat):
        read_feed(text)


@pytest.mark.parametrize("word", ["sideways", "", None, "unknown"])
def test_an_unknown_impact_is_degraded(word: str | None) -> None:
    """A word that nobody knows never means "none"."""
    assert impact_of(word) is Impact.DEGRADED


@pytest.mark.parametrize(
    "body",
    [
        "<html>hello</html>",
        "{}",
        "[]",
        '{"page": {"name": "PostHog"}}',
        '{"ongoing_incidents": null, "status": "ok"}',
        "not json",
    ],
)
async def test_an_unreadable_page_is_never_operational(httpserver: HTTPServer, body: str) -> None:
    """HTML, other JSON and nonsense are an error, not an empty list."""
    httpserver.expect_request("/").respond_with_data(body)
    for path in ("/api/v1/summary", "/api/v2/summary.json", "/api/status", "/feed.rss"):
        httpserver.expect_request(path).respond_with_data(body)

    with pytest.raises(Unreadable) as caught:
        await page(httpserver).read_any()

    assert "direct: " in caught.value.detail
    assert "feed, direct: " in caught.value.detail
