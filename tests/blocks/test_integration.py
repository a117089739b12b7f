"""The integration's own health endpoint."""

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from blocks.integration import IntegrationService
from blocks.transport.errors import NotFound, Refused, Unavailable, Unreadable
from runbook.checks.readings import HealthReading


async def read(httpserver: HTTPServer, **settings: Any) -> HealthReading:
    """The reading of the test's server."""
    return await IntegrationService(health_url=httpserver.url_for("/health"), **settings).read_health()


@pytest.mark.parametrize("http_status", [200, 503])
async def test_the_word_is_found_on_its_path(httpserver: HTTPServer, http_status: int) -> None:
    """The PostHog status is a reading, whether with 200 or 503; its neighbours are the detail."""
    body = {"status": "x", "services": {"posthog": {"status": "degraded", "mode": "fallback", "since": 5}}}
    httpserver.expect_request("/health").respond_with_json(body, status=http_status)

    reading = await read(httpserver)

    assert (reading.status, reading.http_status, reading.detail) == (
        "degraded",
        http_status,
        "mode: fallback",
    )


@pytest.mark.parametrize(
    "body", [{}, {"services": {}}, {"services": "up"}, [], {"services": {"posthog": {"status": 1}}}]
)
async def test_no_word_is_no_status(httpserver: HTTPServer, body: Any) -> None:
    """JSON without the path, or with no text there, says nothing about the health."""
    httpserver.expect_request("/health").respond_with_json(body)

    reading = await read(httpserver)

    assert reading.status is None
    assert "services.posthog.status" in reading.detail


async def test_the_path_is_a_setting(httpserver: HTTPServer) -> None:
    """Another service may keep its word elsewhere."""
    httpserver.expect_request("/health").respond_with_json({"posthog": "ok"})

    assert (await read(httpserver, status_path="posthog")).status == "ok"


@pytest.mark.parametrize("path", ["", "a..b", "checks[x]"])
def test_a_path_that_cannot_be_read_is_refused(path: str) -> None:
    """A typing error is told when the settings are read, not in the middle of an incident."""
    with pytest.raises(ValueError, match=r"path"):
        IntegrationService(health_url="https://app.example/health", status_path=path)


@pytest.mark.parametrize(
    ("content", "http_status", "word"),
    [
        ("Healthy", 200, "Healthy"),
        ("Unhealthy", 503, "Unhealthy"),
        ("", 200, None),
        ("", 204, None),
        ('\ufeff{"services":{"posthog":{"status":"ok"}}}', 200, "ok"),
        ('["posthog: DOWN"]', 503, "DOWN"),
    ],
)
async def test_an_answer_that_is_no_object_is_read(
    httpserver: HTTPServer, content: str, http_status: int, word: str | None
) -> None:
    """Plain text, an empty answer, a byte order mark and a list are readings."""
    httpserver.expect_request("/health").respond_with_data(content, status=http_status)

    reading = await read(httpserver)

    assert (reading.status, reading.http_status) == (word, http_status)


@pytest.mark.parametrize("http_status", [200, 503])
async def test_a_page_that_checks_for_a_browser_is_not_the_services_answer(
    httpserver: HTTPServer, http_status: int
) -> None:
    """Whatever its status: something before the service answers."""
    page = "<!DOCTYPE html><title>Just a moment...</title>"
    httpserver.expect_request("/health").respond_with_data(page, status=http_status, content_type="text/html")

    with pytest.raises(Unreadable, match="browser"):
        await read(httpserver)


async def test_secrets_in_the_answer_are_masked(httpserver: HTTPServer) -> None:
    """What the service says is masked before it is cut."""
    said = {"status": "down", "error": "x" * 150 + " token=phx_" + "a" * 43}
    httpserver.expect_request("/health").respond_with_json({"services": {"posthog": said}})

    reading = await read(httpserver)

    assert "phx_" not in reading.detail
    assert len(reading.detail) <= 200


async def test_a_server_error_without_json_is_a_reading(httpserver: HTTPServer) -> None:
    """A gateway's 502 says that the service is down, without a word of its own."""
    httpserver.expect_request("/health").respond_with_data("<html>", status=502, content_type="text/html")

    reading = await read(httpserver)

    assert (reading.http_status, reading.status) == (502, None)


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFound), (403, Refused), (429, Unavailable), (200, Unreadable)]
)
async def test_an_endpoint_that_is_not_there_is_an_error(
    httpserver: HTTPServer, status: int, kind: type[Exception]
) -> None:
    """4xx, and HTML with 200, mean that this is not the health endpoint."""
    httpserver.expect_request("/health").respond_with_data("<html>", status=status, content_type="text/html")

    with pytest.raises(kind):
        await read(httpserver)


@pytest.mark.parametrize("server", ["nobody", "silent"])
async def test_no_answer_may_heal(request: pytest.FixtureRequest, server: str) -> None:
    """A refused connection and silence are transient errors."""
    block = IntegrationService(health_url=f"{request.getfixturevalue(server)}/health", timeout_seconds=0.3)

    with pytest.raises(Unavailable):
        await block.read_health()
