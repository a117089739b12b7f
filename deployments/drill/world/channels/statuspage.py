"""Atlassian Statuspage's API v1, for the company's own status page.

Sixty requests a minute and token, 420 over it; no idempotency key, so a repeated create makes a second
incident. Source: the documentation of Statuspage's API.
"""

import time
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deployments.drill.world.clock import Clock, utc_now
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.answers import json_answer
from deployments.drill.world.servers.pacing import Bucket

PAGE_ID = "drillpage0kctbh"
COMPONENTS = {"cmp0analytics": "Product analytics", "cmp0flags00000": "Feature flags"}

_PER_MINUTE = 60
_STATUSES = ("investigating", "identified", "monitoring", "resolved")
_IMPACTS = ("none", "maintenance", "minor", "major", "critical")
_COMPONENT_STATUSES = (
    "operational",
    "under_maintenance",
    "degraded_performance",
    "partial_outage",
    "major_outage",
    "",
)


class StatuspageApi:
    """One page; :attr:`incidents` is what was published on it, oldest first."""

    def __init__(self, keys: Keys, *, clock: Clock = utc_now) -> None:
        """Know the world's keys."""
        self.incidents: list[dict[str, Any]] = []
        self.component_statuses = dict.fromkeys(COMPONENTS, "operational")
        self._keys = keys
        self._clock = clock
        self._bucket = Bucket(_PER_MINUTE / 60, burst=_PER_MINUTE)
        self._updates = 0
        page = f"/v1/pages/{PAGE_ID}"
        self._routes = Starlette(
            routes=[
                Route(page, self._page),
                Route(f"{page}/components", self._components),
                Route(f"{page}/components/{{component}}", self._one_component),
                Route(f"{page}/incidents", self._incidents, methods=["GET"]),
                Route(f"{page}/incidents", self._create, methods=["POST"]),
                Route(f"{page}/incidents/unresolved", self._unresolved),
                Route(f"{page}/incidents/{{incident}}", self._incident, methods=["GET"]),
                Route(f"{page}/incidents/{{incident}}", self._change, methods=["PATCH", "PUT"]),
            ],
            exception_handlers={404: _not_found},
        )
        self.app = Starlette(
            routes=[Route("/{path:path}", self._guarded, methods=["GET", "POST", "PATCH", "PUT", "DELETE"])]
        )

    async def _guarded(self, request: Request) -> Any:
        if request.headers.get("authorization") != f"OAuth {self._keys.statuspage_key.get_secret_value()}":
            return json_answer({"error": "Could not authenticate"}, 401)
        request.state.authenticated_as = "runbook"
        if self._bucket.take(time.monotonic()):
            return json_answer({"error": "You have exceeded your rate limit"}, 420)
        return self._routes

    async def _page(self, _request: Request) -> Response:
        return json_answer({"id": PAGE_ID, "name": "Example", "time_zone": "UTC"})

    async def _components(self, _request: Request) -> Response:
        return json_answer([self._component(component) for component in COMPONENTS])

    async def _one_component(self, request: Request) -> Response:
        wanted = request.path_params["component"]
        known = wanted in COMPONENTS
        return json_answer(self._component(wanted)) if known else json_answer({"error": "Not found"}, 404)

    async def _incidents(self, _request: Request) -> Response:
        return json_answer(self.incidents[::-1])

    async def _unresolved(self, _request: Request) -> Response:
        return json_answer([i for i in reversed(self.incidents) if i["status"] != "resolved"])

    async def _incident(self, request: Request) -> Response:
        incident = self._found(request)
        return json_answer({"error": "Not found"}, 404) if incident is None else json_answer(incident)

    async def _create(self, request: Request) -> Response:
        wanted, problems = await _wanted(request)
        if not problems and not wanted.get("name"):
            problems = ["Name can't be blank"]
        if problems:
            return json_answer({"error": problems}, 422)
        now = _stamp(self._clock())
        identity = f"inc{len(self.incidents):09d}"
        incident: dict[str, Any] = {
            "id": identity,
            "page_id": PAGE_ID,
            "name": wanted["name"],
            "status": "investigating",
            "impact": "none",
            "impact_override": None,
            "metadata": {},
            "created_at": now,
            "updated_at": now,
            "started_at": now,
            "monitoring_at": None,
            "resolved_at": None,
            "shortlink": f"https://stspg.example/{identity}",
            "components": [],
            "incident_updates": [],
        }
        self.incidents.append(incident)
        self._apply(incident, wanted)
        return json_answer(incident, 201)

    async def _change(self, request: Request) -> Response:
        incident = self._found(request)
        if incident is None:
            return json_answer({"error": "Not found"}, 404)
        wanted, problems = await _wanted(request)
        if problems:
            return json_answer({"error": problems}, 422)
        self._apply(incident, wanted)
        return json_answer(incident)

    def _apply(self, incident: dict[str, Any], wanted: dict[str, Any]) -> None:
        now = _stamp(self._clock())
        incident["updated_at"] = now
        for field in ("name", "status", "impact_override", "metadata"):
            if field in wanted:
                incident[field] = wanted[field]
        if wanted.get("impact_override"):
            incident["impact"] = wanted["impact_override"]
        for status in ("monitoring", "resolved"):
            if incident["status"] == status:
                incident[f"{status}_at"] = incident[f"{status}_at"] or now
        changed = {k: v for k, v in (wanted.get("components") or {}).items() if k in COMPONENTS and v}
        self.component_statuses.update(changed)
        named = [*(wanted.get("component_ids") or []), *changed, *(c["id"] for c in incident["components"])]
        incident["components"] = [self._component(c) for c in COMPONENTS if c in named]
        if "body" in wanted or "status" in wanted:
            self._updates += 1
            update = {
                "id": f"upd{self._updates:09d}",
                "incident_id": incident["id"],
                "status": incident["status"],
                "body": wanted.get("body") or "",
                "deliver_notifications": wanted.get("deliver_notifications", True),
                "created_at": now,
                "updated_at": now,
                "display_at": now,
            }
            incident["incident_updates"].insert(0, update)

    def _component(self, component: str) -> dict[str, Any]:
        status = self.component_statuses[component]
        return {"id": component, "page_id": PAGE_ID, "name": COMPONENTS[component], "status": status}

    def _found(self, request: Request) -> dict[str, Any] | None:
        wanted = request.path_params["incident"]
        return next((incident for incident in self.incidents if incident["id"] == wanted), None)


async def _wanted(request: Request) -> tuple[dict[str, Any], list[str]]:
    try:
        body = await request.json()
    except ValueError:
        return {}, ["The request body is not JSON"]
    wanted = body.get("incident") if isinstance(body, dict) else None
    if not isinstance(wanted, dict):
        return {}, ["incident is missing"]
    problems = []
    if wanted.get("status", _STATUSES[0]) not in _STATUSES:
        problems.append("Status is not included in the list")
    if wanted.get("impact_override") not in (None, *_IMPACTS):
        problems.append("Impact override is not included in the list")
    if any(s not in _COMPONENT_STATUSES for s in (wanted.get("components") or {}).values()):
        problems.append("Component status is not included in the list")
    return wanted, problems


async def _not_found(_request: Request, _error: Exception) -> Response:
    return json_answer({"error": "Not found"}, 404)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
