"""Prometheus: rates by status, and the difference between zero and no data."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.wrappers import Response as WerkzeugResponse

from blocks.prometheus.metrics import Prometheus
from blocks.transport.errors import NotFound, OutsideError, Refused, Unauthenticated, Unavailable, Unreadable

ERRORS = "sum by (status) (rate(posthog_errors_total[5m]))"
REQUESTS = "sum(rate(posthog_requests_total[5m]))"
COUNT = "count(posthog_errors_total)"
BORN = (
    "sum by (status) (min_over_time(posthog_errors_total[5m])"
    " unless max_over_time(posthog_errors_total[1h] offset 5m))"
)
AT = 1795000000.0
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def vector(*samples: tuple[dict[str, str], str], at: float | None = None) -> dict[str, Any]:
    """An instant vector as Prometheus answers it, of now unless `at` (seconds) says otherwise."""
    result = [{"metric": labels, "value": [at or time.time(), value]} for labels, value in samples]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def serve(httpserver: HTTPServer, answers: Mapping[str, Any]) -> None:
    """Answer these queries and no others; no series began within the window unless they say so."""
    httpserver.no_handler_status_code = 400
    for query, answer in {BORN: vector(), **answers}.items():
        httpserver.expect_request("/api/v1/query", query_string={"query": query}).respond_with_json(answer)


def prometheus(httpserver: HTTPServer, **settings: Any) -> Prometheus:
    """A block whose Prometheus is the test's server."""
    return Prometheus(**{"url": httpserver.url_for("").rstrip("/"), "timeout_seconds": 5, **settings})


async def test_errors_are_read_by_status(httpserver: HTTPServer) -> None:
    """The runbook's query, by status and beside the rate of all requests."""
    serve(
        httpserver,
        {
            ERRORS: vector(({"status": "401"}, "1.5"), ({"status": "timeout"}, "0.5"), ({}, "0.25")),
            REQUESTS: vector(({}, "20")),
        },
    )

    reading = await prometheus(httpserver).read_error_rate()

    assert reading.errors_by_status == {"401": 1.5, "timeout": 0.5, "unknown": 0.25}
    assert reading.requests_per_second == 20
    assert reading.window_seconds == 300
    assert reading.source == httpserver.url_for("").rstrip("/")
    assert reading.warnings == ()


async def test_names_selector_and_window_are_settings(httpserver: HTTPServer) -> None:
    """Another integration may name its metrics and labels differently."""
    serve(
        httpserver,
        {
            'sum by (code) (rate(ph_errors{service="a"}[1m30s]))': vector(({"code": "500"}, "2")),
            'sum(rate(ph_calls{service="a"}[1m30s]))': vector(({}, "4")),
            'sum by (code) (min_over_time(ph_errors{service="a"}[1m30s])'
            ' unless max_over_time(ph_errors{service="a"}[1h] offset 1m30s))': vector(),
        },
    )

    reading = await prometheus(
        httpserver,
        errors_metric="ph_errors",
        requests_metric="ph_calls",
        status_label="code",
        selector='service="a"',
        window="1m30s",
    ).read_error_rate()

    assert (reading.errors_by_status, reading.window_seconds, reading.error_share) == ({"500": 2.0}, 90, 0.5)


async def test_a_rate_of_zero_is_zero(httpserver: HTTPServer) -> None:
    """A counter that stands still is a measured zero."""
    serve(httpserver, {ERRORS: vector(({"status": "500"}, "0")), REQUESTS: vector(({}, "3"))})

    assert (await prometheus(httpserver).read_error_rate()).errors_per_second == 0


@pytest.mark.parametrize(
    ("count", "why"), [(vector(), "there is no"), (vector(({}, "2")), "fewer than two samples")]
)
async def test_an_empty_answer_is_no_data(httpserver: HTTPServer, count: dict[str, Any], why: str) -> None:
    """Without a rate nothing is known of the errors, although requests are counted; the reason is told."""
    serve(httpserver, {ERRORS: vector(), REQUESTS: vector(({}, "3")), COUNT: count})

    reading = await prometheus(httpserver).read_error_rate()

    assert reading.errors_by_status is None
    assert reading.requests_per_second == 3
    assert any(why in warning for warning in reading.warnings)


