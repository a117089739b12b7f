"""A block whose status page is the test's server, and the documents that it serves."""

from typing import Any

from pytest_httpserver import HTTPServer

from blocks.status_page.page import StatusPage

INCIDENT = {
    "id": "01",
    "name": "Elevated error rates",
    "status": "identified",
    "url": "https://www.posthogstatus.com/incidents/01",
    "last_update_at": "2026-11-22T15:00:00Z",
    "last_update_message": "We found it.",
    "current_worst_impact": "full_outage",
    "affected_components": [
        {"id": "c", "name": "Flags", "group_name": "US Cloud 🇺🇸", "current_status": "full_outage"}
    ],
}
SUMMARY: dict[str, Any] = {
    "page_title": "PostHog",
    "page_url": "https://www.posthogstatus.com",
    "ongoing_incidents": [],
    "in_progress_maintenances": [],
    "scheduled_maintenances": [],
}
STATUSPAGE: dict[str, Any] = {
    "page": {"id": "p", "name": "PostHog", "url": "https://status.posthog.com"},
    "status": {"indicator": "none", "description": "All Systems Operational"},
    "components": [
        {"id": "g", "name": "EU Cloud", "status": "operational", "group": True, "group_id": None},
        {"id": "c", "name": "Ingestion", "status": "operational", "group": False, "group_id": "g"},
    ],
    "incidents": [],
    "scheduled_maintenances": [],
}


def page(httpserver: HTTPServer, **settings: Any) -> StatusPage:
    """A block whose page is the test's server, which answers 404 to what it does not serve."""
    httpserver.no_handler_status_code = 404
    return StatusPage(**{"url": httpserver.url_for("/"), "timeout_seconds": 5, **settings})
