"""The verbs on stored resources: get, list, watch, create, update, patch, delete, and the subresources."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from deployments.drill.cluster.kinds import POD, Kind
from deployments.drill.cluster.objects import JsonObject, go_text, name_of, uid_of
from deployments.drill.cluster.server.calls import Call
from deployments.drill.cluster.server.chunks import chunk
from deployments.drill.cluster.server.errors import (
    APPLY_PATCH,
    PATCH_TYPES,
    ApiError,
    bad_request,
    method_not_allowed,
    no_such_path,
    unsupported_media_type,
)
from deployments.drill.cluster.server.request_info import RequestInfo
from deployments.drill.cluster.server.selectors import selects
from deployments.drill.cluster.server.tables import table
from deployments.drill.cluster.server.watching import Watch
from deployments.drill.cluster.writes.decoding import DecodingError
from deployments.drill.cluster.writes.json_patch import json_patched, merge_patched
from deployments.drill.cluster.writes.registry import Registry
from deployments.drill.cluster.writes.scaling import scale_of, scaled
from deployments.drill.cluster.writes.strategic_merge import strategically_merged
from deployments.drill.cluster.writes.write_options import WriteOptions


class Resources:
    """Answers requests for stored resources."""

    def __init__(self, registry: Registry, clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._clock = clock

    def answer(self, kind: Kind, info: RequestInfo, call: Call) -> Response:
        """The response to a request. Raises ApiError."""
        call.check_accept()
        if info.subresource and info.subresource not in kind.subresources:
            raise no_such_path()
        match info.verb:
            case "get":
                return self._get(kind, info, call)
            case "list":
                return self._list(kind, info, call)
            case "watch":
                return self._watch(kind, info, call)
            case "create" if not info.name:
                return self._create(kind, info, call)
            case "update" | "patch" if info.name:
                return self._write(kind, info, call)
            case "delete":
                return self._delete(kind, info, call)
            case "deletecollection":
                return self._delete_all(kind, info, call)
        raise method_not_allowed()

    def _get(self, kind: Kind, info: RequestInfo, call: Call) -> Response:
        found = self._registry.find(kind, info.namespace, info.name)
        if info.subresource == "scale":
            return JSONResponse(scale_of(found))
        return JSONResponse(self._shown(kind, call)(found))

    def _shown(self, kind: Kind, call: Call) -> Callable[[JsonObject], JsonObject]:
        if not call.wants_table:
            return lambda obj: obj
        include = call.query.get("includeObject", "Metadata")
        return lambda obj: table(
            kind.kind, [obj], str(obj["metadata"]["resourceVersion"]), self._clock(), include
        )

    def _selected(self, kind: Kind, info: RequestInfo, call: Call) -> list[JsonObject]:
        matches = selects(call.query.get("labelSelector", ""), call.query.get("fieldSelector", ""), kind.kind)
        return [obj for obj in self._registry.store.objects(kind, info.namespace) if matches(obj)]

    def _list(self, kind: Kind, info: RequestInfo, call: Call) -> Response:
        found = self._selected(kind, info, call)
        version = str(self._registry.store.version)
        if call.wants_table:
            include = call.query.get("includeObject", "Metadata")
            return JSONResponse(table(kind.kind, found, version, self._clock(), include))
        items, rest = chunk(found, call.query)
        document = _list_object(kind, items, version)
        document["metadata"] |= rest
        return JSONResponse(document)

    def _watch(self, kind: Kind, info: RequestInfo, call: Call) -> Response:
        by_selectors = selects(
            call.query.get("labelSelector", ""), call.query.get("fieldSelector", ""), kind.kind
        )
        shown = self._shown(kind, call)
        watch = Watch.of(self._registry.store, kind, info.namespace, call.query, by_selectors, shown)
        return StreamingResponse(watch.lines(), media_type="application/json")

    def _create(self, kind: Kind, info: RequestInfo, call: Call) -> Response:
        options = call.write_options()
        try:
            created = self._registry.create(kind, info.namespace, call.body_object(), options)
        except DecodingError as error:
            raise _undecodable(kind, error) from None
        return self._written(kind, call, created, options, 201)

    def _write(self, kind: Kind, info: RequestInfo, call: Call) -> Response:
        old = self._registry.find(kind, info.namespace, info.name)
        options = call.write_options(info.subresource)
        if info.verb == "patch" and call.content_type == APPLY_PATCH:
            return self._apply(kind, old, call, options)
        status = info.subresource == "status"
        shown = scale_of(old) if info.subresource == "scale" else old
        if info.verb == "patch":
            patch, new = _patched(shown, call)
        else:
            patch, new = None, call.body_object()
            _check_name(new, info.name)
        if info.subresource == "scale":
            new = scaled(kind, old, new)
        try:
            stored = self._registry.replace(kind, old, new, options, status=status)
        except DecodingError as error:
            raise (_undecodable(kind, error) if patch is None else _unpatchable(patch, error)) from None
        if info.subresource == "scale":
            return JSONResponse(scale_of(stored))
        return self._written(kind, call, stored, options, 200)

    def _apply(self, kind: Kind, old: JsonObject, call: Call, options: WriteOptions) -> Response:
        """Server-side apply to an object that is there."""
        if not call.query.get("fieldManager"):
            raise bad_request("PatchOptions.meta.k8s.io is invalid: fieldManager: Required value")
        config = call.parsed()
        if not isinstance(config, dict):
            raise bad_request("error decoding YAML: the body is not an object")
        _check_name(config, name_of(old))
        forced = call.query.get("force") == "true"
        return self._written(
            kind, call, self._registry.apply(kind, old, config, options, forced), options, 200
        )

    def _written(self, kind: Kind, call: Call, obj: JsonObject, options: WriteOptions, code: int) -> Response:
        response = JSONResponse(
            self._shown(kind, call)(obj) if "resourceVersion" in obj["metadata"] else obj, code
        )
        for warning in options.warnings:
            escaped = warning.replace('"', '\\"')
            response.headers.append("warning", f'299 - "{escaped}"')
        return response

    def _delete(self, kind: Kind, info: RequestInfo, call: Call) -> Response:
        old = self._registry.find(kind, info.namespace, info.name)
        deleted = self._registry.delete(kind, old, call.delete_options())
        if kind is POD:
            return JSONResponse(deleted)
        details = {"name": name_of(old), "kind": kind.plural, "uid": uid_of(old)}
        if kind.group:
            details["group"] = kind.group
        return JSONResponse(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        )

    def _delete_all(self, kind: Kind, info: RequestInfo, call: Call) -> Response:
        options = call.delete_options()
        found = self._selected(kind, info, call)
        deleted = [self._registry.delete(kind, obj, options) for obj in found]
        return JSONResponse(_list_object(kind, deleted, str(self._registry.store.version)))


def _list_object(kind: Kind, objects: list[JsonObject], version: str) -> JsonObject:
    # Items of a typed list carry neither kind nor apiVersion on the wire.
    items = [
        {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")} for obj in objects
    ]
    return {
        "kind": f"{kind.kind}List",
        "apiVersion": kind.api_version,
        "metadata": {"resourceVersion": version},
        "items": items,
    }


def _check_name(obj: JsonObject, name: str) -> None:
    given = (obj.get("metadata") or {}).get("name", "")
    if given != name:
        raise bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")


def _patched(current: JsonObject, call: Call) -> tuple[Any, JsonObject]:
    """The patch as sent, and the object that it makes of the current one."""
    if call.content_type not in PATCH_TYPES:
        raise unsupported_media_type(PATCH_TYPES)
    patch = call.parsed()
    if call.content_type == "application/json-patch+json":
        return patch, json_patched(current, patch)
    if not isinstance(patch, dict):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}"
        )
    if call.content_type == "application/merge-patch+json":
        return patch, merge_patched(current, patch)
    return patch, strategically_merged(current, patch)


def _undecodable(kind: Kind, error: DecodingError) -> ApiError:
    text = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error}'
    return bad_request(text)


def _unpatchable(patch: Any, error: DecodingError) -> ApiError:
    # The real server repeats the whole patch here, a secret's value included: readers must redact it.
    message = f'Invalid value: "{go_text(patch)}": {error}'
    causes = [{"reason": "FieldValueInvalid", "message": message, "field": "patch"}]
    return ApiError(422, "Invalid", f' "" is invalid: patch: {message}', {"causes": causes})
