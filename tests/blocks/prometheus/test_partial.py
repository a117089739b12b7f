"""An answer of metrics that is partial proves nothing about what it leaves out."""

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from blocks.prometheus.metrics import Prometheus
from runbook.checks.findings import Status
from runbook.checks.specs.error_rate import judge_error_rate
from runbook.policy.policy import Policy
from tests.blocks.prometheus.test_metrics import AT, BORN, ERRORS, REQUESTS, START, prometheus, serve, vector

SIGNS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "Thanos, a store is away": ({"warnings": ["receive series from Addr: 10.0.0.1:10901: unavailable"]}, {}),
    "Thanos, a text in place of the list": ({"warnings": "No StoreAPIs matched for this query"}, {}),
    "Prometheus, a remote read failed": ({"warnings": ["remote_read: remote server returned 500"]}, {}),
    "VictoriaMetrics": ({"isPartial": True}, {}),
    "VictoriaMetrics, as text": ({"isPartial": "true"}, {}),
    "a flag in the data": ({"data": {"partial": True}}, {}),
    "M3": ({}, {"M3-Results-Limited": "max_fetch_series_limit_applied"}),
    "a proxy's header": ({}, {"X-Partial-Response": "true"}),
}
WHOLE: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "nothing said": ({}, {}),
    "no warnings": ({"warnings": [], "infos": []}, {}),
    "PromQL infos": ({"infos": ["PromQL info: metric might not be a counter"]}, {}),
    "PromQL infos of an older server": ({"warnings": ["PromQL info: metric might not be a counter"]}, {}),
    "VictoriaMetrics": ({"isPartial": False}, {}),
    "a header that says no": ({}, {"X-Partial-Response": "false"}),
}


def answered(httpserver: HTTPServer, query: str, said: dict[str, Any], headers: dict[str, str]) -> None:
    """Answer a query with one healthy sample, and what a server says beside it."""
    answer = vector(({} if query == REQUESTS else {"status": "500"}, "0"))
    answer = {**answer, **said, "data": {**answer["data"], **said.get("data", {})}}
    request = httpserver.expect_request("/api/v1/query", query_string={"query": query})
    request.respond_with_json(answer, headers=headers)


def judged(reading: Any) -> Status:
    """What triage makes of a reading."""
    return judge_error_rate(reading, policy=Policy(), now=START).status


@pytest.mark.parametrize("query", [ERRORS, REQUESTS, BORN])
@pytest.mark.parametrize("sign", SIGNS)
async def test_a_partial_answer_is_unknown(httpserver: HTTPServer, sign: str, query: str) -> None:
    """Healthy series of half the shards say nothing of the other half, whichever query they answer."""
    answered(httpserver, query, *SIGNS[sign])
    for other in {ERRORS, REQUESTS, BORN} - {query}:
        answered(httpserver, other, {}, {})

    reading = await prometheus(httpserver).read_error_rate()

    assert (reading.partial, reading.complete, reading.requests_per_second) == (True, False, None)
    assert judged(reading) is Status.UNKNOWN


@pytest.mark.parametrize("sign", WHOLE)
async def test_a_hint_on_the_query_takes_nothing_away(httpserver: HTTPServer, sign: str) -> None:
    """PromQL's infos are about the query; the answer is whole."""
    for query in (ERRORS, REQUESTS):
        answered(httpserver, query, *WHOLE[sign])
    serve(httpserver, {})

    reading = await prometheus(httpserver).read_error_rate()

    assert (reading.partial, reading.complete, reading.requests_per_second) == (False, True, 0)


async def test_too_many_errors_in_a_part_are_too_many(httpserver: HTTPServer) -> None:
    """What a partial answer shows has happened: there can only be more."""
    errors = {**vector(({"status": "500"}, "7")), "isPartial": True}
    serve(httpserver, {ERRORS: errors, REQUESTS: vector(({}, "8"))})

    reading = await prometheus(httpserver).read_error_rate()

    assert judged(reading) is Status.BAD
    assert reading.error_share is None


async def test_the_backup_is_asked_after_a_partial_answer(httpserver: HTTPServer) -> None:
    """A complete answer of a backup counts before a partial one of the first server."""
    partial = {**vector(({"status": "500"}, "0")), "isPartial": True}
    httpserver.expect_request("/first/api/v1/query").respond_with_json(partial)
    serve(httpserver, {ERRORS: vector(({"status": "500"}, "3")), REQUESTS: vector(({}, "4"))})
    base = httpserver.url_for("").rstrip("/")

    reading = await Prometheus(url=f"{base}/first", backup_urls=[base], timeout_seconds=5).read_error_rate()

    assert (reading.source, reading.errors_per_second, reading.partial) == (base, 3, False)


async def test_evidence_says_what_is_missing(httpserver: HTTPServer) -> None:
    """The exported history keeps the server's own words, so that nobody takes it for the whole."""
    answer = {
        "status": "success",
        "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[AT, "1"]]}]},
        "warnings": ["a shard is missing"],
        "infos": ["PromQL info: a hint"],
    }
    httpserver.expect_request("/api/v1/query_range").respond_with_json(answer)

    export = await prometheus(httpserver).export(START, START.replace(hour=13))

    assert "'missing': ['a shard is missing'], 'infos': ['PromQL info: a hint']" in str(export["queries"])
