"""A Kubernetes API server with our credentials: a client for each, errors in our own terms. Blocking."""

import io
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, load_incluster_config
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger
from pydantic import SecretStr

from blocks.errors import (
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
from runbook.redaction import redact

SYSTEM = "Kubernetes"

_DOES_NOT_APPLY = "rejected our request due to an error in our request"
"""The server's only words for a JSON patch whose `test` fails, which is how a changed object is noticed."""

_CLIENTS: dict["Credentials", ApiClient] = {}
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Credentials:
    """Where the credentials are: in the pod, in a kubeconfig's text, or in kubeconfigs (joined by `:`)."""

    in_cluster: bool = False
    kubeconfig_yaml: SecretStr | None = None
    kubeconfig: str | None = None
    context: str | None = None

    @property
    def renewal(self) -> str:
        """What a person does when they have expired."""
        if self.in_cluster:
            return "Check the pod's service account and its token"
        if self.kubeconfig_yaml is not None:
            return "Put a new kubeconfig into the Cluster block"
        context = f" --context {self.context}" if self.context else ""
        return f"Re-authenticate: kubectl{context} get pods"


@dataclass(frozen=True)
class Request:
    """What is asked of the API server, in RBAC's words, for errors that say which permission is missing."""

    verb: str
    resource: str
    name: str = ""
    secrets: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f"/{self.name}" if self.name else "")


def ask(credentials: Credentials, request: Request, send: Callable[[ApiClient], Any]) -> dict[str, Any]:
    """Send a request and read the object that it answers.

    After a 401 the credentials are read again, once: a token in a file or of a plug-in may be newer by now.

    Raises:
        Unavailable: no answer, or one that may heal.
        Refused: the credentials or the request are not accepted.
    """
    response = open_stream(credentials, request, send)
    try:
        document = json.loads(response.data)
    except ValueError:
        raise Unreadable(SYSTEM, f"cannot {request}: the answer is not JSON", "Check the server") from None
    except urllib3.exceptions.HTTPError as error:
        raise _no_answer(request, error) from None
    finally:
        response.release_conn()
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        raise Unreadable(SYSTEM, f"cannot {request}: the answer is no Kubernetes object", "Check the server")
    return document


def open_stream(
    credentials: Credentials, request: Request, send: Callable[[ApiClient], Any]
) -> urllib3.BaseHTTPResponse:
    """Send a request and leave its body unread; the caller reads and closes it.

    Raises:
        Unavailable: no answer, or one that may heal.
        Refused: the credentials or the request are not accepted.
    """
    client = _client(credentials)
    try:
        return _send(client, credentials, request, send)
    except Unauthenticated:
        _drop(credentials, client)
        return _send(_client(credentials), credentials, request, send)


def _drop(credentials: Credentials, client: ApiClient) -> None:
    """Have the credentials read again, unless another thread has done so since they failed."""
    with _LOCK:
        if _CLIENTS.get(credentials) is client:
            del _CLIENTS[credentials]


def disconnect(credentials: Credentials) -> None:
    """Close idle connections, and read the credentials again the next time that they are needed."""
    with _LOCK:
        client = _CLIENTS.pop(credentials, None)
    if client is not None:
        pools = client.rest_client.pool_manager.pools
        for key in pools.keys():  # noqa: SIM118 - urllib3's container cannot be iterated
            pools[key].close()  # the client's own `close` leaves them to the garbage collector


def _send(
    client: ApiClient, credentials: Credentials, request: Request, send: Callable[[ApiClient], Any]
) -> urllib3.BaseHTTPResponse:
    try:
        response: urllib3.BaseHTTPResponse = send(client)
    except ApiException as error:
        tokens = [token.split()[-1] for token in client.configuration.api_key.values() if token]
        raise _refusal(credentials, request, error, secrets=[*request.secrets, *tokens]) from None
    except urllib3.exceptions.HTTPError as error:
        raise _no_answer(request, error) from None
    return response


def _client(credentials: Credentials) -> ApiClient:
    with _LOCK:
        if credentials not in _CLIENTS:
            _CLIENTS[credentials] = ApiClient(_configuration(credentials))
        return _CLIENTS[credentials]


