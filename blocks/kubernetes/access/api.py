"""A Kubernetes API server with our credentials: a client for each, errors in our own terms. Blocking."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from urllib3.connection import HTTPConnection, HTTPSConnection

from blocks.kubernetes.access.credentials import Credentials, load
from blocks.kubernetes.access.errors import Request, no_answer, refusal, too_large, unreadable
from blocks.transport.errors import Unauthenticated, Unavailable
from blocks.transport.http import parsed
from blocks.transport.threads import waits_at
from blocks.transport.translating import bare_url


@dataclass(frozen=True)
class _Failure:
    """Credentials that could not be loaded, and when that was known, by `time.monotonic`."""

    error: Unauthenticated
    at: float


_CLIENTS: dict[Credentials, ApiClient] = {}
_FAILURES: dict[Credentials, _Failure] = {}
_LOCK = threading.Lock()
CONNECTIONS = 16  # a triage asks a dozen things at once
_CHUNK = 64 * 1024
_BODY_LIMIT = 64 * 1024 * 1024  # bytes; a list of some thousand pods


def ask(credentials: Credentials, request: Request, send: Callable[[ApiClient], Any]) -> dict[str, Any]:
    """Send a request and read the object that it answers.

    After a 401 the credentials are read again, once: a token in a file or of a plug-in may be newer by now.

    Raises:
        Unavailable: no answer, or one that may heal.
        Refused: the credentials or the request are not accepted.
    """
    response = open_stream(credentials, request, send)
    _note_time(credentials, response)
    try:
        document = parsed(_body(request, response))
    except ValueError:
        raise unreadable(request, "the answer is not JSON") from None
    except urllib3.exceptions.HTTPError as error:
        raise no_answer(request, error) from None
    finally:
        response.release_conn()
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        raise unreadable(request, "the answer is not a Kubernetes object")
    return document


_AHEAD: dict[Credentials, timedelta] = {}
"""How far the clock of each API server is ahead of ours, by the `Date` of its newest answer."""


def _note_time(credentials: Credentials, response: urllib3.BaseHTTPResponse) -> None:
    said = response.headers.get("Date")
    if not said:
        return
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return  # no date
    if at.tzinfo is not None:
        _AHEAD[credentials] = at - datetime.now(UTC)


def server_time(credentials: Credentials) -> datetime | None:
    """The API server's time now (aware UTC, to about a second); `None` where it has not told its time."""
    ahead = _AHEAD.get(credentials)
    return None if ahead is None else datetime.now(UTC) + ahead


def _body(request: Request, response: urllib3.BaseHTTPResponse) -> bytes:
    chunks, size = [], 0
    for chunk in response.stream(_CHUNK):
        size += len(chunk)
        if size > _BODY_LIMIT:
            raise too_large(request, _BODY_LIMIT)
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
    except (Unauthenticated, Unavailable) as error:
        if isinstance(error, Unavailable) and error.http_status != HTTPStatus.UNAUTHORIZED:
            raise
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
    """The client with these credentials, which are loaded once for all that wait for them.

    Raises:
        Unauthenticated: they cannot be loaded.
    """
    asked_at = time.monotonic()
    with _LOCK:
        if credentials in _CLIENTS:
            return _CLIENTS[credentials]
        failed = _FAILURES.get(credentials)
        if failed is not None and failed.at >= asked_at:  # while this thread waited for the same
            raise failed.error
        try:
            configuration = _configuration(credentials)
        except Unauthenticated as error:
            _FAILURES[credentials] = _Failure(error, time.monotonic())
            raise
        client = ApiClient(configuration)
        client.rest_client.pool_manager.pool_classes_by_scheme = _POOLS
        _CLIENTS[credentials] = client
        return client


def _configuration(credentials: Credentials) -> Configuration:
    configuration = Configuration()
    configuration.connection_pool_maxsize = CONNECTIONS
    configuration.retries = False  # urllib3 would try three times more; tasks retry what can heal
    load(credentials, configuration)
    return configuration


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
