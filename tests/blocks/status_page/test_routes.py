"""The ways to PostHog's status page: the page, its mirror and the proxy, each asked as often as it helps."""

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from blocks.status_page.page import StatusPage
from blocks.transport.errors import Unavailable
from tests.blocks.status_page_bench import STATUSPAGE, SUMMARY, page


async def test_a_fallback_is_asked_where_the_page_is_down(httpserver: HTTPServer, nobody: str) -> None:
    """A mirror answers for a page that cannot be reached, and the reading names the route."""
    httpserver.expect_request("/api/v1/summary").respond_with_json(SUMMARY)

    reading = await StatusPage(url=nobody, fallback_urls=[httpserver.url_for("/")]).read_any()

    assert reading.route == "fallback 1"


async def test_the_proxy_is_the_second_way(httpserver: HTTPServer) -> None:
    """A page out of reach from here is asked through the proxy, by its own address."""
    httpserver.expect_request("/api/v1/summary", headers={"Host": "status.invalid"}).respond_with_json(
        SUMMARY
    )

    reading = await StatusPage(
        url="http://status.invalid", proxy=SecretStr(httpserver.url_for("/"))
    ).read_any()

    assert reading.route == "proxy"


async def test_a_redirect_is_followed(httpserver: HTTPServer) -> None:
    """`status.posthog.com` has moved; its redirect leads to the page."""
    target = httpserver.url_for("/new/api/v1/summary")
    httpserver.expect_request("/api/v1/summary").respond_with_data("", 301, headers={"Location": target})
    httpserver.expect_request("/new/api/v1/summary").respond_with_json(SUMMARY)

    assert (await page(httpserver).read_any()).incidents == ()


async def test_all_reasons_are_told_when_every_way_fails(httpserver: HTTPServer, nobody: str) -> None:
    """The error names each route with its reason, and may heal if one of them may."""
    block = page(httpserver, url=nobody, fallback_urls=[httpserver.url_for("/")])

    with pytest.raises(Unavailable) as caught:
        await block.read_any()

    for route in ("direct: ", "fallback 1: ", "feed, direct: "):
        assert route in caught.value.detail


async def test_a_page_that_does_not_answer_is_asked_once_per_route(silent: str) -> None:
    """Where nothing answers, no other format is tried: each would cost a timeout."""
    block = StatusPage(url=silent, timeout_seconds=0.2)

    with pytest.raises(Unavailable) as caught:
        await block.read(block.routes()[0])

    assert caught.value.detail.count("/api/") == 1
    assert "/api/v1/summary" in caught.value.detail


async def test_a_format_that_fails_does_not_hide_the_next(httpserver: HTTPServer) -> None:
    """A server error on one path says nothing about another path of the page."""
    httpserver.expect_request("/api/v1/summary").respond_with_data("", status=500)
    httpserver.expect_request("/api/v2/summary.json").respond_with_json(STATUSPAGE)

    assert (await page(httpserver).read_any()).format == "statuspage"
