"""Prefect's API as a place that may fail: what is said about its address."""

import asyncio
import socket

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from pytest_httpserver import HTTPServer

from blocks.transport.errors import OutsideError, Refused, Unavailable
from blocks.transport.prefect_api import prefect_client


async def failure(url: str) -> OutsideError:
    """What a request to Prefect at this address ends in."""
    ours = {PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(ours), pytest.raises(OutsideError) as caught:
        async with prefect_client() as client:
            await client.read_deployment_by_name("respond/respond")
    return caught.value


async def test_nobody_there_shows_no_password(nobody: str) -> None:
    """PREFECT_API_URL may hold the user and password of a proxy."""
    error = await failure(nobody.replace("://", "://me:hunter2@") + "/api")

    assert isinstance(error, Unavailable)
    assert f"no answer at {nobody}/api" in str(error)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, Refused, "no password, or a wrong one, for"),
        (403, Refused, "status 403 at"),
        (503, Unavailable, "status 503 at"),
    ],
)
async def test_a_refusal_shows_no_password(
    httpserver: HTTPServer, status: int, kind: type[OutsideError], said: str
) -> None:
    """Nor does the error of an answer, whose own text would quote the whole address."""
    httpserver.expect_request("").respond_with_data("", status)
    error = await failure(httpserver.url_for("/api").replace("://", "://me:hunter2@"))

    assert isinstance(error, kind)
    assert f"{said} {httpserver.url_for('/api')}" in str(error)
    assert "hunter2" not in str(error)
    assert error.__cause__ is None


async def test_a_server_that_takes_requests_and_does_not_answer_is_given_up_in_time() -> None:
    """Its own client tries again for minutes. What else takes too long in there keeps its own error."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        with temporary_settings({PREFECT_API_URL: url}):
            with pytest.raises(Unavailable, match=r"no answer within 0\.5 s"):
                async with prefect_client(within=0.5) as client:
                    await client.read_deployment_by_name("respond/respond")
            with pytest.raises(TimeoutError):
                async with prefect_client(within=60), asyncio.timeout(0.01):
                    await asyncio.sleep(1)
