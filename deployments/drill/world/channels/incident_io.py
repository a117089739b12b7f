"""incident.io's API: incidents, incidents on its status page, and post-mortem documents.

Creating is idempotent by ``idempotency_key``; an update of a status page incident is not. Source: the
documentation of incident.io's API.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deployments.drill.world.clock import Clock, utc_now
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.answers import json_answer

STATUS_PAGE_ID = "01KAHQSTATUSPAGE0000000000"
COMPONENT_IDS = ("01KAHQC0MP0NENTANALYT1CS00",)

_STATUSES = ("investigating", "identified", "monitoring", "resolved")
_COMPONENT_STATUSES = ("operational", "degraded_performance", "partial_outage", "full_outage")

Json = dict[str, Any]


class _Invalid(Exception):
    def __init__(self, field: str, message: str, code: str = "invalid_value") -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "source": {"field": field}}


class IncidentIoApi:
    """One organisation; what was made in it is in the public attributes, oldest first."""

    def __init__(self, keys: Keys, *, clock: Clock = utc_now) -> None:
        """Know the world's keys."""
        self.incidents: list[Json] = []
        self.status_page_incidents: list[Json] = []
        self.postmortem_documents: list[Json] = []
        self._keys = keys
        self._clock = clock
        self._by_key: dict[tuple[str, str], Json] = {}
        posts = {
            "/v2/incidents": self._create_incident,
            "/v2/status_page_incidents": self._create_status_page_incident,
            "/v2/status_page_incident_updates": self._update_status_page_incident,
            "/v1/postmortem_documents/actions/attach": self._attach_postmortem,
        }
        gets = {
            "/v2/incidents": lambda: {"incidents": self.incidents},
            "/v2/status_page_incidents": lambda: {"status_page_incidents": self.status_page_incidents},
            "/v1/postmortem_documents": lambda: {"postmortem_documents": self.postmortem_documents},
        }
        self.app = Starlette(
            routes=[
                *(Route(path, self._posting(make), methods=["POST"]) for path, make in posts.items()),
                *(Route(path, self._reading(read), methods=["GET"]) for path, read in gets.items()),
            ]
        )

    def _posting(self, make: Any) -> Any:
        async def post(request: Request) -> Response:
            refused = self._refused(request)
            if refused is not None:
                return refused
            try:
                body = await request.json()
                if not isinstance(body, dict):
                    raise _Invalid("", "The request body must be an object")
                return json_answer(make(body), 201)
            except _Invalid as invalid:
                return _error(422, "validation_error", [invalid.error])
            except ValueError:
                return _error(
                    400, "bad_request", [{"code": "invalid_json", "message": "The body is not JSON"}]
                )

        return post

    def _reading(self, read: Any) -> Any:
        async def get(request: Request) -> Response:
            return self._refused(request) or json_answer(read())

        return get

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {self._keys.incident_io_key.get_secret_value()}":
            message = "Your API key is invalid or has been revoked"
            return _error(401, "authentication_error", [{"code": "invalid_api_key", "message": message}])
        request.state.authenticated_as = "runbook"
        return None

    def _create_incident(self, body: Json) -> Json:
        key = _text(body, "idempotency_key")
        if ("incident", key) not in self._by_key:
            if _text(body, "visibility") not in ("public", "private"):
                raise _Invalid("visibility", "visibility must be one of public, private")
            if body.get("mode", "standard") not in ("standard", "test", "retrospective", "tutorial"):
                raise _Invalid("mode", "mode must be one of standard, retrospective, test, tutorial")
            incident = {
                "id": _identity(),
                "reference": f"INC-{len(self.incidents) + 1}",
                "name": body.get("name") or "Untitled incident",
                "summary": body.get("summary"),
                "mode": body.get("mode", "standard"),
                "visibility": body["visibility"],
                "incident_status": {"id": _identity(), "name": "Investigating", "category": "live"},
                "permalink": f"https://app.incident.io/drill/incidents/{len(self.incidents) + 1}",
                "created_at": _stamp(self._clock()),
                "updated_at": _stamp(self._clock()),
            }
            self.incidents.append(incident)
            self._by_key["incident", key] = incident
        return {"incident": self._by_key["incident", key]}

    def _create_status_page_incident(self, body: Json) -> Json:
        key = _text(body, "idempotency_key")
        if ("status page", key) not in self._by_key:
            if _text(body, "status_page_id") != STATUS_PAGE_ID:
                raise _Invalid("status_page_id", "Could not find the status page", "not_found")
            if not isinstance(body.get("notify_subscribers"), bool):
                raise _Invalid("notify_subscribers", "notify_subscribers is required", "is_required")
            identity = _identity()
            incident: Json = {
                "id": identity,
                "status_page_id": STATUS_PAGE_ID,
                "name": _text(body, "name"),
                "idempotency_key": key,
                "updates": [],
                "component_statuses": [],
                "published_at": _stamp(self._clock()),
                "public_url": f"https://status.example.com/incidents/{identity}",
            }
            self._publish(incident, body)
            self.status_page_incidents.append(incident)
            self._by_key["status page", key] = incident
        return {"status_page_incident": self._by_key["status page", key]}

    def _update_status_page_incident(self, body: Json) -> Json:
        wanted = _text(body, "status_page_incident_id")
        incident = next((i for i in self.status_page_incidents if i["id"] == wanted), None)
        if incident is None:
            raise _Invalid("status_page_incident_id", "Could not find the incident", "not_found")
        self._publish(incident, body)
        return {"status_page_incident_update": incident["updates"][-1]}

    def _publish(self, incident: Json, body: Mapping[str, Any]) -> None:
        status = _text(body, "incident_status")
        if status not in _STATUSES:
            raise _Invalid("incident_status", f"incident_status must be one of {', '.join(_STATUSES)}")
        components = body.get("component_statuses")
        if status == "resolved" and components is not None:
            message = "component_statuses must not be set when the incident is resolved"
            raise _Invalid("component_statuses", message)
        for component in components or []:
            if component.get("component_id") not in COMPONENT_IDS:
                raise _Invalid("component_statuses", "Could not find the component", "not_found")
            if component.get("component_status") not in _COMPONENT_STATUSES:
                raise _Invalid("component_statuses", "component_status is not one of the allowed values")
        update = {
            "id": _identity(),
            "message": _text(body, "message"),
            "incident_status": status,
            "status_page_incident_id": incident["id"],
            "published_at": _stamp(self._clock()),
        }
        incident["updates"].append(update)
        incident["incident_status"] = status
        incident["component_statuses"] = components or (
            [] if status == "resolved" else incident["component_statuses"]
        )

    def _attach_postmortem(self, body: Json) -> Json:
        document = {
            "id": _identity(),
            "incident_id": _text(body, "incident_id"),
            "permalink": _text(body, "permalink"),
            "created_at": _stamp(self._clock()),
        }
        self.postmortem_documents.append(document)
        return {"postmortem_document": document}


def _text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise _Invalid(field, f"{field} is required", "is_required")
    return value


def _error(status: int, kind: str, errors: list[Json]) -> Response:
    body = {"type": kind, "status": status, "request_id": str(uuid.uuid4()), "errors": errors}
    return json_answer(body, status)


def _identity() -> str:
    return f"01K{uuid.uuid4().hex[:23].upper()}"


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
