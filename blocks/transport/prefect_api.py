"""Prefect's API, with its failures as ours: one line that says what is wrong and what to do."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import certifi
import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import get_current_settings
from prefect.settings.models.api import APISettings

from blocks.transport.errors import Refused, Unavailable
from blocks.transport.translating import bare_url

_HOW_TO_LOG_IN = (
    "Set PREFECT_API_AUTH_STRING (`runbook up` says to what), or PREFECT_API_KEY for Prefect Cloud"
)


@asynccontextmanager
async def prefect_client(*, within: float | None = None) -> AsyncIterator[PrefectClient]:
    """A client for Prefect's server, with its failures as ours.

    `within` is how many seconds all of its use may take. Prefect's client tries again by itself, for minutes
    with a server that accepts connections and does not answer: whoever has others waiting sets a limit.

    Raises:
        Unavailable: the server does not answer, or answers that it cannot now.
        Refused: it refused, or `PREFECT_API_URL` is not set.
    """
    api = get_current_settings().api
    url = api.url
    if not url:
        raise Refused(
            "Prefect", "PREFECT_API_URL is not set", "Set it, or start everything with `runbook up`"
        )
    shown = bare_url(url)
    limit = asyncio.timeout(within)
    try:
        async with limit, get_client(httpx_settings=await connection(api)) as client:
            yield client
    except TimeoutError:
        if within is None or not limit.expired():
            raise
        raise Unavailable("Prefect", f"no answer within {within:g} s at {shown}") from None
    except (httpx.TransportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "Failed to reach API" not in str(error):
            raise
        advice = "Start it (`runbook up`), or correct PREFECT_API_URL"
        raise Unavailable("Prefect", f"no answer at {shown}", advice) from None
    except PrefectHTTPStatusError as error:
        status = error.response.status_code
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unavailable("Prefect", f"status {status} at {shown}") from None
        if status == httpx.codes.UNAUTHORIZED:
            raise Refused("Prefect", f"no password, or a wrong one, for {shown}", _HOW_TO_LOG_IN) from None
        raise Refused("Prefect", f"status {status} at {shown}", "Check PREFECT_API_URL and its key") from None


async def connection(api: APISettings) -> dict[str, Any]:
    """How to connect, as Prefect would: it reads all certificates anew for each client, in the event loop.

    That takes some 50 ms, in which a receiver answers nobody.
    """
    if api.tls_insecure_skip_verify:
        return {}
    return {"verify": await asyncio.to_thread(_trusted, api.ssl_cert_file or certifi.where())}


@cache
def _trusted(certificates: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates)
