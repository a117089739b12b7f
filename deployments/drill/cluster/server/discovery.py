"""What the API says about itself: version, groups, resources.

Clients that ask for aggregated discovery get the older documents, which every client still reads.
"""

from deployments.drill.cluster.kinds import KINDS, REVIEWS, Kind, groups
from deployments.drill.cluster.objects import JsonObject

VERSION: JsonObject = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.4",
    "gitCommit": "59526cd4867447956156ae3a602fcbac10a2c335",
    "gitTreeState": "clean",
    "buildDate": "2025-04-22T16:02:27Z",
    "goVersion": "go1.23.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}
HEALTH_PATHS = ("/healthz", "/livez", "/readyz")


def discovery(path: str) -> JsonObject | None:
    """The discovery document at a path, or None."""
    parts = [part for part in path.split("/") if part]
    match parts:
        case ["version"]:
            return VERSION
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["api", "v1"]:
            return _resources("", "v1")
        case ["apis"]:
            return {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [_group(group) for group in groups()],
            }
        case ["apis", group] if group in groups():
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
        case ["apis", group, "v1"] if group in groups():
            return _resources(group, "v1")
    return None


def _group(group: str) -> JsonObject:
    version = {"groupVersion": f"{group}/v1", "version": "v1"}
    return {"name": group, "versions": [version], "preferredVersion": version}


def _resources(group: str, version: str) -> JsonObject:
    listed = [entry for kind in KINDS if kind.group == group for entry in _entries(kind)]
    listed += [
        {
            "name": plural,
            "singularName": review.lower(),
            "namespaced": False,
            "kind": review,
            "verbs": ["create"],
        }
        for (review_group, plural), review in REVIEWS.items()
        if review_group == group
    ]
    group_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed}


def _entries(kind: Kind) -> list[JsonObject]:
    main: JsonObject = {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        main["shortNames"] = list(kind.short_names)
    if kind.categories:
        main["categories"] = list(kind.categories)
    entries = [main]
    for subresource in kind.subresources:
        entry: JsonObject = {
            "name": f"{kind.plural}/{subresource}",
            "singularName": "",
            "namespaced": kind.namespaced,
        }
        if subresource == "scale":
            entry |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        else:
            entry["kind"] = kind.kind
        entry["verbs"] = ["get"] if subresource == "log" else ["get", "patch", "update"]
        entries.append(entry)
    return entries
