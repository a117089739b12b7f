"""Which cluster, which workload in it, and how much may be done there."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from blocks.kubernetes.access.credentials import Credentials
from blocks.kubernetes.access.permissions import (
    AccessLevel,
    Permission,
    WorkloadKind,
    needed_permissions,
    up_to,
)

PLUGIN_SHARE = 0.8
"""Of the timeout for a program that makes credentials, so that there is time left to say that it was that."""


def by_present_names(earlier: dict[str, str], given: Any) -> Any:
    """The fields of a model under their present names.

    Raises:
        ValueError: a field is given under both names.
    """
    if not isinstance(given, dict):
        return given
    for before, now in earlier.items():
        if before in given and now in given:
            raise ValueError(f"{before} is the earlier name of {now}: give one of them")
    return {earlier.get(name, name): value for name, value in given.items()}


class ClusterSettings(BaseModel):
    """The settings of the Cluster block."""

    model_config = ConfigDict(hide_input_in_errors=True)

    EARLIER_NAMES: ClassVar[dict[str, str]] = {"deployment": "workload_name"}
    """What fields were called in earlier releases."""

    kubeconfig: str | None = Field(
        default=None,
        title="Kubeconfig",
        description="Its path, or several joined by a colon; empty is $KUBECONFIG or ~/.kube/config.",
    )
    kubeconfig_yaml: SecretStr | None = Field(
        default=None,
        title="Kubeconfig text",
        description="The kubeconfig itself, for workers without the file; takes precedence over the path.",
    )
    context: str | None = Field(
        default=None, title="Context", description="Context of the kubeconfig; empty means its current one."
    )
    in_cluster: bool = Field(
        default=False,
        title="In cluster",
        description="Use the service account of the pod that the runbook runs in.",
    )
    namespace: str = Field(default="default", title="Namespace", description="The integration's namespace.")
    allowed_namespaces: list[str] = Field(
        default=[],
        title="Allowed namespaces",
        description="Namespaces that the runbook may use; empty allows only the one above.",
    )
    access: AccessLevel = Field(
        default="full",
        title="Access",
        description="triage only looks, mitigation also changes the workload and deletes its pods, full also "
        "reads and replaces the API key. What is beyond it is never asked of the cluster.",
    )
    workload_kind: WorkloadKind = Field(
        default="Deployment",
        title="Workload kind",
        description="Whether the integration is a Deployment or a StatefulSet.",
    )
    workload_name: str = Field(
        default="posthog-integration",
        title="Workload name",
        description="Name of the integration's Deployment or StatefulSet.",
    )
    selector: str = Field(
        default="app=posthog-integration",
        title="Selector",
        description="Label selector of the integration's pods.",
    )
    container: str | None = Field(
        default=None,
        title="Container",
        description="The integration's container; empty is the first one, and all of them for logs.",
    )
    secret_name: str = Field(
        default="posthog-secrets", title="Secret", description="The Secret with the PostHog API key."
    )
    secret_key: str = Field(
        default="api-key", title="Secret key", description="The key of the Secret's data that holds it."
    )
    switches: list[str] = Field(
        default=["RATE_LIMIT_MODE", "POSTHOG_FALLBACK"],
        title="Switches",
        description="Environment variables that are read as switches.",
    )
    log_bytes_limit: int = Field(
        default=5_000_000,
        gt=0,
        title="Log limit",
        description="Bytes that are kept of one container's log; over it, only the newest lines are.",
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that one request may take."
    )

    @model_validator(mode="before")
    @classmethod
    def _take_earlier_names(cls, given: Any) -> Any:
        """Blocks and settings of earlier releases call the workload a deployment, whatever its kind."""
        return by_present_names(cls.EARLIER_NAMES, given)

    @property
    def target(self) -> str:
        """The workload's name for people and for locks: `default/deployment/posthog-integration`."""
        return f"{self.namespace}/{self.workload_kind.lower()}/{self.workload_name}"

    @property
    def credentials(self) -> Credentials:
        """Where the credentials are."""
        return Credentials(
            in_cluster=self.in_cluster,
            kubeconfig_yaml=self.kubeconfig_yaml,
            kubeconfig=self.kubeconfig,
            context=self.context,
            plugin_seconds=PLUGIN_SHARE * self.timeout_seconds,
        )

    def permissions(self) -> dict[AccessLevel, tuple[Permission, ...]]:
        """The rights that each level of access adds to those below, for this workload and this Secret."""
        return needed_permissions(self.workload_kind, self.workload_name, self.secret_name)

    def permitted(self) -> frozenset[Permission]:
        """The rights that are made use of with this `access`; no others are."""
        table = self.permissions()
        return frozenset(each for level in up_to(self.access) for each in table[level])
