"""What it means that the API server refuses a request, or does not answer it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import urllib3
from kubernetes.client.exceptions import ApiException

from blocks.kubernetes.access.permissions import Permission, permission_for
from blocks.transport.errors import (
    Conflict,
    Forbidden,
    NotFound,
    OutsideError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreadable,
    one_line,
)
from blocks.transport.translating import bare_url, retry_after
from blocks.transport.web_pages import is_web_page, web_page_title
from runbook.redaction import redact

SYSTEM = "Kubernetes"

_POLICY_WORDS = (
    "denied the request",  # a webhook
    "denied request",  # a ValidatingAdmissionPolicy
    "does not support dry run",  # a webhook that cannot be tried
    "exceeded quota",
    "violates PodSecurity",
)
"""A refusal by the cluster's own policies may come as 400, 403 or any code; no right would change it."""


_IMMUTABLE = "field is immutable when `immutable` is set"
_ANOTHER_ONE = (
    "create another one with the new value, point the workload to it, and set its name in [cluster]"
)
"""What to do about a Secret whose `immutable` is set, which nobody can unset."""


@dataclass(frozen=True)
class Request:
    """What is asked of the API server, in RBAC's words, for errors that say which permission is missing."""

    verb: str
    resource: str
    name: str = ""
    secrets: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f"/{self.name}" if self.name else "")

    @property
    def permission(self) -> Permission:
        """The right that it takes."""
        return permission_for(self.verb, self.resource, self.name)

    @property
    def changes(self) -> bool:
        """Whether it may change something; a review, which is created too, never does."""
        return self.verb in ("patch", "delete")


def no_answer(
    request: Request, error: urllib3.exceptions.HTTPError, server: str = "the server"
) -> Unavailable:
    """What an error of the connection means."""
    cause = getattr(error, "reason", None) or error
    # a refused connection is a ConnectTimeoutError to urllib3 as well
    refused = isinstance(cause, urllib3.exceptions.NewConnectionError)
    never_sent = refused or isinstance(cause, urllib3.exceptions.ConnectTimeoutError)
    if refused:
        why = "does not accept connections"
    elif isinstance(cause, urllib3.exceptions.TimeoutError):
        why = "did not answer in time"
    else:
        why = "closed the connection"
    return Unavailable(
        SYSTEM,
        f"cannot {request}: {server} {why}",
        "Check the network connection to the cluster, or wait",
        may_have_landed=not never_sent,
    )


def unreadable(request: Request, why: str) -> Unavailable:
    """What a success means that does not show the object: a proxy may have answered in the server's place."""
    return _not_the_server(request, f"cannot {request}: {why}")


def too_large(request: Request, limit: int) -> OutsideError:
    """What an answer means that is longer than `limit` bytes: asked again, it is no shorter."""
    detail = f"cannot {request}: the answer has more than {limit} bytes"
    if request.changes:
        return Unavailable(SYSTEM, detail, "Check whether it changed", may_have_landed=True)
    return Unreadable(SYSTEM, detail, "Check the server")


def _not_the_server(request: Request, detail: str, status: int | None = None) -> Unavailable:
    """A load balancer or a proxy has answered, or has cut the server's answer: for as long as that lasts the
    server is away.
    """
    step = (
        "Read it again: it may have changed"
        if request.changes
        else "Check the proxies between here and the API server"
    )
    return Unavailable(SYSTEM, detail, step, http_status=status, may_have_landed=request.changes)


def refusal(request: Request, error: ApiException, *, renewal: str, secrets: Iterable[str]) -> OutsideError:
    """What a `Status` of the API server means.

    `renewal` is what a person does when the credentials have expired; `secrets` are masked in its words.
    """
    status = _status_of(error)
    said = one_line(redact(_message(status, error), secrets), 300)
    detail = f"cannot {request}: {said}"
    if 300 <= (error.status or 0) < 500 and not _by_server(status, error):
        who = f"HTTP {error.status}, not by the API server{_sent_to(error)}"
        return _not_the_server(request, f"{detail} ({who})", error.status)
    if error.status == 401 or (error.status == 403 and "system:anonymous" in said):
        return Unauthenticated(SYSTEM, detail, renewal, by_server=True)
    if any(words in said for words in _POLICY_WORDS):
        return Refused(SYSTEM, detail, "A policy of the cluster forbids it: ask its administrators")
    if error.status == 403:
        return _forbidden(request, detail)
    if error.status == 404:
        return NotFound(SYSTEM, detail, "Check the namespace and the names in the Cluster block")
    if error.status == 409:
        return Conflict(SYSTEM, detail, "It has changed: read it again")
    if error.status in (0, None):
        return Unavailable(SYSTEM, detail, "Check the server's certificate and address")
    if error.status == 429 or error.status >= 500:
        return Unavailable(
            SYSTEM,
            detail,
            http_status=error.status,
            retry_after_seconds=_wish(status, error),
            # a load balancer's 5xx, 503 too, says nothing about what the server behind it did
            may_have_landed=error.status >= 500,
        )
    if _IMMUTABLE in said:
        return Refused(SYSTEM, detail, f"It is immutable: {_ANOTHER_ONE}")
    return Refused(SYSTEM, detail, "Check the request")


def _forbidden(request: Request, detail: str) -> Forbidden:
    missing = request.permission
    return Forbidden(
        SYSTEM,
        detail,
        f"Escalate to an admin: the runbook's Role lacks {missing.rule}",
        verb=request.verb,
        resource=request.resource,
        name=request.name,
    )


def _by_server(status: dict[str, Any], error: ApiException) -> bool:
    """Whether the API server has said this, or a gateway that knows our account.

    The server refuses with a `Status`, or in one of two plain texts: `404 page not found` is what its router
    says of a group that it does not have; the text of a 429 is from API Priority and Fairness. A gateway that
    lets accounts in, such as Rancher's, refuses ours with a 401 in words. A page is for people who log in.
    """
    if status.get("kind") == "Status" or error.status == 429:
        return True
    if error.status == 401:
        return not _is_web_page(error)
    return str(error.body or "").strip() == "404 page not found"


def _is_web_page(error: ApiException) -> bool:
    return is_web_page(str(error.body or ""), str((error.headers or {}).get("Content-Type", "")))


def _sent_to(error: ApiException) -> str:
    """Where a redirect leads, which is not followed."""
    target = (error.headers or {}).get("Location") if (error.status or 0) < 400 else None
    return f", which sends us to {bare_url(target)}" if target else ""


def _status_of(error: ApiException) -> dict[str, Any]:
    try:
        status = json.loads(error.body or "")
    except (TypeError, ValueError):
        return {}
    return status if isinstance(status, dict) else {}


def _message(status: dict[str, Any], error: ApiException) -> str:
    message = status.get("message")
    if isinstance(message, str) and message:
        return message
    title = web_page_title(str(error.body or "")) if _is_web_page(error) else ""
    return f"{error.reason}, a page named {title!r}" if title else str(error.reason)


def _wish(status: dict[str, Any], error: ApiException) -> int | None:
    """How long to wait, in seconds. Most refusals of a busy server are plain text with a header."""
    match status.get("details"):
        case {"retryAfterSeconds": int() as wish}:
            return wish
    headers = error.headers or {}
    return retry_after(headers.get("Retry-After"), now=datetime.now(UTC))
