"""What the receiver takes, as OpenAPI and as a page, which needs no script and nothing from elsewhere."""

from typing import Any

from fastapi.responses import JSONResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from runbook.alerts.sources import Source
from runbook.alerts.sources.plain import PlainAlert

_TEMPLATES = Environment(
    loader=PackageLoader("deployments.receiver"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)

_TEXT = {"type": "string"}
_LABELS = {"type": "object", "additionalProperties": _TEXT}
_GROUP = {
    "type": "object",
    "required": ["alerts"],
    "properties": {
        "version": _TEXT,
        "groupKey": _TEXT,
        "alerts": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["status", "labels"],
                "properties": {
                    "status": {"enum": ["firing", "resolved"]},
                    "labels": _LABELS,
                    "annotations": _LABELS,
                    "startsAt": {"type": "string", "format": "date-time"},
                    "endsAt": {"type": "string", "format": "date-time"},
                    "generatorURL": _TEXT,
                    "fingerprint": _TEXT,
                },
            },
        },
    },
}
_SCHEMAS: dict[str, dict[str, Any]] = {
    "alertmanager": _GROUP,
    "grafana": _GROUP,
    "pagerduty": {"type": "object", "required": ["event"], "properties": {"event": {"type": "object"}}},
    "incident-io": {"type": "object", "required": ["event_type"], "properties": {"event_type": _TEXT}},
    "plain": PlainAlert.model_json_schema(),
}
_PROOFS = {
    "alertmanager": "A bearer token, a user and password, or a header that your proxy sets.",
    "grafana": "The HMAC-SHA256 of the body in `X-Grafana-Alerting-Signature`, or a bearer token.",
    "pagerduty": "`X-PagerDuty-Signature`.",
    "incident-io": "`webhook-id`, `webhook-timestamp` and `webhook-signature`, as in Standard Webhooks.",
    "plain": "A bearer token.",
}
_ANSWER = {
    "type": "object",
    "required": ["incidents", "ignored"],
    "properties": {
        "incidents": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "new"],
                "properties": {"id": _TEXT, "new": {"type": "boolean"}},
            },
        },
        "ignored": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["service", "name", "reason"],
                "properties": {"service": _TEXT, "name": _TEXT, "reason": _TEXT},
            },
        },
    },
}
_REFUSAL = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": _TEXT, "next_step": _TEXT},
}
_REFUSALS = {
    400: "The body ended early, or the request is not plain HTTP/1.1.",
    401: "The request does not prove where it comes from.",
    408: "The headers or the body took too long.",
    413: "The body is too long.",
    431: "The headers are too long.",
    422: "The notification has no alert in it.",
    503: "The alerts could not be made durable, or too many came at once; send them again.",
}
_TAKEN = {
    200: "Received before: nothing was done.",
    202: "The alerts are in the store. A body that cannot be read has opened an incident, too.",
}


def describe(source: Source) -> dict[str, Any]:
    """The path of a source for FastAPI."""
    taken = {status: _response(text, _ANSWER) for status, text in _TAKEN.items()}
    refused = {status: _response(text, _REFUSAL) for status, text in _REFUSALS.items()}
    body = {"required": True, "content": {"application/json": {"schema": _SCHEMAS[source.name]}}}
    return {
        "status_code": 202,
        "summary": source.title,
        "description": f"Proof: {_PROOFS[source.name]}",
        "tags": ["alerts"],
        "response_class": JSONResponse,
        "responses": {**taken, **refused},
        "openapi_extra": {"requestBody": body},
    }


def _response(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def page(openapi: dict[str, Any]) -> str:
    """The page for people."""
    return _TEMPLATES.get_template("receiver.html.j2").render(api=openapi)
