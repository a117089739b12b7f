"""Errors that `rate` does not see: a counter that begins high, and a share of errors among themselves."""

import pytest
from pytest_httpserver import HTTPServer

from runbook.checks.findings import Status
from runbook.checks.specs.error_rate import judge_error_rate
from runbook.policy.policy import Policy
from tests.blocks.prometheus.test_metrics import (
    BORN,
    COUNT,
    ERRORS,
    REQUESTS,
    START,
    prometheus,
    serve,
    vector,
)

BEFORE = ("count(posthog_requests_total offset 5m)", "count(posthog_errors_total offset 5m)")
NOTHING_BEFORE = {query: vector() for query in BEFORE}


async def test_a_counter_that_begins_high_counts(httpserver: HTTPServer) -> None:
    """A client makes the series of a status with its first error: 600 errors between two scrapes are 2/s."""
    serve(
        httpserver,
        {
            ERRORS: vector(({"status": "401"}, "0"), ({"status": "500"}, "0.5")),
            REQUESTS: vector(({}, "20")),
            BORN: vector(({"status": "401"}, "600")),
            BEFORE[0]: vector(({}, "3")),
        },
    )

    reading = await prometheus(httpserver).read_error_rate()

    assert reading.errors_by_status == {"401": 2.0, "500": 0.5}
    assert (reading.complete, reading.undated_errors_per_second) == (True, 0)


async def test_one_high_sample_alone_counts(httpserver: HTTPServer) -> None:
    """A series with a single sample has no rate, but its errors have happened; there may be more."""
    serve(
        httpserver,
        {
            ERRORS: vector(),
            REQUESTS: vector(({}, "20")),
            BORN: vector(({"status": "401"}, "600")),
            BEFORE[0]: vector(({}, "3")),
            COUNT: vector(({}, "1")),
        },
    )

    reading = await prometheus(httpserver).read_error_rate()

    assert (reading.errors_by_status, reading.complete) == ({"401": 2.0}, False)


@pytest.mark.parametrize(("counted", "status"), [("600", Status.UNKNOWN), ("3", Status.OK)])
async def test_a_prometheus_that_has_just_begun_cannot_date_errors(
    httpserver: HTTPServer, counted: str, status: Status
) -> None:
    """Its counters may hold the errors of a month: enough of them to matter leave the answer open."""
    serve(
        httpserver,
        {
            ERRORS: vector(({"status": "401"}, "0")),
            REQUESTS: vector(({}, "20")),
            BORN: vector(({"status": "401"}, counted)),
            **NOTHING_BEFORE,
        },
    )

    reading = await prometheus(httpserver).read_error_rate()

    assert reading.errors_by_status == {"401": 0.0}
    assert judge_error_rate(reading, policy=Policy(), now=START).status is status


async def test_a_server_that_does_not_take_the_query_is_read_without_it(httpserver: HTTPServer) -> None:
    """A server with less PromQL still tells the rate, and the reading says what was not asked."""
    refused = {"status": "error", "errorType": "bad_data", "error": "unless is not supported"}
    request = httpserver.expect_request("/api/v1/query", query_string={"query": BORN})
    request.respond_with_json(refused, status=400)
    serve(httpserver, {ERRORS: vector(({"status": "500"}, "1")), REQUESTS: vector(({}, "20"))})

    reading = await prometheus(httpserver).read_error_rate()

    assert reading.errors_per_second == 1
    assert any("unless is not supported" in warning for warning in reading.warnings)


async def test_errors_and_requests_have_matchers_of_their_own(httpserver: HTTPServer) -> None:
    """One metric for all calls: errors are those of a status, and their share is of all."""
    every = 'http_requests_total{job="posthog"}'
    failed = 'http_requests_total{job="posthog", status=~"4..|5.."}'
    serve(
        httpserver,
        {
            f"sum by (status) (rate({failed}[5m]))": vector(({"status": "500"}, "0.5")),
            f"sum(rate({every}[5m]))": vector(({}, "100")),
            f"sum by (status) (min_over_time({failed}[5m])"
            f" unless max_over_time({failed}[1h] offset 5m))": vector(),
        },
    )

    reading = await prometheus(
        httpserver,
        errors_metric="http_requests_total",
        requests_metric="http_requests_total",
        selector='job="posthog"',
        errors_selector='status=~"4..|5.."',
    ).read_error_rate()

    assert reading.error_share == pytest.approx(0.005)


async def test_one_series_for_both_has_no_share(httpserver: HTTPServer) -> None:
    """Errors over themselves are 100 %, a complete outage at any rate: the share is unknown instead."""
    same = 'http_requests_total{status=~"5.."}'
    serve(
        httpserver,
        {
            f"sum by (status) (rate({same}[5m]))": vector(({"status": "500"}, "0.5")),
            f"sum(rate({same}[5m]))": vector(({}, "0.5")),
            f"sum by (status) (min_over_time({same}[5m])"
            f" unless max_over_time({same}[1h] offset 5m))": vector(),
        },
    )

    reading = await prometheus(
        httpserver,
        errors_metric="http_requests_total",
        requests_metric="http_requests_total",
        selector='status=~"5.."',
    ).read_error_rate()

    assert (reading.errors_per_second, reading.error_share) == (0.5, None)
    assert reading.warnings == ("errors and requests are the same series: set errors_selector",)