def _configuration(credentials: Credentials) -> Configuration:
    configuration = Configuration()
    configuration.retries = False  # urllib3 would try three times more; tasks retry what can heal
    failed = _LoggedErrors()
    try:
        with failed:
            _load(credentials, configuration)
    except (ConfigException, OSError, ValueError, KeyError, TypeError) as error:
        detail = f"cannot load the credentials: {redact(str(error))}"
        raise Unauthenticated(SYSTEM, detail, credentials.renewal) from None
    if failed.texts:
        # the client only logs a plug-in that fails, and goes on without any credentials
        detail = f"the credentials' plug-in failed: {'; '.join(failed.texts)}"
        raise Unauthenticated(SYSTEM, detail, credentials.renewal)
    return configuration


def _load(credentials: Credentials, configuration: Configuration) -> None:
    if credentials.in_cluster:
        load_incluster_config(client_configuration=configuration)
        return
    if credentials.kubeconfig_yaml is not None:
        source: Any = io.StringIO(credentials.kubeconfig_yaml.get_secret_value())
    else:
        source = credentials.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    merged = KubeConfigMerger(source).config
    if merged is None:
        raise ConfigException(f"there is no kubeconfig at {source}")
    KubeConfigLoader(config_dict=merged, active_context=credentials.context).load_and_set(configuration)


class _LoggedErrors(logging.Handler):
    """What this thread logs to the root logger as an error, while it is entered."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.texts: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread and record.name == "root":
            self.texts.append(one_line(redact(record.getMessage()), 200))

    def __enter__(self) -> None:
        logging.getLogger().addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


def _no_answer(request: Request, error: urllib3.exceptions.HTTPError) -> OutsideError:
    cause = getattr(error, "reason", None) or error
    never_sent = isinstance(
        cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError
    )
    timed_out = isinstance(cause, urllib3.exceptions.TimeoutError)
    why = "no answer in time" if timed_out else "the connection failed"
    return Unavailable(
        SYSTEM,
        f"cannot {request}: {why}",
        "Check the network from here to the cluster, or wait",
        may_have_landed=not never_sent,
    )


def _refusal(
    credentials: Credentials, request: Request, error: ApiException, *, secrets: Iterable[str]
) -> OutsideError:
    """What a `Status` of the API server means."""
    status = _status_of(error)
    said = one_line(redact(_message(status, error), secrets), 300)
    detail = f"cannot {request}: {said}"
    if error.status == 401 or (error.status == 403 and "system:anonymous" in said):
        return Unauthenticated(SYSTEM, detail, credentials.renewal)
    if error.status == 403:
        return Forbidden(
            SYSTEM,
            detail,
            f"Ask an administrator for the permission to {request}",
            verb=request.verb,
            resource=request.resource,
            name=request.name,
        )
    if error.status == 404:
        return NotFound(SYSTEM, detail, "Check the namespace and the names in the Cluster block")
    if error.status == 409 or (error.status == 422 and _DOES_NOT_APPLY in said):
        return Conflict(SYSTEM, detail, "Read it again: it has changed")
    if error.status in (0, None):
        return Unavailable(SYSTEM, detail, "Check the server's certificate and address")
    if error.status == 429 or error.status >= 500:
        return Unavailable(
            SYSTEM,
            detail,
            http_status=error.status,
            retry_after_seconds=_wish(status),
            may_have_landed=error.status >= 500 and error.status != 503,
        )
    return Refused(SYSTEM, detail, "Check the request")


def _status_of(error: ApiException) -> dict[str, Any]:
    try:
        status = json.loads(error.body or "")
    except (TypeError, ValueError):
        return {}
    return status if isinstance(status, dict) else {}


def _message(status: dict[str, Any], error: ApiException) -> str:
    message = status.get("message")
    return message if isinstance(message, str) and message else str(error.reason)


def _wish(status: dict[str, Any]) -> int | None:
    match status.get("details"):
        case {"retryAfterSeconds": int() as wish}:
            return wish
    return None