@pytest.mark.parametrize("minutes", [-15, 15])
async def test_an_answer_of_another_time_is_none(httpserver: HTTPServer, minutes: int) -> None:
    """A cache's answer, or one of a clock that is off, tells nothing of now: the backup is asked."""
    old = vector(({"status": "500"}, "0"), at=time.time() + minutes * 60)
    serve(httpserver, {ERRORS: old, REQUESTS: vector(({}, "20"))})

    with pytest.raises(Unavailable, match="differs from ours by 15 min"):
        await prometheus(httpserver).read_error_rate()


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-3"])
async def test_a_rate_that_cannot_be_leaves_the_others_open(httpserver: HTTPServer, value: str) -> None:
    """Errors of a status may hide behind a rate that is no number, or a negative one."""
    serve(
        httpserver,
        {ERRORS: vector(({"status": "401"}, "0"), ({"status": "500"}, value)), REQUESTS: vector(({}, "20"))},
    )

    reading = await prometheus(httpserver).read_error_rate()

    assert reading.errors_by_status == {"401": 0.0}
    assert not reading.complete


@pytest.mark.parametrize(
    "result",
    [
        ["text"],
        [{"metric": {}, "value": "text"}],
        [{"metric": {}, "value": [1, "no number"]}],
        [{"metric": {}, "value": [1e300, "1"]}],
        [{"metric": [], "value": None}],
        [{"metric": "text", "value": [1, "1"]}],
    ],
)
async def test_a_result_that_is_no_vector_is_unreadable(httpserver: HTTPServer, result: list[Any]) -> None:
    """Garbage inside of good JSON is an error in our own terms, never a sample less."""
    answer = {"status": "success", "data": {"resultType": "vector", "result": result}}
    httpserver.expect_request("/api/v1/query").respond_with_json(answer)

    with pytest.raises(Unreadable):
        await prometheus(httpserver).query("up")


async def test_values_that_are_no_numbers_are_ignored(httpserver: HTTPServer) -> None:
    """NaN and infinity are left out; if nothing else is there, that is no data."""
    serve(
        httpserver,
        {
            ERRORS: vector(({"status": "401"}, "NaN"), ({"status": "500"}, "+Inf")),
            REQUESTS: vector(({}, "NaN")),
            COUNT: vector(),
        },
    )

    reading = await prometheus(httpserver).read_error_rate()

    assert reading.errors_by_status is None
    assert reading.requests_per_second is None


@pytest.mark.parametrize("first", ["nobody", "silent", "hanging_up"])
async def test_a_backup_answers_for_a_server_that_is_down(
    request: pytest.FixtureRequest, httpserver: HTTPServer, first: str
) -> None:
    """The runbook's "check backup metrics": the reading names the server that answered."""
    serve(httpserver, {ERRORS: vector(({"status": "500"}, "1")), REQUESTS: vector()})
    backup = httpserver.url_for("").rstrip("/")
    block = Prometheus(url=request.getfixturevalue(first), backup_urls=[backup], timeout_seconds=0.5)

    assert (await block.read_error_rate()).source == backup


async def test_a_backup_answers_for_a_server_without_data(httpserver: HTTPServer) -> None:
    """A server that has lost its data is not the last word."""
    data = vector(({"status": "500"}, "1"))

    def by_host(request: Request) -> WerkzeugResponse:
        query, on_backup = request.args["query"], request.path.startswith("/backup")
        answer = data if on_backup and query == ERRORS else vector()
        return Response(json.dumps(answer), content_type="application/json")

    httpserver.expect_request("/first/api/v1/query").respond_with_handler(by_host)
    httpserver.expect_request("/backup/api/v1/query").respond_with_handler(by_host)
    block = Prometheus(url=httpserver.url_for("/first"), backup_urls=[httpserver.url_for("/backup")])

    assert (await block.read_error_rate()).errors_by_status == {"500": 1.0}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, "Service Unavailable", Unavailable),
        (429, "", Unavailable),
        (500, "", Unavailable),
        (400, '{"status":"error","errorType":"bad_data","error":"parse error at char 7"}', Refused),
        (422, '{"status":"error","errorType":"execution","error":"too many samples"}', Refused),
        (401, "", Unauthenticated),
        (404, "", NotFound),
        (200, "<html>Log in</html>", Unreadable),
        (200, '{"status": "success"}', Unreadable),
        (200, '{"status": "success", "data": {"resultType": "scalar", "result": "x"}}', Unreadable),
    ],
)
async def test_a_refusal_says_whether_it_may_heal(
    httpserver: HTTPServer, status: int, body: str, kind: type[OutsideError]
) -> None:
    """A starting Prometheus may heal; a bad query, a login page and other JSON will not."""
    httpserver.expect_request("/api/v1/query").respond_with_data(body, status=status)

    with pytest.raises(OutsideError) as caught:
        await prometheus(httpserver).query("up")

    assert type(caught.value) is kind
    if status in (400, 422):
        assert body.split('"')[-2] in caught.value.detail


