"""Refusals as a real API server words them: `Status` bodies with reason, code and details.

Texts and codes follow k8s.io/apimachinery/pkg/api/errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployments.drill.cluster.kinds import Kind
from deployments.drill.cluster.objects import JsonObject

APPLY_PATCH = "application/apply-patch+yaml"

PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    APPLY_PATCH,
)


@dataclass(frozen=True)
class Cause:
    """One offending field of an object that is invalid."""

    field: str
    reason: str
    message: str

    @classmethod
    def required(cls, field: str, detail: str = "") -> "Cause":
        """A field that must be there is missing or empty."""
        return cls(field, "FieldValueRequired", "Required value" + (f": {detail}" if detail else ""))

    @classmethod
    def invalid(cls, field: str, value: Any, detail: str) -> "Cause":
        """A field has a value outside its domain."""
        shown = f'"{value}"' if isinstance(value, str) else str(value)
        return cls(field, "FieldValueInvalid", f"Invalid value: {shown}: {detail}")

    @classmethod
    def duplicate(cls, field: str, value: str) -> "Cause":
        """A merge key occurs twice."""
        return cls(field, "FieldValueDuplicate", f'Duplicate value: "{value}"')

    @classmethod
    def forbidden(cls, field: str, detail: str) -> "Cause":
        """A field may not be changed or set."""
        return cls(field, "FieldValueForbidden", f"Forbidden: {detail}")


class ApiError(Exception):
    """A request that the API server refuses; `body` is the Status sent back with HTTP status `code`."""

    def __init__(self, code: int, reason: str, message: str, details: JsonObject | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.body: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            **({"reason": reason} if reason else {}),
            **({"details": details} if details else {}),
            "code": code,
        }


def _details(kind: Kind, name: str) -> JsonObject:
    details: JsonObject = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    details["kind"] = kind.plural
    return details


def not_found(kind: Kind, name: str) -> ApiError:
    """404: no such object."""
    return ApiError(404, "NotFound", f'{kind.qualified_plural} "{name}" not found', _details(kind, name))


def no_such_path() -> ApiError:
    """404: no such resource in the API."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(kind: Kind, name: str) -> ApiError:
    """409: the name is taken."""
    text = f'{kind.qualified_plural} "{name}" already exists'
    return ApiError(409, "AlreadyExists", text, _details(kind, name))


def conflict(kind: Kind, name: str, detail: str = "") -> ApiError:
    """409: the object changed since the caller read it."""
    detail = detail or (
        "the object has been modified; please apply your changes to the latest version and try again"
    )
    text = f'Operation cannot be fulfilled on {kind.qualified_plural} "{name}": {detail}'
    return ApiError(409, "Conflict", text, _details(kind, name))


def owned_by_others(fields: Mapping[str, list[str]], api_version: str) -> ApiError:
    """409: an apply would change what other managers own; `fields` has it by manager."""
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{manager}" using {api_version}',
            "field": field,
        }
        for manager, owned in fields.items()
        for field in owned
    ]
    listed = "\n".join(f"{cause['message']}: {cause['field']}" for cause in causes)
    count = f"{len(causes)} conflict{'s' if len(causes) != 1 else ''}"
    return ApiError(409, "Conflict", f"Apply failed with {count}: {listed}", {"causes": causes})


def invalid(kind: Kind, name: str, causes: list[Cause]) -> ApiError:
    """422: the object decodes, but breaks its type's rules."""
    listed = [f"{cause.field}: {cause.message}" for cause in causes]
    summary = listed[0] if len(listed) == 1 else "[" + ", ".join(listed) + "]"
    details: JsonObject = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    details["kind"] = kind.kind
    details["causes"] = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
    return ApiError(422, "Invalid", f'{kind.qualified_kind} "{name}" is invalid: {summary}', details)


def bad_request(message: str) -> ApiError:
    """400: the request itself makes no sense."""
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    """401: the credentials are not, or no longer, known."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def gone(requested: int, oldest: int) -> ApiError:
    """410: a watch asked for changes that are no longer kept."""
    return ApiError(410, "Expired", f"too old resource version: {requested} ({oldest})")


def method_not_allowed() -> ApiError:
    """405: the resource exists but does not take this method."""
    text = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", text, {})


def unsupported_media_type(accepted: tuple[str, ...]) -> ApiError:
    """415: a body in a form that the server does not read."""
    text = "the body of the request was in an unknown format - accepted media types include: "
    return ApiError(415, "UnsupportedMediaType", text + ", ".join(accepted))


def not_acceptable() -> ApiError:
    """406: the caller accepts only forms that the server does not write."""
    return ApiError(406, "NotAcceptable", "only the following media types are accepted: application/json")
