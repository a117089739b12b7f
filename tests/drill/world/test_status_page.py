"""PostHog's status page in its machine-readable forms."""

from collections.abc import AsyncIterator
from xml.etree import ElementTree

import httpx
import pytest

from deployments.drill.world.faults import ListedIncident, StatusPageFaults
from deployments.drill.world.posthog.status_page import StatusPage
from deployments.drill.world.servers.wire import listening


@pytest.fixture
async def page() -> AsyncIterator[tuple[StatusPage, httpx.AsyncClient]]:
    """Serve the page and give a client of it."""
    status_page = StatusPage()
    async with listening(status_page.app) as url, httpx.AsyncClient(base_url=url) as client:
        status_page.url = url
        yield status_page, client


async def test_a_healthy_widget_has_three_empty_lists(page: tuple[StatusPage, httpx.AsyncClient]) -> None:
    """incident.io's widget lists nothing when all is well, and never the full list of components."""
    summary = (await page[1].get("/api/v1/summary")).json()
    lists = {name: value for name, value in summary.items() if isinstance(value, list)}
    assert lists == {"ongoing_incidents": [], "in_progress_maintenances": [], "scheduled_maintenances": []}


async def test_a_listed_incident_shows_in_every_form(page: tuple[StatusPage, httpx.AsyncClient]) -> None:
    """The widget, Atlassian's summary and the feed tell of the same incident in their own words."""
    status_page, client = page
    status_page.faults = StatusPageFaults(incident=ListedIncident(name="Down", impact="full_outage"))
    widget = (await client.get("/api/v1/summary")).json()["ongoing_incidents"][0]
    assert (widget["name"], widget["status"], widget["current_worst_impact"]) == (
        "Down",
        "investigating",
        "full_outage",
    )
    assert {c["group_name"] for c in widget["affected_components"]} == {"US Cloud 🇺🇸"}
    atlassian = (await client.get("/api/v2/summary.json")).json()
    assert atlassian["status"]["indicator"] == "critical"
    assert atlassian["incidents"][0]["impact"] == "critical"
    assert {c["status"] for c in atlassian["components"]} == {"major_outage"}
    feed = ElementTree.fromstring((await client.get("/feed.rss")).text)  # noqa: S314  our own text
    assert feed.findtext("channel/item/title") == "Down"


async def test_a_resolved_incident_stays_in_the_feed_alone(
    page: tuple[StatusPage, httpx.AsyncClient],
) -> None:
    """Once resolved, the incident leaves both summaries and the feed says so."""
    status_page, client = page
    status_page.faults = StatusPageFaults(incident=ListedIncident())
    status_page.faults = StatusPageFaults(incident=ListedIncident(status="resolved"))
    assert (await client.get("/api/v1/summary")).json()["ongoing_incidents"] == []
    assert (await client.get("/api/v2/summary.json")).json()["status"]["indicator"] == "none"
    assert "Status: Resolved" in (await client.get("/feed.rss")).text


async def test_an_incident_of_everyone_names_no_components(
    page: tuple[StatusPage, httpx.AsyncClient],
) -> None:
    """No regions means everyone, as the widget has it."""
    status_page, client = page
    status_page.faults = StatusPageFaults(incident=ListedIncident(groups=()))
    summary = (await client.get("/api/v1/summary")).json()
    assert summary["ongoing_incidents"][0]["affected_components"] == []


async def test_the_page_for_people_is_html(page: tuple[StatusPage, httpx.AsyncClient]) -> None:
    """The root answers a web page, which a reader of JSON must not take for good news."""
    answer = await page[1].get("/")
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_page_may_serve_one_form_only(page: tuple[StatusPage, httpx.AsyncClient]) -> None:
    """The addresses of the forms that a page does not serve answer 404 with a web page."""
    status_page, client = page
    status_page.faults = StatusPageFaults(
        formats=("api_status",), incident=ListedIncident(impact="full_outage")
    )
    status = (await client.get("/api/status")).json()
    assert status["overall_status"] == "full_outage"
    assert [group["name"] for group in status["component_groups"]] == ["US Cloud 🇺🇸"]
    assert len(status["active_incidents"]) == 1
    for path in ("/api/v1/summary", "/api/v2/summary.json", "/feed.rss"):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