async def test_all_servers_are_named_when_all_fail(httpserver: HTTPServer, nobody: str) -> None:
    """The error tells of each server what was wrong with it."""
    httpserver.expect_request("/api/v1/query").respond_with_data("", status=401)
    block = prometheus(httpserver, backup_urls=[nobody])

    with pytest.raises(Unavailable) as caught:
        await block.read_error_rate()

    assert "401" in caught.value.detail
    assert nobody in caught.value.detail


async def test_a_token_is_sent(httpserver: HTTPServer) -> None:
    """Servers behind a proxy get the bearer token."""
    httpserver.no_handler_status_code = 400
    httpserver.expect_request("/api/v1/query", headers={"Authorization": "Bearer t0ken"}).respond_with_json(
        vector(({"a": "b"}, "1"), at=AT)
    )

    (sample,) = await prometheus(httpserver, bearer_token=SecretStr("t0ken")).query("up")

    assert (sample.labels, sample.value, sample.at) == ({"a": "b"}, 1.0, datetime.fromtimestamp(AT, UTC))


def matrix(request: Request) -> WerkzeugResponse:
    """A range of one series, valued by its own time; more points than Prometheus allows are refused."""
    start, end, step = (float(request.args[name]) for name in ("start", "end", "step"))
    if (end - start) / step > 11_000:
        return Response('{"status":"error","error":"exceeded maximum resolution"}', 400)
    points = [[start + number * step, str(number)] for number in range(int((end - start) // step) + 1)]
    points[0][1] = "NaN"
    result = [{"metric": {"status": "500"}, "values": points}]
    body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    return Response(json.dumps(body), content_type="application/json")


async def test_a_range_is_read_with_its_times(httpserver: HTTPServer) -> None:
    """Points are aware and finite; the range has a start, an end and a step."""
    httpserver.expect_request("/api/v1/query_range").respond_with_handler(matrix)

    (series,) = await prometheus(httpserver).query_range("x", START, START + timedelta(minutes=1), 15)

    assert series.labels == {"status": "500"}
    assert [at for at, _ in series.points] == [START + timedelta(seconds=15 * n) for n in range(1, 5)]


async def test_a_long_range_is_asked_for_in_pieces(httpserver: HTTPServer) -> None:
    """A range of more than 11,000 steps arrives whole, with no point twice."""
    httpserver.expect_request("/api/v1/query_range").respond_with_handler(matrix)
    end = START + timedelta(seconds=25_000)

    export = await prometheus(httpserver).export(START, end, step_seconds=1)

    result = export["queries"]["posthog_errors_total"]["result"]  # type: ignore[index,call-overload]  # known JSON
    times = [point[0] for point in result[0]["values"]]  # type: ignore[index,call-overload,union-attr]  # known JSON
    assert times == [START.timestamp() + second for second in range(25_001)]


async def test_the_history_has_about_five_hundred_points(httpserver: HTTPServer) -> None:
    """A day of errors by status is a chart, not a download."""
    httpserver.expect_request("/api/v1/query_range", query_string=None).respond_with_handler(matrix)

    (series,) = await prometheus(httpserver).error_history(START, START + timedelta(days=1))

    assert 400 < len(series.points) < 600
    request, _ = httpserver.log[0]
    assert request.args["query"] == ERRORS
