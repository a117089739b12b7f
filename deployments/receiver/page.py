"""What the receiver takes, as OpenAPI and as a page, which needs no script and nothing from elsewhere."""

from typing import Any

from fastapi.responses import JSONResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from deployments.receiver.sources.registry import PROOFS
from runbook.alerts.sources import Source

TEMPLATES = Environment(
    loader=PackageLoader("deployments.receiver"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)

_TEXT = {"type": "string"}
_ANY_OBJECT: dict[str, Any] = {"type": "object", "properties": {}}
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
    401: "The request is not authenticated.",
    408: "The headers or the body took too long.",
    413: "The body is too long.",
    431: "The headers are too long.",
    422: "The notification has no alert in it.",
    503: "The alerts could not be stored, or too many came at once; send them again.",
}
_TAKEN = {
    200: "Received before: nothing was changed.",
    202: "The alerts are in the store. A body that cannot be read also opens an incident.",
}


def describe(source: Source) -> dict[str, Any]:
    """The path of a source for FastAPI."""
    proof = PROOFS.get(source.name) or PROOFS["plain"]  # a mapped one proves itself in the same ways
    payload = proof.payload if source.name in PROOFS else _ANY_OBJECT
    taken = {status: _response(text, _ANSWER) for status, text in _TAKEN.items()}
    refused = {status: _response(text, _REFUSAL) for status, text in _REFUSALS.items()}
    body = {"required": True, "content": {"application/json": {"schema": payload}}}
    return {
        "status_code": 202,
        "summary": source.title,
        "description": f"Proof: {proof.how}",
        "tags": ["alerts"],
        "response_class": JSONResponse,
        "responses": {**taken, **refused},
        "openapi_extra": {"requestBody": body},
    }


def _response(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def page(openapi: dict[str, Any]) -> str:
    """The page for people."""
    return TEMPLATES.get_template("receiver.html.j2").render(api=openapi)
