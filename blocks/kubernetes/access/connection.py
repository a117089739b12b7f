"""Asking the cluster: one request at a time, off the event loop, within a deadline."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from kubernetes.client import (
    ApiClient,
    AuthorizationV1Api,
    V1ResourceAttributes,
    V1SelfSubjectAccessReview,
    V1SelfSubjectAccessReviewSpec,
)

from blocks.kubernetes.access import api as kubernetes_access
from blocks.kubernetes.access.api import CONNECTIONS, ask
from blocks.kubernetes.access.errors import SYSTEM, Request
from blocks.kubernetes.access.patience import patiently
from blocks.kubernetes.access.permissions import Permission, api_group
from blocks.kubernetes.settings import ClusterSettings
from blocks.transport.errors import Refused, Unavailable
from blocks.transport.threads import Threads

_REVIEW = Request("create", "selfsubjectaccessreviews")  # of ourselves: everyone may
_THREADS = Threads("kubernetes", CONNECTIONS)

Json = dict[str, Any]
Send = Callable[[ApiClient], Any]
_Answer = TypeVar("_Answer")


class ClusterConnection(ClusterSettings):
    """The connection with the configured credentials, and what these may do."""

    def disconnect(self) -> None:
        """Close idle connections to the cluster; the next request reads the credentials again."""
        kubernetes_access.disconnect(self.credentials)

    def server_time(self) -> datetime | None:
        """The cluster's time now (aware UTC), by its newest answer; `None` where it has not told its time."""
        return kubernetes_access.server_time(self.credentials)

    async def address(self) -> str:
        """The API server's address. Nothing is asked of it.

        Raises:
            Refused: the credentials, which it stands beside, cannot be read.
        """
        return await _THREADS.run(lambda: kubernetes_access.address(self.credentials))

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
            _REVIEW,
            lambda client: AuthorizationV1Api(client).create_self_subject_access_review(review, **self._raw),
        )
        return bool((answer.get("status") or {}).get("allowed"))

    async def holds(self, permission: Permission) -> bool:
        """Whether our credentials have this right.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not even let us ask.
        """
        resource, _, subresource = permission.resource.partition("/")
        return await self.can_i(
            permission.verb,
            resource,
            group=api_group(permission.resource),
            name=permission.name,
            subresource=subresource,
        )

    @property
    def _raw(self) -> dict[str, Any]:
        """Objects as the API gives them, and a timeout, which the client does not have by default."""
        return {"_preload_content": False, "_request_timeout": (self.timeout_seconds, self.timeout_seconds)}

    def _check_permitted(self, request: Request) -> None:
        """The allow-list: our namespace, and in it what the table of rights has; RBAC may give us more.

        Raises:
            Refused: it is beyond that.
        """
        if self.allowed_namespaces and self.namespace not in self.allowed_namespaces:
            detail = f"namespace {self.namespace} is not among the allowed ones"
            raise Refused(SYSTEM, detail, "Correct the Cluster block")
        if request != _REVIEW and request.permission not in self.permitted():
            detail = f"cannot {request}: access {self.access!r} to {self.target} does not allow it"
            raise Refused(SYSTEM, detail, "If it should, correct the Cluster block")

    async def _ask(self, request: Request, send: Send) -> Json:
        self._check_permitted(request)
        return await self._in_time(request, lambda: ask(self.credentials, request, send))

    async def _in_time(self, request: Request, call: Callable[[], _Answer]) -> _Answer:
        """The client's own timeouts begin anew with every byte. What is refused for now is asked again."""
        try:
            async with asyncio.timeout(self.timeout_seconds * 2 + self.credentials.plugin_seconds):
                return await patiently(
                    lambda: _THREADS.run(call),
                    request,
                    credentials=self.credentials,
                    seconds=self.timeout_seconds,
                )
        except TimeoutError:
            raise Unavailable(
                SYSTEM,
                f"cannot {request}: no answer in time",
                "Check the network connection to the cluster, and the credentials' plug-in",
                may_have_landed=True,
            ) from None
