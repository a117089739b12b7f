"""PostHog's public status page, in the forms in which such a page is read.

incident.io's widget (``/api/v1/summary``), Atlassian's summary (``/api/v2/summary.json``), the
``/api/status`` that some report, and a feed (``/feed.rss``); ``/`` is the page for
people. Formats: the providers' documentation.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from deployments.drill.world.clock import Clock, utc_now
from deployments.drill.world.faults import ListedIncident, StatusFormat, StatusPageFaults
from deployments.drill.world.servers.answers import json_answer

_ATLASSIAN_COMPONENT = {"full_outage": "major_outage"}
_ATLASSIAN_IMPACT = {"degraded_performance": "minor", "partial_outage": "major", "full_outage": "critical"}
_DESCRIPTIONS = {
    "none": "All Systems Operational",
    "minor": "Partially Degraded Service",
    "major": "Partial System Outage",
    "critical": "Major Service Outage",
}
_Endpoint = Callable[[Request], Awaitable[Response]]

_INCIDENT_ID = "01KAHQ3W8T5ZP0STH0GINCIDNT"


class StatusPage:
    """The page, telling what :attr:`faults` lists."""

    def __init__(self, *, clock: Clock = utc_now) -> None:
        """Start with everything operational."""
        self.url = ""
        self._clock = clock
        self._faults = StatusPageFaults()
        self._changed_at = clock()
        self._started_at = self._changed_at
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/api/v1/summary", self._served("incident_io", self._widget)),
                Route("/api/v2/summary.json", self._served("statuspage", self._atlassian)),
                Route("/api/status", self._served("api_status", self._api_status)),
                Route("/feed.rss", self._served("feed", self._feed)),
            ]
        )

    @property
    def faults(self) -> StatusPageFaults:
        """What the page lists now."""
        return self._faults

    @faults.setter
    def faults(self, faults: StatusPageFaults) -> None:
        if faults.incident != self._faults.incident:
            self._changed_at = self._clock()
            if self._faults.incident is None:
                self._started_at = self._changed_at
        self._faults = faults

    @property
    def ongoing(self) -> ListedIncident | None:
        """The incident that the page lists as not yet resolved."""
        incident = self._faults.incident
        return None if incident is None or incident.status == "resolved" else incident

    def _served(self, form: StatusFormat, answer: Callable[[], Response]) -> _Endpoint:
        async def serve(_request: Request) -> Response:
            if form not in self._faults.formats:
                return HTMLResponse("<!DOCTYPE html><html><body><h1>404</h1></body></html>", 404)
            return answer()

        return serve

    async def _page(self, _request: Request) -> Response:
        state = self.ongoing.name if self.ongoing else _DESCRIPTIONS["none"]
        return HTMLResponse(
            "<!DOCTYPE html><html><head><title>PostHog Status</title></head>"
            f"<body><h1>{escape(state)}</h1></body></html>"
        )

    def _widget(self) -> Response:
        return json_answer(
            {
                "page_title": "PostHog",
                "page_url": self.url,
                "ongoing_incidents": [self._widget_incident(self.ongoing)] if self.ongoing else [],
                "in_progress_maintenances": [self._widget_maintenance()] if self._faults.maintenance else [],
                "scheduled_maintenances": [],
            }
        )

    def _widget_incident(self, incident: ListedIncident) -> dict[str, Any]:
        return {
            "id": _INCIDENT_ID,
            "name": incident.name,
            "status": incident.status,
            "url": f"{self.url}/incidents/{_INCIDENT_ID}",
            "last_update_at": _stamp(self._changed_at),
            "last_update_message": incident.message,
            "current_worst_impact": incident.impact,
            "affected_components": _components(incident),
        }

    def _widget_maintenance(self) -> dict[str, Any]:
        return {
            "id": "01KAHQ3W8TEUMAINTENANCE000",
            "name": "Planned database upgrade",
            "url": f"{self.url}/maintenances/01KAHQ3W8TEUMAINTENANCE000",
            "status": "maintenance_in_progress",
            "started_at": _stamp(self._changed_at - timedelta(minutes=10)),
            "scheduled_end_at": _stamp(self._changed_at + timedelta(minutes=50)),
            "last_update_at": _stamp(self._changed_at),
            "last_update_message": None,
            "affected_components": [
                {
                    "id": "01KAHQ3W8TEUWEBAPP00000000",
                    "name": "App",
                    "group_name": "EU Cloud 🇪🇺",
                    "current_status": "operational",
                }
            ],
        }

    def _atlassian(self) -> Response:
        indicator = _ATLASSIAN_IMPACT[self.ongoing.impact] if self.ongoing else "none"
        return json_answer(
            {
                "page": {
                    "id": "posthog0status",
                    "name": "PostHog",
                    "url": self.url,
                    "time_zone": "Etc/UTC",
                    "updated_at": _stamp(self._changed_at),
                },
                "status": {"indicator": indicator, "description": _DESCRIPTIONS[indicator]},
                "components": self._atlassian_components(),
                "incidents": [self._atlassian_incident(self.ongoing)] if self.ongoing else [],
                "scheduled_maintenances": [],
            }
        )

    def _api_status(self) -> Response:
        affected = _components(self.ongoing) if self.ongoing else []
        groups: dict[str, list[dict[str, str]]] = {}
        for component in affected:
            shown = {key: component[key] for key in ("id", "name")} | {"status": component["current_status"]}
            groups.setdefault(component["group_name"], []).append(shown)
        return json_answer(
            {
                "overall_status": self.ongoing.impact if self.ongoing else "operational",
                "component_groups": [{"name": name, "components": found} for name, found in groups.items()],
                "active_incidents": [self._widget_incident(self.ongoing)] if self.ongoing else [],
            }
        )

    def _atlassian_components(self) -> list[dict[str, Any]]:
        affected = _components(self.ongoing) if self.ongoing else []
        return [
            {
                "id": component["id"],
                "name": component["name"],
                "status": _ATLASSIAN_COMPONENT.get(component["current_status"], component["current_status"]),
                "group_id": component["group_name"],
                "group": False,
            }
            for component in affected
        ]

    def _atlassian_incident(self, incident: ListedIncident) -> dict[str, Any]:
        update = {
            "id": f"{_INCIDENT_ID}-1",
            "status": incident.status,
            "body": incident.message,
            "created_at": _stamp(self._changed_at),
            "updated_at": _stamp(self._changed_at),
            "display_at": _stamp(self._changed_at),
            "affected_components": [],
        }
        return {
            "id": _INCIDENT_ID,
            "name": incident.name,
            "status": incident.status,
            "impact": _ATLASSIAN_IMPACT[incident.impact],
            "created_at": _stamp(self._started_at),
            "updated_at": _stamp(self._changed_at),
            "started_at": _stamp(self._started_at),
            "monitoring_at": _stamp(self._changed_at) if incident.status == "monitoring" else None,
            "resolved_at": None,
            "shortlink": f"{self.url}/incidents/{_INCIDENT_ID}",
            "incident_updates": [update],
            "components": self._atlassian_components(),
        }

    def _feed(self) -> Response:
        incident = self._faults.incident  # a feed keeps resolved incidents too
        item = ""
        if incident is not None:
            item = (
                f"<item><title>{escape(incident.name)}</title>"
                f"<link>{self.url}/incidents/{_INCIDENT_ID}</link><guid>{_INCIDENT_ID}</guid>"
                f"<pubDate>{self._changed_at:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
                f"<description>&lt;b&gt;Status: {incident.status.title()}&lt;/b&gt; "
                f"{escape(incident.message)}</description></item>"
            )
        return Response(
            '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
            f"<title>PostHog status</title><link>{self.url}</link>"
            f"<description>Incidents of PostHog</description>{item}</channel></rss>",
            media_type="application/rss+xml",
        )


def _components(incident: ListedIncident) -> list[dict[str, str]]:
    return [
        {
            "id": f"01KAHQ3W8T{group_number}{number}".ljust(26, "0"),
            "name": name,
            "group_name": group,
            "current_status": incident.impact,
        }
        for group_number, group in enumerate(incident.groups)
        for number, name in enumerate(incident.components)
    ]


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
