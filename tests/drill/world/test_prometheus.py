"""The world's Prometheus, real or imitated: both must answer the runbook's queries alike."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deployments.drill.world.prometheus.metrics import Exporter
from deployments.drill.world.prometheus.prometheus import prometheus
from deployments.drill.world.prometheus.promql import BadQuery, Sample, Series, evaluate, parse
from deployments.drill.world.servers.wire import listening
from tests.conftest import require_binary

pytestmark = pytest.mark.proof

WITHIN_SECONDS = 10.0


@pytest.fixture(params=["real", "imitation"])
async def metrics(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Exporter, httpx.AsyncClient]]:
    """Run a Prometheus that scrapes an exporter, and give both."""
    if request.param == "real":
        require_binary("prometheus")
    exporter = Exporter()

    async def text(_request: Request) -> Response:
        return Response(exporter.text(), media_type="text/plain; version=0.0.4")

    target = Starlette(routes=[Route("/metrics", text)])
    async with (
        listening(target) as url,
        prometheus(url, tmp_path, real=request.param == "real") as running,
        listening(running.app) as prometheus_url,
        httpx.AsyncClient(base_url=prometheus_url) as client,
    ):
        yield exporter, client


async def ask(client: httpx.AsyncClient, query: str) -> list[dict[str, Any]]:
    """Return the vector that a query yields now."""
    answer = await client.get("/api/v1/query", params={"query": query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


async def errors_at_a_steady_rate(exporter: Exporter) -> None:
    """Count ten calls a second, every second one a 401."""
    while True:
        exporter.count(path="/flags", failure=None, seconds=0.01, now=time.monotonic())
        exporter.count(path="/flags", failure="401", seconds=0.01, now=time.monotonic())
        await asyncio.sleep(0.2)


async def test_rates_follow_the_errors(metrics: tuple[Exporter, httpx.AsyncClient]) -> None:
    """The runbook's queries see five errors a second by status, and the alert fires."""
    exporter, client = metrics
    traffic = asyncio.create_task(errors_at_a_steady_rate(exporter))
    try:
        deadline = time.monotonic() + WITHIN_SECONDS
        rates: dict[str, float] = {}
        while time.monotonic() < deadline and not 4 < rates.get("401", 0) < 6:
            vector = await ask(
                client, 'sum by(status)(rate(posthog_errors_total{service="posthog-integration"}[4s]))'
            )
            rates = {one["metric"]["status"]: float(one["value"][1]) for one in vector}
            await asyncio.sleep(0.2)
        assert 4 < rates["401"] < 6
        assert rates["503"] == 0
        requests = await ask(client, "sum(rate(posthog_requests_total[4s]))")
        assert 8 < float(requests[0]["value"][1]) < 12
        alerts = (await client.get("/api/v1/alerts")).json()["data"]["alerts"]
        assert [(alert["labels"]["alertname"], alert["state"]) for alert in alerts] == [
            ("PostHogErrorsHigh", "firing")
        ]
        assert await ask(client, 'ALERTS{alertstate="firing"}')
    finally:
        traffic.cancel()


async def test_no_errors_is_zero_and_no_metric_is_nothing(
    metrics: tuple[Exporter, httpx.AsyncClient],
) -> None:
    """A quiet exporter yields zeros; an unknown metric yields an empty result, which is no data."""
    _, client = metrics
    deadline = time.monotonic() + WITHIN_SECONDS
    vector: list[dict[str, Any]] = []
    while time.monotonic() < deadline and not vector:
        vector = await ask(client, "sum(rate(posthog_errors_total[4s]))")
        await asyncio.sleep(0.1)
    assert [one["value"][1] for one in vector] == ["0"]
    assert await ask(client, "sum(rate(posthog_other_total[4s]))") == []
    assert (await ask(client, "count(posthog_errors_total)"))[0]["value"][1] == "9"
    assert (await ask(client, "up"))[0]["value"][1] == "1"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"query": "sum("},
        {"query": "up", "start": "0", "end": "10"},
        {"query": "up", "start": "0", "step": "1"},
        {"query": "up", "start": "soon", "end": "10", "step": "1"},
        {"query": "up", "start": "10", "end": "0", "step": "1"},
        {"query": "up", "start": "0", "end": "10", "step": "0"},
        {"query": "up", "start": "0", "end": "11001", "step": "1"},
    ],
)
async def test_a_bad_range_query_is_refused(
    metrics: tuple[Exporter, httpx.AsyncClient], params: dict[str, str]
) -> None:
    """Missing or senseless parameters and more than 11,000 points are answered with 400 bad_data."""
    answer = await metrics[1].get("/api/v1/query_range", params=params)
    assert (answer.status_code, answer.json()["status"], answer.json()["errorType"]) == (
        400,
        "error",
        "bad_data",
    )


async def test_a_range_holds_values_in_order_of_time(metrics: tuple[Exporter, httpx.AsyncClient]) -> None:
    """query_range yields a matrix of [time, text] pairs; the parameters may come in the body."""
    exporter, client = metrics
    exporter.count(path="/flags", failure="503", seconds=0.01, now=time.monotonic())
    deadline = time.monotonic() + WITHIN_SECONDS
    values: list[list[Any]] = []
    while time.monotonic() < deadline and len(values) < 3:
        now = time.time()
        form = {"query": 'posthog_errors_total{status="503"}', "start": now - 5, "end": now, "step": "500ms"}
        answer = (await client.post("/api/v1/query_range", data=form)).json()
        assert answer["data"]["resultType"] == "matrix"
        values = answer["data"]["result"][0]["values"] if answer["data"]["result"] else []
        await asyncio.sleep(0.2)
    assert len(values) >= 3
    assert [at for at, _ in values] == sorted(at for at, _ in values)
    assert values[-1][1] == "1"


@pytest.mark.parametrize(
    "query",
    ["", "rate(posthog_errors_total)", "posthog_errors_total[5m]", "a + b", "histogram_quantile(0.9, a)"],
)
def test_the_imitation_refuses_what_it_cannot_answer(query: str) -> None:
    """A query beyond the imitation is an error, never an empty result that could pass for health."""
    with pytest.raises(BadQuery):
        parse(query)


def test_a_rate_survives_a_restart_of_the_counter() -> None:
    """A counter that starts again from zero still counts upwards."""
    samples = [Sample(float(at), value) for at, value in enumerate([100.0, 110.0, 5.0, 15.0])]
    ((_, value),) = evaluate(parse("increase(errors[4s])"), [Series({"__name__": "errors"}, samples)], 3.0)
    assert value == pytest.approx(25 * (4 / 3), rel=0.01)


@pytest.mark.parametrize(
    ("matchers", "found"),
    [('status="401"', 1), ('status!="401"', 1), ('status=~"4.."', 1), ('status!~"4..|5.."', 0), ("", 2)],
)
def test_matchers_choose_series(matchers: str, found: int) -> None:
    """Equality and regular expressions choose by label, as in PromQL."""
    series = [
        Series({"__name__": "errors", "status": status}, [Sample(1.0, 1.0)]) for status in ("401", "503")
    ]
    assert len(evaluate(parse(f"errors{{{matchers}}}"), series, 2.0)) == found
