"""Who may do what: bearer tokens, roles, and the questions a user may ask about their own rights.

As with a real cluster's defaults, a caller without a token is `system:anonymous` and may read little more
than `/version`; an unknown or expired token is refused with 401 before any role is checked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deployments.drill.cluster.kinds import REVIEWS
from deployments.drill.cluster.objects import JsonObject
from deployments.drill.cluster.server.errors import ApiError, unauthorized

ANONYMOUS = "system:anonymous"
_PUBLIC_PATHS = ("/healthz", "/livez", "/readyz", "/version")
_DISCOVERY_PATHS = ("/api", "/apis", "/openapi", "/version", "/healthz", "/livez", "/readyz")


@dataclass(frozen=True)
class Rule:
    """One RBAC rule: what its holder may do with which resources.

    `groups` uses "" for the core group; `resources` are plurals, a subresource as `pods/log`; an empty
    `names` means every object; "*" stands for all. A rule holds in the cluster's own namespace, as a
    RoleBinding's does, unless it is `cluster_wide`.
    """

    verbs: Sequence[str]
    groups: Sequence[str] = ("",)
    resources: Sequence[str] = ()
    names: Sequence[str] = ()
    cluster_wide: bool = False

    def allows(self, attributes: "Attributes", namespace: str) -> bool:
        """Whether this permits the action; `namespace` is where a rule that is not cluster-wide holds."""
        return (
            _covers(self.verbs, attributes.verb)
            and _covers(self.groups, attributes.group)
            and (
                _covers(self.resources, attributes.qualified_resource)
                or bool(attributes.subresource and f"*/{attributes.subresource}" in self.resources)
            )
            and (not self.names or attributes.name in self.names)
            and (self.cluster_wide or attributes.namespace == namespace)
        )


ADMIN = Rule(verbs=("*",), groups=("*",), resources=("*",), cluster_wide=True)
"""Everything, everywhere, as cluster-admin."""


def _covers(patterns: Iterable[str], value: str) -> bool:
    return any(pattern in ("*", value) for pattern in patterns)


@dataclass(frozen=True)
class Attributes:
    """The action that a request asks for, in RBAC's terms. An empty namespace is the cluster scope."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    path: str = ""

    @property
    def qualified_resource(self) -> str:
        """`pods`, or `pods/log` for a subresource."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass
class Authority:
    """The tokens that the cluster knows and the rules of their users."""

    namespace: str
    _users: dict[str, str] = field(default_factory=dict, repr=False)
    _rules: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    rules_loaded: bool = True
    """Without, nobody may do anything, as just after the start of a real server."""

    def grant(self, user: str, token: str, rules: Sequence[Rule]) -> None:
        """Let the token act as the user, with exactly these rules."""
        self._users[token] = user
        self._rules[user] = tuple(rules)

    def expire(self, token: str) -> None:
        """Forget the token. It is refused with 401 from now on."""
        self._users.pop(token, None)

    def authenticate(self, authorization: str | None) -> str:
        """The user behind an Authorization header. Raises ApiError 401 for a token that is not known."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return ANONYMOUS
        user = self._users.get(token.strip())
        if user is None:
            raise unauthorized()
        return user

    def allows(self, user: str, attributes: Attributes) -> bool:
        """Whether the user may do this."""
        if not self.rules_loaded:
            return False
        if attributes.path:
            return _path_allowed(user, attributes)
        if (
            user != ANONYMOUS
            and (attributes.group, attributes.resource) in REVIEWS
            and attributes.verb == "create"
        ):
            return True  # system:basic-user: everyone may ask about themselves
        return any(rule.allows(attributes, self.namespace) for rule in self._rules.get(user, ()))

    def authorize(self, user: str, attributes: Attributes) -> None:
        """Raises ApiError 403, in the words of the real server, if the user may not do this."""
        if not self.allows(user, attributes):
            raise _forbidden(user, attributes)

    def rules_of(self, user: str) -> list[JsonObject]:
        """The user's rules as a SelfSubjectRulesReview lists them."""
        return [
            {
                "verbs": list(rule.verbs),
                "apiGroups": list(rule.groups),
                "resources": list(rule.resources),
                **({"resourceNames": list(rule.names)} if rule.names else {}),
            }
            for rule in self._rules.get(user, ())
        ]


def _path_allowed(user: str, attributes: Attributes) -> bool:
    paths = _PUBLIC_PATHS if user == ANONYMOUS else _DISCOVERY_PATHS
    return attributes.verb == "get" and any(
        attributes.path == path or attributes.path.startswith(path + "/") for path in paths
    )


def _forbidden(user: str, attributes: Attributes) -> ApiError:
    if attributes.path:
        text = f'forbidden: User "{user}" cannot {attributes.verb} path "{attributes.path}"'
        return ApiError(403, "Forbidden", text, {})
    where = f'in the namespace "{attributes.namespace}"' if attributes.namespace else "at the cluster scope"
    group, resource = attributes.group, attributes.resource
    subject = f"{resource}.{group}" if group else resource
    if attributes.name:
        subject += f' "{attributes.name}"'
    text = (
        f'{subject} is forbidden: User "{user}" cannot {attributes.verb} resource '
        f'"{attributes.qualified_resource}" in API group "{group}" {where}'
    )
    details: JsonObject = {"name": attributes.name} if attributes.name else {}
    if group:
        details["group"] = group
    details["kind"] = resource
    return ApiError(403, "Forbidden", text, details)
