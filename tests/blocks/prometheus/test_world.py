"""The Prometheus block against a Prometheus that scrapes: the real one, and the drill world's imitation."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from blocks.prometheus.metrics import Prometheus
from blocks.transport.errors import OutsideError
from deployments.drill.world.prometheus.metrics import Exporter
from deployments.drill.world.prometheus.prometheus import prometheus
from deployments.drill.world.servers.wire import listening
from runbook.checks.readings import ErrorRateReading
from tests.conftest import require_binary

pytestmark = pytest.mark.proof


@pytest.fixture(params=["real", "imitation"])
async def scraped(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Exporter, Prometheus]]:
    """An exporter that a Prometheus scrapes, and a block for that Prometheus."""
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
    ):
        yield exporter, Prometheus(url=prometheus_url, window="5s")


async def failing_half(exporter: Exporter) -> None:
    """Ten calls a second, every second one a 401."""
    while True:
        exporter.count(path="/flags", failure=None, seconds=0.01, now=time.monotonic())
        exporter.count(path="/flags", failure="401", seconds=0.01, now=time.monotonic())
        await asyncio.sleep(0.2)


async def until(block: Prometheus, wanted: Callable[[ErrorRateReading], bool]) -> ErrorRateReading:
    """Read until the reading is as wanted; the test's own time limit ends it."""
    while True:
        reading = await block.read_error_rate()
        if wanted(reading):
            return reading
        await asyncio.sleep(0.2)  # a scrape has no event to wait for


async def test_rates_and_history_follow_the_counters(scraped: tuple[Exporter, Prometheus]) -> None:
    """Half of ten calls a second fail: the rate, the share and the history say so."""
    exporter, block = scraped
    calling = asyncio.create_task(failing_half(exporter))
    try:
        reading = await until(
            block,
            lambda now: (now.errors_by_status or {}).get("401", 0) > 3 and (now.requests_per_second or 0) > 7,
        )
    finally:
        calling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await calling

    assert reading.errors_by_status is not None
    assert reading.errors_by_status["401"] == pytest.approx(5, rel=0.4)
    assert reading.error_share == pytest.approx(0.5, abs=0.2)
    end = datetime.now(UTC)
    history = await block.error_history(end - timedelta(minutes=1), end, step_seconds=1)
    assert any(series.labels == {"status": "401"} and series.points for series in history)
    export = await block.export(end - timedelta(minutes=1), end, step_seconds=1)
    assert "posthog_errors_total" in str(export["queries"])


async def test_a_burst_before_the_first_scrape_is_seen(scraped: tuple[Exporter, Prometheus]) -> None:
    """Sixty errors at once, and none after: their series begins at sixty and has a rate of zero."""
    exporter, block = scraped
    while (await block.read_error_rate()).requests_per_second is None:
        exporter.count(path="/flags", failure=None, seconds=0.01, now=time.monotonic())
        await asyncio.sleep(0.2)
    await asyncio.sleep(5)  # the window, from before which there have to be samples
    for _ in range(60):
        exporter.count(path="/flags", failure="507", seconds=0.01, now=time.monotonic())

    reading = await until(block, lambda now: bool(now.errors_per_second))

    assert (reading.errors_by_status or {})["507"] == pytest.approx(12, rel=0.01)


async def test_a_metric_that_is_not_there_is_no_data(scraped: tuple[Exporter, Prometheus]) -> None:
    """A metric of another name is no data, not a healthy zero."""
    exporter, block = scraped
    exporter.count(path="/flags", failure=None, seconds=0.01, now=time.monotonic())

    reading = await block.model_copy(update={"errors_metric": "no_such_metric"}).read_error_rate()

    assert reading.errors_by_status is None
    assert reading.warnings == ("there is no no_such_metric",)


async def test_a_bad_query_is_refused(scraped: tuple[Exporter, Prometheus]) -> None:
    """A query that cannot be parsed is an error, and never an empty answer."""
    _, block = scraped

    with pytest.raises(OutsideError, match="400"):
        await block.query("rate(posthog_errors_total[")
