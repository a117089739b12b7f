"""One request as the API's handlers see it: query, headers and a body that may not be what it claims."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from starlette.requests import Request

from deployments.drill.cluster.objects import JsonObject
from deployments.drill.cluster.server.errors import (
    APPLY_PATCH,
    bad_request,
    not_acceptable,
    unsupported_media_type,
)
from deployments.drill.cluster.server.protobuf import MEDIA_TYPE, decoded_review
from deployments.drill.cluster.writes.managed_fields import Writer
from deployments.drill.cluster.writes.write_options import WriteOptions

_BODY_TYPES = ("application/json", "application/yaml")


@dataclass(frozen=True)
class Call:
    """A request's parts."""

    query: Mapping[str, str]
    content_type: str
    accept: str
    raw: bytes
    user_agent: str = ""

    @classmethod
    async def of(cls, request: Request) -> "Call":
        """Read a request to its end."""
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        return cls(
            dict(request.query_params),
            content_type,
            request.headers.get("accept", ""),
            await request.body(),
            request.headers.get("user-agent", ""),
        )

    @property
    def wants_table(self) -> bool:
        """Whether the caller prefers a Table, as `kubectl get` does."""
        return "as=Table" in self.accept

    def check_accept(self) -> None:
        """Raises ApiError 406 where the caller accepts no JSON."""
        types = [part.partition(";")[0].strip() for part in self.accept.split(",")]
        if self.accept and not {"application/json", "application/*", "*/*"} & set(types):
            raise not_acceptable()

    def recorded_body(self) -> Any:
        """The body for the record: parsed where possible."""
        try:
            return json.loads(self.raw) if self.raw else None
        except ValueError:
            return self.raw.decode(errors="replace")

    def parsed(self) -> Any:
        """The body's value. Raises ApiError 400."""
        try:
            return yaml.safe_load(self.raw) if self.content_type.endswith("yaml") else json.loads(self.raw)
        except (ValueError, yaml.YAMLError):
            raise bad_request("error decoding the body: it is neither JSON nor YAML") from None

    def body_object(self) -> JsonObject:
        """The body as one API object. Raises ApiError 400 or 415."""
        if self.content_type not in ("", *_BODY_TYPES):
            raise unsupported_media_type(_BODY_TYPES)
        value = self.parsed()
        if not isinstance(value, dict):
            raise bad_request("the body is not an object")
        return value

    def review(self, kind: str) -> JsonObject:
        """The body of a review, which kubectl sends in protobuf. Raises ApiError 400 or 415."""
        return decoded_review(kind, self.raw) if self.content_type == MEDIA_TYPE else self.body_object()

    def delete_options(self) -> JsonObject:
        """A delete's options. Raises ApiError 400.

        With a body no query is read, as in the real server: a dry run that is asked for in the query, beside
        a body, really deletes.
        """
        options = self.body_object() if self.raw else self._query_options()
        _check_dry_run(options.get("dryRun") or [])
        return options

    def _query_options(self) -> JsonObject:
        options: JsonObject = {}
        if "gracePeriodSeconds" in self.query:
            options["gracePeriodSeconds"] = int(self.query["gracePeriodSeconds"])
        if "propagationPolicy" in self.query:
            options["propagationPolicy"] = self.query["propagationPolicy"]
        if "dryRun" in self.query:
            options["dryRun"] = [self.query["dryRun"]]
        return options

    def is_dry_run(self) -> bool:
        """Whether a create, update or patch may store nothing. Raises ApiError 400."""
        asked = list(filter(None, [self.query.get("dryRun")]))
        _check_dry_run(asked)
        return bool(asked)

    def write_options(self, subresource: str = "") -> WriteOptions:
        """How the caller wants the write, and as which field manager. Raises ApiError 400."""
        validation = self.query.get("fieldValidation") or "Warn"
        if validation not in ("Ignore", "Warn", "Strict"):
            raise bad_request(f'fieldValidation: Unsupported value: "{validation}"')
        manager = self.query.get("fieldManager") or self.user_agent.partition("/")[0]
        operation = "Apply" if self.content_type == APPLY_PATCH else "Update"
        return WriteOptions(self.is_dry_run(), validation, Writer(manager, operation, subresource))


def _check_dry_run(asked: list[str]) -> None:
    for each in asked:
        if each != "All":
            raise bad_request(f'Invalid value: "{each}": supported values: "All"')
