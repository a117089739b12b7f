"""The OpenAPI documents, cut down to what kubectl looks for before it writes.

New kubectls read version 3 as JSON to learn whether a kind's PATCH takes `fieldValidation` and `dryRun`;
older ones (Debian's 1.20 among them) read version 2, in protobuf only. Schemas and the patch types that would
need them are left out: without them kubectl falls back to the types that it was built with. Field numbers:
google/gnostic, openapiv2/OpenAPIv2.proto.
"""

import json
from functools import cache

from deployments.drill.cluster.kinds import KINDS, Kind, groups
from deployments.drill.cluster.objects import JsonObject
from deployments.drill.cluster.server.protobuf import message, text

PROTOBUF_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")


def openapi_v3(path: str) -> JsonObject | None:
    """The index at /openapi/v3 or the document of one group and version below it, or None."""
    if path == "/openapi/v3":
        roots = ["api/v1", *(f"apis/{group}/v1" for group in groups())]
        return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}}
    prefix = path.removeprefix("/openapi/v3/")
    group = "" if prefix == "api/v1" else prefix.removeprefix("apis/").removesuffix("/v1")
    if prefix != path and (prefix == "api/v1" or prefix == f"apis/{group}/v1"):
        paths = {_path(kind): {"patch": _patch_operation(kind)} for kind in KINDS if kind.group == group}
        return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.32.4"}, "paths": paths}
    return None


def _path(kind: Kind) -> str:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return (
        f"{root}/namespaces/{{namespace}}/{kind.plural}/{{name}}"
        if kind.namespaced
        else f"{root}/{kind.plural}/{{name}}"
    )


def _patch_operation(kind: Kind) -> JsonObject:
    return {
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _PARAMETERS],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": _group_version_kind(kind),
    }


def _group_version_kind(kind: Kind) -> JsonObject:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


@cache
def openapi_v2_protobuf() -> bytes:
    """The version 2 document in protobuf: for each kind, a PATCH with its query parameters."""
    items = b"".join(
        message(2, text(1, _path(kind)) + message(2, message(8, _operation(kind)))) for kind in KINDS
    )
    info = text(1, "Kubernetes") + text(2, "v1.32.4")
    return text(1, "2.0") + message(2, info) + message(8, items)


def _operation(kind: Kind) -> bytes:
    parameters = b"".join(
        message(8, message(1, message(2, message(3, text(2, "query") + text(4, name) + text(6, "string")))))
        for name in _PARAMETERS
    )
    # Vendor extensions travel as YAML, of which JSON is a part.
    extensions = b"".join(
        message(13, text(1, name) + message(2, text(2, json.dumps(value))))
        for name, value in (
            ("x-kubernetes-action", "patch"),
            ("x-kubernetes-group-version-kind", _group_version_kind(kind)),
        )
    )
    return parameters + extensions
