"""PagerDuty's Events API v2, as its documentation describes it."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.answers import json_answer
from deployments.drill.world.servers.pacing import Bucket

MOST_SUMMARY = 1_024
MOST_DEDUP_KEY = 255
MOST_EVENT_BYTES = 512 * 1024

_ACTIONS = ("trigger", "acknowledge", "resolve")
_STATES = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}
_SEVERITIES = ("critical", "error", "warning", "info")
_PER_MINUTE = 120


@dataclass(slots=True)
class Page:
    """An alert at PagerDuty: what happened under one deduplication key since it was last resolved."""

    dedup_key: str
    state: str
    summary: str
    severity: str
    events: list[dict[str, Any]] = field(default_factory=list)


class PagerDuty:
    """One service; :attr:`pages` is what it was told, oldest first."""

    def __init__(self, keys: Keys) -> None:
        """Know the world's routing key."""
        self.pages: list[Page] = []
        self._keys = keys
        self._bucket = Bucket(_PER_MINUTE / 60, burst=_PER_MINUTE)
        self.app = Starlette(routes=[Route("/v2/enqueue", self._enqueue, methods=["POST"])])

    async def _enqueue(self, request: Request) -> Response:
        if len(await request.body()) > MOST_EVENT_BYTES:
            return json_answer({"status": "payload too large", "message": "Event object exceeds 512 KB"}, 413)
        try:
            event = await request.json()
        except ValueError:
            return _invalid("The request body could not be parsed as JSON")
        problems = _problems(event)
        if problems:
            return _invalid(*problems)
        if event["routing_key"] != self._keys.pagerduty_routing_key.get_secret_value():
            return _invalid("Invalid routing key")
        request.state.authenticated_as = "runbook service"
        if self._bucket.take(time.monotonic()):
            return json_answer({"status": "throttle exceeded", "message": "Rate limit exceeded"}, 429)
        key = event.get("dedup_key") or uuid.uuid4().hex
        self._take(key, event)
        return json_answer({"status": "success", "message": "Event processed", "dedup_key": key}, 202)

    def _take(self, key: str, event: dict[str, Any]) -> None:
        open_page = next((p for p in self.pages if p.dedup_key == key and p.state != "resolved"), None)
        action = event["event_action"]
        kept = {name: value for name, value in event.items() if name != "routing_key"}
        if open_page is None:
            if action == "trigger":
                payload = event["payload"]
                page = Page(key, "triggered", payload["summary"], payload["severity"], [kept])
                self.pages.append(page)
            return  # acknowledging or resolving what is not open is accepted and has no effect
        open_page.events.append(kept)
        if action != "trigger":
            open_page.state = _STATES[action]


def _problems(event: Any) -> list[str]:
    if not isinstance(event, dict):
        return ["The request body must be an object"]
    problems = []
    if not isinstance(event.get("routing_key"), str) or len(event["routing_key"]) != 32:
        problems.append("'routing_key' is missing or of invalid length")
    action = event.get("event_action")
    if action not in _ACTIONS:
        problems.append(f"'event_action' must be one of {', '.join(_ACTIONS)}")
    if len(str(event.get("dedup_key") or "")) > MOST_DEDUP_KEY:
        problems.append(f"Length of 'dedup_key' is greater than maximum {MOST_DEDUP_KEY}")
    if action in ("acknowledge", "resolve") and not event.get("dedup_key"):
        problems.append("'dedup_key' is missing or blank")
    if action == "trigger":
        problems += _payload_problems(event.get("payload"))
    return problems


def _payload_problems(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    problems = [
        f"'payload.{name}' is missing or blank" for name in ("summary", "source") if not payload.get(name)
    ]
    if len(str(payload.get("summary") or "")) > MOST_SUMMARY:
        problems.append(f"Length of 'payload.summary' is greater than maximum {MOST_SUMMARY}")
    if payload.get("severity") not in _SEVERITIES:
        problems.append(f"'payload.severity' must be one of {', '.join(_SEVERITIES)}")
    return problems


def _invalid(*errors: str) -> Response:
    return json_answer(
        {"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}, 400
    )
