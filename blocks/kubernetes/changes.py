"""What is changed in the cluster: the workload, its pods and its Secret, and nothing else."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubernetes.client import AppsV1Api, CoreV1Api, V1DeleteOptions, V1Preconditions
from pydantic import SecretStr

from blocks.kubernetes.access.connection import ClusterClient, Json, Send
from blocks.kubernetes.access.errors import SYSTEM, Request
from blocks.kubernetes.access.permissions import WORKLOADS, WorkloadKind
from blocks.kubernetes.revisions import belongs, revisions
from blocks.kubernetes.workload import Workload
from blocks.transport.errors import NotFound, Refused
from runbook.kubernetes.ownership import FIELD_MANAGER

_STRATEGIC_MERGE = "application/strategic-merge-patch+json"
_MERGE_PATCH = "application/merge-patch+json"

_PATCH: Mapping[WorkloadKind, Callable[..., Any]] = {
    "Deployment": AppsV1Api.patch_namespaced_deployment,
    "StatefulSet": AppsV1Api.patch_namespaced_stateful_set,
}


@dataclass(frozen=True)
class Changes:
    """Everything that changes something.

    Each method raises, beside what it names itself:
        Conflict: the object is not any more what the change was made for.
        Forbidden: we may not change it; the error has the rule that an admin must add.
        Refused: it is none of ours to change, or the cluster or one of its policies says no.
        Unavailable: the cluster does not answer; where the change `may_have_landed`, read before repeating.
    """

    workload: Workload

    @property
    def client(self) -> ClusterClient:
        """The connection to the cluster."""
        return self.workload.client

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
        """
        values = {key: value.get_secret_value() if value else None for key, value in data.items()}
        body: Json = {
            "metadata": _metadata(resource_version, annotations),
            "data": {
                key: None if value is None else base64.b64encode(value.encode()).decode()
                for key, value in values.items()
            },
        }
        name = self.client.settings.secret_name
        answer = await self._write(
            Request("patch", "secrets", name, secrets=tuple(filter(None, values.values()))),
            lambda client: CoreV1Api(client).patch_namespaced_secret(
                name, body=body, _content_type=_MERGE_PATCH, **self._patching(dry_run)
            ),
        )
        return str(answer["metadata"]["resourceVersion"])

    async def patch_workload(self, patch: Mapping[str, Any], *, dry_run: bool = False) -> Json:
        """Apply a strategic merge patch; one that carries `metadata.resourceVersion` is bound to it."""
        return await self._patch(dict(patch), _STRATEGIC_MERGE, dry_run=dry_run)

    async def patch_managed_fields(
        self, entries: Sequence[Mapping[str, Any]], *, resource_version: str
    ) -> Json:
        """Say anew who has set which field of the workload, if it is still at the version, and nothing else.

        Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#clearing-managedfields
        """
        metadata = {"resourceVersion": resource_version, "managedFields": list(entries)}
        return await self._patch({"metadata": metadata}, _MERGE_PATCH)

    async def replace_pod_template(
        self,
        template: Mapping[str, Any],
        *,
        resource_version: str,
        annotations: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> Json:
        """Put another pod template in place, as a roll back does, if the workload is still at the version."""
        patch = {
            "metadata": _metadata(resource_version, annotations),
            "spec": {"template": {**template, "$patch": "replace"}},
        }
        return await self.patch_workload(patch, dry_run=dry_run)

    async def delete_pod(self, name: str, *, uid: str, dry_run: bool = False) -> Json:
        """Delete one of the workload's pods, if it still is the one with this uid.

        Its controller makes another one. Disruption budgets are not asked, as with `kubectl delete pod`.

        Raises:
            NotFound: there is no such pod any more.
        """
        # with a body the server reads no query: options beside it, a dry run among them, would not count
        options = V1DeleteOptions(
            preconditions=V1Preconditions(uid=uid), dry_run=["All"] if dry_run else None
        )
        return await self._write(
            Request("delete", "pods", name),
            lambda client: CoreV1Api(client).delete_namespaced_pod(
                name, body=options, **self.client.namespaced
            ),
        )

    async def _patch(self, body: Json, content_type: str, *, dry_run: bool = False) -> Json:
        settings = self.client.settings
        send = _PATCH[settings.workload_kind]
        return await self._write(
            Request("patch", WORKLOADS[settings.workload_kind], settings.workload_name),
            lambda client: send(
                AppsV1Api(client),
                settings.workload_name,
                body=body,
                _content_type=content_type,
                **self._patching(dry_run),
            ),
        )

    async def _write(self, request: Request, send: Send) -> Json:
        """The one way to change anything: what is not ours to change is not even asked for."""
        self.client.check_permitted(request)
        if request.resource == "pods":
            await self._check_own_pod(request.name)
        return await self.client.ask(request, send)

    async def _check_own_pod(self, name: str) -> None:
        found = await self.client.ask(
            Request("list", "pods"),
            lambda client: CoreV1Api(client).list_namespaced_pod(
                field_selector=f"metadata.name={name}", **self.client.namespaced
            ),
        )
        if not found.get("items"):
            raise NotFound(
                SYSTEM, f"there is no pod {name}", "List the pods again: they may have been replaced"
            )
        workload = await self.workload.read()
        if not belongs(found["items"][0], workload, revisions(workload, await self.workload.revisions())):
            target = self.client.settings.target
            raise Refused(SYSTEM, f"pod {name} does not belong to {target}", "Choose one of its own pods")

    def _patching(self, dry_run: bool) -> dict[str, Any]:
        return {
            "field_manager": FIELD_MANAGER,
            "dry_run": "All" if dry_run else None,
            **self.client.namespaced,
        }


def _metadata(resource_version: str, annotations: Mapping[str, str] | None) -> Json:
    return {
        "resourceVersion": resource_version,
        **({"annotations": dict(annotations)} if annotations else {}),
    }
