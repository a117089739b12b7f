"""One HTTP exchange with an outside system: a total deadline, a bounded body, errors in our own terms."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache

import httpx
from pydantic import JsonValue

from blocks.transport.translating import refusal, translated, unreadable

_BODY_LIMIT = 8 * 1024 * 1024  # bytes; the largest honest answer is a status page's history
_USER_AGENT = "posthog-incident-runbook"


@lru_cache(maxsize=2)
def tls(*, verify: bool = True) -> ssl.SSLContext:
    """The trusted certificate authorities, read once: it takes some 20 ms of CPU."""
    return httpx.create_ssl_context(verify=verify)


async def exchange(
    system: str,
    method: str,
    url: str,
    *,
    timeout_seconds: float,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    body: JsonValue = None,
    content: bytes | None = None,
    proxy: str | None = None,
    follow_redirects: bool = False,
    verify_tls: bool = True,
    secrets: Iterable[str] = (),
) -> httpx.Response:
    """Send one request, with `body` as JSON or `content` as it is, and read its whole answer, whatever its
    status.

    `timeout_seconds` is for everything together: httpx's own timeouts start anew with every byte. Where a
    redirect leads to another host, `headers` are not sent there: any of them may be a credential.

    Raises:
        Unavailable: no connection, or no complete answer in time.
        Refused: the address cannot be asked at all.
        Unreadable: the answer is larger than any honest one.
    """
    with translated(system, url, secrets=secrets):
        async with (
            asyncio.timeout(timeout_seconds),
            httpx.AsyncClient(
                timeout=timeout_seconds,
                verify=tls(verify=verify_tls),
                proxy=proxy,
                follow_redirects=follow_redirects,
                headers={"User-Agent": _USER_AGENT},
                event_hooks={"request": [_only_at_home(httpx.URL(url), headers or {})]},
            ) as client,
            client.stream(
                method, url, headers=headers, params=params, json=body, content=content
            ) as response,
        ):
            return await _read_bounded(system, response)


def _only_at_home(home: httpx.URL, names: Iterable[str]) -> Callable[[httpx.Request], Awaitable[None]]:
    """Takes the headers off a request to another host. httpx itself takes off Authorization alone.

    Once they are off, they stay off: the other host has no say in what is asked of ours with our credentials.
    """

    async def drop(request: httpx.Request) -> None:
        if not _same_host(request.url, home):
            for name in names:
                request.headers.pop(name, None)
            request.headers.setdefault("User-Agent", _USER_AGENT)

    return drop


def _same_host(url: httpx.URL, home: httpx.URL) -> bool:
    """Whether both are of one scheme, host and port, or the URL is the host's own way to TLS."""
    to_tls = (home.scheme, url.scheme, home.port, url.port) == ("http", "https", None, None)
    return url.host == home.host and (to_tls or (url.scheme, url.port) == (home.scheme, home.port))


def joined(address: str, path: str) -> str:
    """A path below an address, which may have a path and a query of its own."""
    base, mark, query = address.partition("?")
    return f"{base.rstrip('/')}{path}{mark}{query}"


async def _read_bounded(system: str, response: httpx.Response) -> httpx.Response:
    """The same response with its whole body, decompressed."""
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > _BODY_LIMIT:
            raise unreadable(system, response.url, f"more than {_BODY_LIMIT} bytes")
        chunks.append(chunk)
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name not in ("content-encoding", "content-length", "transfer-encoding")
    ]
    return httpx.Response(
        response.status_code, headers=headers, content=b"".join(chunks), request=response.request
    )


def parsed(content: bytes | str) -> JsonValue:
    """The JSON in a body that nobody vouches for.

    Raises:
        ValueError: it is not JSON, or nested deeper than anything honest.
    """
    try:
        value: JsonValue = json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def json_body(system: str, response: httpx.Response) -> JsonValue:
    """The answer's JSON.

    Raises:
        Unreadable: it is not JSON (an HTML page of a gateway, most often).
    """
    try:
        return parsed(response.content)
    except ValueError:
        kind = response.headers.get("Content-Type", "no content type")
        raise unreadable(system, response.url, f"not JSON but {kind}") from None


def json_object(
    system: str, response: httpx.Response, *, secrets: Iterable[str] = ()
) -> dict[str, JsonValue]:
    """The JSON object of a successful answer.

    Raises:
        Unavailable: the status is one that may heal.
        Refused: the status is any other failure, or the body is no JSON object.
    """
    if not response.is_success:
        raise refusal(response, system=system, secrets=secrets)
    value = json_body(system, response)
    if not isinstance(value, dict):
        raise unreadable(system, response.url, "JSON, but not an object")
    return value
