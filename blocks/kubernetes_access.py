"""A Kubernetes API server with our credentials: a client for each, errors in our own terms. Blocking."""

import io
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, load_incluster_config
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger
from pydantic import SecretStr
from urllib3.connection import HTTPConnection, HTTPSConnection

from blocks.errors import Unauthenticated, bare_url, one_line
from blocks.http import parsed
from blocks.kubernetes_errors import SYSTEM, Request, no_answer, refusal, unreadable
from blocks.threads import waits_at
from runbook.redaction import redact

_CLIENTS: dict["Credentials", ApiClient] = {}
_LOCK = threading.Lock()
CONNECTIONS = 16  # a triage asks a dozen things at once
_CHUNK = 64 * 1024
_BODY_LIMIT = 64 * 1024 * 1024  # bytes; a list of some thousand pods


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


def ask(credentials: Credentials, request: Request, send: Callable[[ApiClient], Any]) -> dict[str, Any]:
    """Send a request and read the object that it answers.

    After a 401 the credentials are read again, once: a token in a file or of a plug-in may be newer by now.

    Raises:
        Unavailable: no answer, or one that may heal.
        Refused: the credentials or the request are not accepted.
    """
    response = open_stream(credentials, request, send)
    try:
        document = parsed(_body(request, response))
    except ValueError:
        raise unreadable(request, "the answer is not JSON") from None
    except urllib3.exceptions.HTTPError as error:
        raise no_answer(request, error) from None
    finally:
        response.release_conn()
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        raise unreadable(request, "the answer is no Kubernetes object")
    return document


def _body(request: Request, response: urllib3.BaseHTTPResponse) -> bytes:
    chunks, size = [], 0
    for chunk in response.stream(_CHUNK):
        size += len(chunk)
        if size > _BODY_LIMIT:
            raise unreadable(request, f"the answer has more than {_BODY_LIMIT} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


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


def address(credentials: Credentials) -> str:
    """The API server's address, without what may hold a secret.

    Raises:
        Unauthenticated: the credentials, which it stands beside, cannot be read.
    """
    return bare_url(_client(credentials).configuration.host)


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
        secrets = [*request.secrets, *tokens]
        raise refusal(request, error, renewal=credentials.renewal, secrets=secrets) from None
    except urllib3.exceptions.HTTPError as error:
        raise no_answer(request, error, bare_url(client.configuration.host)) from None
    return response


def _client(credentials: Credentials) -> ApiClient:
    with _LOCK:
        if credentials not in _CLIENTS:
            client = ApiClient(_configuration(credentials))
            client.rest_client.pool_manager.pool_classes_by_scheme = _POOLS
            _CLIENTS[credentials] = client
        return _CLIENTS[credentials]


def _configuration(credentials: Credentials) -> Configuration:
    configuration = Configuration()
    configuration.connection_pool_maxsize = CONNECTIONS
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


class _Connection(HTTPConnection):
    """A connection at which a call can be given up."""

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override] # as urllib3's own
        waits_at(self.sock)
        return super().getresponse()


class _TlsConnection(HTTPSConnection):
    """The same over TLS, whose handshake has a total deadline of its own."""

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override] # as urllib3's own
        waits_at(self.sock)
        return super().getresponse()


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


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
