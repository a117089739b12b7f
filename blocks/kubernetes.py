"""The cluster that the integration runs in: what the runbook does with kubectl, through the API."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from kubernetes.client import (
    ApiClient,
    AppsV1Api,
    AuthorizationV1Api,
    CoreV1Api,
    V1ResourceAttributes,
    V1SelfSubjectAccessReview,
    V1SelfSubjectAccessReviewSpec,
)
from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from blocks import kubernetes_access
from blocks.errors import Forbidden, NotFound, Refused, Unavailable
from blocks.kubernetes_access import SYSTEM, Credentials, Request, ask
from blocks.kubernetes_logs import LogSource, LogText, LogWindow, log_sources, pod_logs, read_log
from blocks.kubernetes_objects import UnknownContainer, warning_lines, workload_reading
from blocks.kubernetes_rollout import RolloutStatus, rollout_status
from runbook.log_lines import PodLogs
from runbook.readings import WorkloadReading

_FIELD_MANAGER = "posthog-incident-runbook"
_STRATEGIC_MERGE = "application/strategic-merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
_MERGE_PATCH = "application/merge-patch+json"
_LOGS_AT_ONCE = 6
_PLUGIN_SECONDS = 30  # a credentials plug-in may log in first

Json = dict[str, Any]


class Cluster(Block):
    """The integration's Deployment, its pods and its Secret."""

    _block_type_name: ClassVar[str] = "Runbook cluster"
    _block_type_slug: ClassVar[str] = "runbook-cluster"
    _description: ClassVar[str] = "The Kubernetes cluster that the PostHog integration runs in."

    kubeconfig: str | None = Field(
        default=None,
        title="Kubeconfig",
        description="Its path, or several joined by a colon; empty is $KUBECONFIG or ~/.kube/config.",
    )
    kubeconfig_yaml: SecretStr | None = Field(
        default=None,
        title="Kubeconfig text",
        description="The kubeconfig itself, for workers without the file; goes before the path.",
    )
    context: str | None = Field(
        default=None, title="Context", description="Context of the kubeconfig; empty is its current one."
    )
    in_cluster: bool = Field(
        default=False, title="In cluster", description="Use the service account of the pod that this runs in."
    )
    namespace: str = Field(default="default", title="Namespace", description="The integration's namespace.")
    allowed_namespaces: list[str] = Field(
        default=[],
        title="Allowed namespaces",
        description="Namespaces that this may touch at all; empty allows only the one above.",
    )
    deployment: str = Field(
        default="posthog-integration", title="Deployment", description="The integration's Deployment."
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

    @property
    def target(self) -> str:
        """The Deployment's name for people and for locks: `default/deployment/posthog-integration`."""
        return f"{self.namespace}/deployment/{self.deployment}"

    def disconnect(self) -> None:
        """Close idle connections to the cluster; the next request reads the credentials again."""
        kubernetes_access.disconnect(self._credentials)

    async def read_workload(self) -> WorkloadReading:
        """Replicas, pods, switches and revisions of the Deployment, and its newest warnings.

        Events are decoration: where they may not be read, the reading says so in their place.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not let us look, or there is no such Deployment or container.
        """
        deployment, pods, replica_sets, events = await asyncio.gather(
            self.read_deployment(), self.list_pods(), self.list_replica_sets(), self._warnings()
        )
        try:
            return workload_reading(
                self.target,
                deployment,
                pods=pods,
                replica_sets=replica_sets,
                events=events,
                container=self.container,
                switches=self.switches,
            )
        except UnknownContainer as error:
            raise NotFound(
                SYSTEM, f"{self.target} has no container {error}", "Correct it in the Cluster block"
            ) from None

    async def read_deployment(self) -> Json:
        """The Deployment as the API gives it.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not let us look, or there is no such Deployment.
        """
        return await self._ask(
            Request("get", "deployments", self.deployment),
            lambda client: AppsV1Api(client).read_namespaced_deployment(
                self.deployment, self.namespace, **self._raw
            ),
        )

    async def list_pods(self) -> list[Json]:
        """The pods of the selector, terminating ones too.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not let us look.
        """
        return _items(
            await self._ask(
                Request("list", "pods"),
                lambda client: CoreV1Api(client).list_namespaced_pod(
                    self.namespace, label_selector=self.selector, **self._raw
                ),
            )
        )

    async def list_replica_sets(self) -> list[Json]:
        """The ReplicaSets of the selector: the Deployment's revisions.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not let us look.
        """
        return _items(
            await self._ask(
                Request("list", "replicasets"),
                lambda client: AppsV1Api(client).list_namespaced_replica_set(
                    self.namespace, label_selector=self.selector, **self._raw
                ),
            )
        )

    async def list_events(self) -> list[Json]:
        """The namespace's events, at most 1,000; the cluster keeps them for about an hour.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not let us look.
        """
        return _items(
            await self._ask(
                Request("list", "events"),
                lambda client: CoreV1Api(client).list_namespaced_event(
                    self.namespace, limit=1000, **self._raw
                ),
            )
        )

    async def read_logs(self, since_seconds: int) -> PodLogs:
        """All lines of all pods' containers in the last `since_seconds`, from before restarts too.

        A log that cannot be read, or not wholly, does not stop the others: `pods_unread` says why.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not let us list the pods.
        """
        pods = await self.list_pods()
        since = datetime.now(UTC) - timedelta(seconds=since_seconds)
        window = LogWindow(max(1, since_seconds), self.log_bytes_limit, self.timeout_seconds)
        turn = asyncio.Semaphore(_LOGS_AT_ONCE)

        async def read(source: LogSource) -> LogText:
            async with turn:
                return await asyncio.to_thread(read_log, self._credentials, self.namespace, source, window)

        sources = [source for pod in pods for source in log_sources(pod, self.container, since=since)]
        return pod_logs(await asyncio.gather(*map(read, sources)))

    async def read_api_key(self, key: str | None = None) -> SecretStr | None:
        """The API key in the Secret (or another key's value); `None` where the Secret does not have it.

        It is given as it is, white space and all: a stray line break is a finding.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not let us look.
        """
        try:
            secret = await self._read_secret()
        except NotFound:
            return None
        encoded = (secret.get("data") or {}).get(key or self.secret_key)
        if encoded is None:
            return None
        try:
            return SecretStr(base64.b64decode(encoded, validate=True).decode("utf-8", errors="replace"))
        except binascii.Error:
            raise Refused(SYSTEM, f"{self.secret_name} is not base64", "Write the Secret again") from None

    async def read_secret_version(self) -> str:
        """The Secret's resourceVersion, which changes with every write.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not let us look, or there is no such Secret.
        """
        return str((await self._read_secret())["metadata"]["resourceVersion"])

    async def patch_secret(
        self,
        data: Mapping[str, SecretStr | None],
        *,
        resource_version: str,
        annotations: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> str:
        """Write values into the Secret, if it is still at `resource_version`; `None` removes a key.

        Returns the new resourceVersion, and never the data.

        Raises:
            Conflict: the Secret was written in the meantime.
            Forbidden: we may not write it; an administrator must.
            Unavailable: the cluster does not answer; read the Secret before writing it again.
        """
        values = {key: value.get_secret_value() if value else None for key, value in data.items()}
        body: Json = {
            "metadata": {"resourceVersion": resource_version},
            "data": {
                key: None if value is None else base64.b64encode(value.encode()).decode()
                for key, value in values.items()
            },
        }
        if annotations:
            body["metadata"]["annotations"] = dict(annotations)
        request = Request("patch", "secrets", self.secret_name, secrets=tuple(filter(None, values.values())))
        answer = await self._ask(
            request,
            lambda client: CoreV1Api(client).patch_namespaced_secret(
                self.secret_name, self.namespace, body, _content_type=_MERGE_PATCH, **self._write(dry_run)
            ),
        )
        return str(answer["metadata"]["resourceVersion"])

    async def dry_run_deployment(self, patch: Mapping[str, Any]) -> Json:
        """The Deployment as the server would make it with this strategic merge patch.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it would refuse the patch as well.
        """
        return await self.patch_deployment(patch, dry_run=True)

    async def patch_deployment(self, patch: Mapping[str, Any], *, dry_run: bool = False) -> Json:
        """Apply a strategic merge patch; one that carries `metadata.resourceVersion` is bound to it.

        Raises:
            Conflict: the Deployment is not at the patch's resourceVersion any more.
            Forbidden: we may not change it.
            Unavailable: the cluster does not answer; read the Deployment before patching it again.
        """
        return await self._ask(
            Request("patch", "deployments", self.deployment),
            lambda client: AppsV1Api(client).patch_namespaced_deployment(
                self.deployment,
                self.namespace,
                dict(patch),
                _content_type=_STRATEGIC_MERGE,
                **self._write(dry_run),
            ),
        )

    async def replace_pod_template(
        self,
        template: Mapping[str, Any],
        *,
        resource_version: str,
        annotations: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> Json:
        """Put another pod template in place, as a roll back does.

        The Deployment must still be at `resource_version`.

        Raises:
            Conflict: the Deployment was changed in the meantime.
            Forbidden: we may not change it.
            Unavailable: the cluster does not answer; read the Deployment before trying again.
        """
        operations: list[Json] = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": resource_version},
            {"op": "replace", "path": "/spec/template", "value": dict(template)},
        ]
        for name, value in (annotations or {}).items():  # a Deployment always has some: its revision
            pointer = name.replace("~", "~0").replace("/", "~1")
            operations.append({"op": "add", "path": f"/metadata/annotations/{pointer}", "value": value})
        return await self._ask(
            Request("patch", "deployments", self.deployment),
            lambda client: AppsV1Api(client).patch_namespaced_deployment(
                self.deployment,
                self.namespace,
                operations,
                _content_type=_JSON_PATCH,
                **self._write(dry_run),
            ),
        )

    async def rollout_status(self) -> RolloutStatus:
        """How far the newest rollout is.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not let us look.
        """
        deployment, pods, replica_sets = await asyncio.gather(
            self.read_deployment(), self.list_pods(), self.list_replica_sets()
        )
        return rollout_status(deployment, pods=pods, replica_sets=replica_sets)

    async def can_i(
        self, verb: str, resource: str, *, group: str = "", name: str = "", subresource: str = ""
    ) -> bool:
        """Whether our credentials allow this in the namespace: `kubectl auth can-i`.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not even let us ask.
        """
        attributes = V1ResourceAttributes(
            namespace=self.namespace,
            verb=verb,
            group=group,
            resource=resource,
            subresource=subresource or None,
            name=name or None,
        )
        review = V1SelfSubjectAccessReview(spec=V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
        answer = await self._ask(
            Request("create", "selfsubjectaccessreviews"),
            lambda client: AuthorizationV1Api(client).create_self_subject_access_review(review, **self._raw),
        )
        return bool((answer.get("status") or {}).get("allowed"))

    async def _read_secret(self) -> Json:
        return await self._ask(
            Request("get", "secrets", self.secret_name),
            lambda client: CoreV1Api(client).read_namespaced_secret(
                self.secret_name, self.namespace, **self._raw
            ),
        )

    async def _warnings(self) -> tuple[str, ...]:
        try:
            return warning_lines(await self.list_events(), self.deployment)
        except Forbidden as error:
            return (f"events were not read: {error.detail}",)

    @property
    def _raw(self) -> dict[str, Any]:
        """Objects as the API gives them, and a timeout, which the client does not have by default."""
        return {"_preload_content": False, "_request_timeout": (self.timeout_seconds, self.timeout_seconds)}

    def _write(self, dry_run: bool) -> dict[str, Any]:
        return {"field_manager": _FIELD_MANAGER, "dry_run": "All" if dry_run else None, **self._raw}

    @property
    def _credentials(self) -> Credentials:
        return Credentials(
            in_cluster=self.in_cluster,
            kubeconfig_yaml=self.kubeconfig_yaml,
            kubeconfig=self.kubeconfig,
            context=self.context,
        )

    async def _ask(self, request: Request, send: Callable[[ApiClient], Any]) -> Json:
        if self.allowed_namespaces and self.namespace not in self.allowed_namespaces:
            raise Refused(
                SYSTEM,
                f"namespace {self.namespace} is not among the allowed ones",
                "Correct the Cluster block",
            )
        try:
            async with asyncio.timeout(self.timeout_seconds * 2 + _PLUGIN_SECONDS):
                return await asyncio.to_thread(ask, self._credentials, request, send)
        except TimeoutError:
            raise Unavailable(
                SYSTEM,
                f"cannot {request}: no answer in time",
                "Check the network from here to the cluster, and the credentials' plug-in",
                may_have_landed=True,
            ) from None


def _items(answer: Json) -> list[Json]:
    return list(answer.get("items") or ())
