"""The resources that the imitated cluster serves, and how each is named on the wire."""

from collections.abc import Iterator
from dataclasses import dataclass

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Kind:
    """One resource: its group, names and what may be done with it.

    `model` names the class of the official Python client that describes the object's fields; decoding takes
    the types from it, so that a wrong type is refused as a real API server refuses it.
    """

    group: str
    version: str
    kind: str
    plural: str
    model: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    has_generation: bool = False
    verbs: tuple[str, ...] = ALL_VERBS

    @property
    def api_version(self) -> str:
        """`v1` for the core group, else `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified_plural(self) -> str:
        """`pods`, or `deployments.apps` outside the core group: the name in error messages."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """`Pod`, or `Deployment.apps`: the name in validation messages."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


POD = Kind(
    "", "v1", "Pod", "pods", "V1Pod", short_names=("po",), categories=("all",), subresources=("log", "status")
)
SECRET = Kind("", "v1", "Secret", "secrets", "V1Secret")
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", "V1ConfigMap", short_names=("cm",))
EVENT = Kind("", "v1", "Event", "events", "CoreV1Event", short_names=("ev",))
SERVICE = Kind("", "v1", "Service", "services", "V1Service", short_names=("svc",), categories=("all",))
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts", "V1ServiceAccount", short_names=("sa",))
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", "V1Namespace", namespaced=False, short_names=("ns",))
NODE = Kind("", "v1", "Node", "nodes", "V1Node", namespaced=False, short_names=("no",))
DEPLOYMENT = Kind(
    "apps", "v1", "Deployment", "deployments", "V1Deployment",
    short_names=("deploy",), categories=("all",), subresources=("scale", "status"), has_generation=True,
)  # fmt: skip
REPLICA_SET = Kind(
    "apps", "v1", "ReplicaSet", "replicasets", "V1ReplicaSet",
    short_names=("rs",), categories=("all",), subresources=("scale", "status"), has_generation=True,
)  # fmt: skip
STATEFUL_SET = Kind(
    "apps", "v1", "StatefulSet", "statefulsets", "V1StatefulSet",
    short_names=("sts",), categories=("all",), subresources=("scale", "status"), has_generation=True,
)  # fmt: skip

CONTROLLER_REVISION = Kind("apps", "v1", "ControllerRevision", "controllerrevisions", "V1ControllerRevision")
POD_DISRUPTION_BUDGET = Kind(
    "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "V1PodDisruptionBudget",
    short_names=("pdb",), subresources=("status",), has_generation=True,
)  # fmt: skip

RESOURCE_QUOTA = Kind(
    "", "v1", "ResourceQuota", "resourcequotas", "V1ResourceQuota",
    short_names=("quota",), subresources=("status",),
)  # fmt: skip
LIMIT_RANGE = Kind("", "v1", "LimitRange", "limitranges", "V1LimitRange", short_names=("limits",))

KINDS = (
    POD, SECRET, CONFIG_MAP, EVENT, SERVICE, SERVICE_ACCOUNT, NAMESPACE, NODE,
    DEPLOYMENT, REPLICA_SET, STATEFUL_SET, CONTROLLER_REVISION, POD_DISRUPTION_BUDGET,
    RESOURCE_QUOTA, LIMIT_RANGE,
)  # fmt: skip

REVIEWS = {
    ("authorization.k8s.io", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    ("authorization.k8s.io", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
    ("authentication.k8s.io", "selfsubjectreviews"): "SelfSubjectReview",
}
"""Questions about oneself: created, answered and never stored."""

_BY_PLURAL = {(kind.group, kind.plural): kind for kind in KINDS}
_BY_KIND = {kind.kind: kind for kind in KINDS}


def by_plural(group: str, plural: str) -> Kind | None:
    """The kind behind a URL's group and plural, or None."""
    return _BY_PLURAL.get((group, plural))


def by_kind(name: str) -> Kind:
    """The kind with this CamelCase name. Raises KeyError."""
    return _BY_KIND[name]


def groups() -> Iterator[str]:
    """The named API groups (all but the core one), in discovery order."""
    yield from dict.fromkeys(
        [*(kind.group for kind in KINDS if kind.group), *(group for group, _ in REVIEWS)]
    )
