"""What a request's URL asks for, in the API's terms.

Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from deployments.drill.cluster.server.auth import Attributes

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_NAME_FIELD = re.compile(r"(?:^|,)metadata\.name==?([^,]+)")


@dataclass(frozen=True)
class RequestInfo:
    """A request as the API understands it; `resource` is empty for paths such as /version."""

    verb: str
    path: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def attributes(self) -> Attributes:
        """What authorisation looks at."""
        if not self.resource:
            return Attributes(verb=self.verb, path=self.path)
        return Attributes(
            verb=self.verb,
            group=self.group,
            resource=self.resource,
            subresource=self.subresource,
            name=self.name,
            namespace=self.namespace,
        )

    @classmethod
    def of(cls, method: str, path: str, query: Mapping[str, str]) -> "RequestInfo":
        """Take a request's method, path and query apart."""
        parts = [part for part in path.split("/") if part]
        group, version, rest = _api(parts)
        if not rest:
            return cls(method.lower(), path)
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        resource, name, subresource = (*rest, "", "")[:3]
        verb = _verb(method, name, query)
        if not name and verb in ("list", "watch"):
            # A list of one named object needs only the right to that object.
            found = _NAME_FIELD.search(query.get("fieldSelector", ""))
            authorised_name = found[1] if found else ""
            return cls(verb, path, group, version, namespace, resource, authorised_name, subresource)
        return cls(verb, path, group, version, namespace, resource, name, subresource)


def _api(parts: list[str]) -> tuple[str, str, list[str]]:
    if parts[:1] == ["api"]:
        return "", parts[1] if len(parts) > 1 else "", parts[2:]
    if parts[:1] == ["apis"]:
        return (*parts[1:3], "", "")[0], (*parts[1:3], "", "")[1], parts[3:]
    return "", "", []


def _verb(method: str, name: str, query: Mapping[str, str]) -> str:
    if method in ("GET", "HEAD"):
        watching = query.get("watch", "").lower() in ("1", "true")
        return "watch" if watching else "get" if name else "list"
    if method == "DELETE":
        return "delete" if name else "deletecollection"
    return _VERBS.get(method, method.lower())
