"""Answers to SelfSubjectAccessReview, SelfSubjectRulesReview and SelfSubjectReview: `kubectl auth ...`."""

from deployments.drill.cluster.objects import JsonObject
from deployments.drill.cluster.server.auth import Attributes, Authority


def answered(kind: str, review: JsonObject, user: str, authority: Authority) -> JsonObject:
    """The review with its status filled in, as the API server returns it; nothing is stored."""
    group = "authentication.k8s.io" if kind == "SelfSubjectReview" else "authorization.k8s.io"
    answer: JsonObject = {
        "kind": kind,
        "apiVersion": review.get("apiVersion", f"{group}/v1"),
        "metadata": {"creationTimestamp": None},
    }
    if "spec" in review:
        answer["spec"] = review["spec"]
    answer["status"] = _status(kind, review.get("spec") or {}, user, authority)
    return answer


def _status(kind: str, spec: JsonObject, user: str, authority: Authority) -> JsonObject:
    if kind == "SelfSubjectReview":
        return {"userInfo": {"username": user, "groups": ["system:authenticated"]}}
    if kind == "SelfSubjectRulesReview":
        paths = [{"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/version"]}]
        return {"resourceRules": authority.rules_of(user), "nonResourceRules": paths, "incomplete": False}
    allowed = authority.allows(user, _attributes(spec))
    return {"allowed": True, "reason": "RBAC: allowed by a RoleBinding"} if allowed else {"allowed": False}


def _attributes(spec: JsonObject) -> Attributes:
    if "nonResourceAttributes" in spec:
        asked = spec["nonResourceAttributes"]
        return Attributes(verb=asked.get("verb", ""), path=asked.get("path", ""))
    asked = spec.get("resourceAttributes") or {}
    fields = ("verb", "group", "resource", "subresource", "name", "namespace")
    return Attributes(**{field: asked.get(field, "") for field in fields})
