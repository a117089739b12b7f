"""Asking the cluster: one request at a time, off the event loop, within a deadline."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
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
from blocks.kubernetes.access.api import CONNECTIONS
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


@dataclass(frozen=True)
class ClusterClient:
    """The connection with the configured credentials, and what these may do."""

    settings: ClusterSettings

    def disconnect(self) -> None:
        """Close idle connections to the cluster; the next request reads the credentials again."""
        kubernetes_access.disconnect(self.settings.credentials)

    def server_time(self) -> datetime | None:
        """The cluster's time now (aware UTC), by its newest answer; `None` where it has not told its time."""
        return kubernetes_access.server_time(self.settings.credentials)

    async def address(self) -> str:
        """The API server's address. Nothing is asked of it.

        Raises:
            Refused: the credentials, which it stands beside, cannot be read.
        """
        return await _THREADS.run(lambda: kubernetes_access.address(self.settings.credentials))

    async def can_i(
        self, verb: str, resource: str, *, group: str = "", name: str = "", subresource: str = ""
    ) -> bool:
        """Whether our credentials allow this in the namespace: `kubectl auth can-i`.

        Raises:
            Unavailable: the cluster does not answer.
            Refused: it does not even let us ask.
        """
        attributes = V1ResourceAttributes(
            namespace=self.settings.namespace,
            verb=verb,
            group=group,
            resource=resource,
            subresource=subresource or None,
            name=name or None,
        )
        review = V1SelfSubjectAccessReview(spec=V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
        answer = await self.ask(
            _REVIEW,
            lambda client: AuthorizationV1Api(client).create_self_subject_access_review(review, **self.raw),
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
    def raw(self) -> dict[str, Any]:
        """Objects as the API gives them, and a timeout, which the client does not have by default."""
        seconds = self.settings.timeout_seconds
        return {"_preload_content": False, "_request_timeout": (seconds, seconds)}

    @property
    def namespaced(self) -> dict[str, Any]:
        """The same for a request in our namespace."""
        return {"namespace": self.settings.namespace, **self.raw}

    def check_permitted(self, request: Request) -> None:
        """The allow-list: our namespace, and in it what the table of rights has; RBAC may give us more.

        Raises:
            Refused: it is beyond that.
        """
        settings = self.settings
        if settings.allowed_namespaces and settings.namespace not in settings.allowed_namespaces:
            detail = f"namespace {settings.namespace} is not among the allowed ones"
            raise Refused(SYSTEM, detail, "Correct the Cluster block")
        if request != _REVIEW and request.permission not in settings.permitted():
            detail = f"cannot {request}: access {settings.access!r} to {settings.target} does not allow it"
            raise Refused(SYSTEM, detail, "If it should, correct the Cluster block")

    async def ask(self, request: Request, send: Send) -> Json:
        """Send one request, and return the object that it is answered with.

        Raises:
            OutsideError: what the answer means, or that there was none in time.
        """
        self.check_permitted(request)
        credentials = self.settings.credentials
        return await self.in_time(request, lambda: kubernetes_access.ask(credentials, request, send))

    async def in_time(self, request: Request, call: Callable[[], _Answer]) -> _Answer:
        """The answer to a call, within the time of a request. What is refused for now is asked again.

        The client's own timeouts begin again with every byte.
        """
        credentials, seconds = self.settings.credentials, self.settings.timeout_seconds
        try:
            async with asyncio.timeout(seconds * 2 + credentials.plugin_seconds):
                return await patiently(
                    lambda: _THREADS.run(call), request, credentials=credentials, seconds=seconds
                )
        except TimeoutError:
            raise Unavailable(
                SYSTEM,
                f"cannot {request}: no answer in time",
                "Check the network connection to the cluster, and the credentials' plug-in",
                may_have_landed=True,
            ) from None


def items_of(answer: Json) -> list[Json]:
    """The objects of a list."""
    return list(answer.get("items") or ())
