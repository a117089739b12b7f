"""Prometheus: the error rate of step 3 of Quick Triage, and the history for the evidence.

An empty answer is no data: not zero, and not healthy.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, TypeVar

from prefect.blocks.core import Block
from pydantic import Field, JsonValue

from blocks.prometheus.answer import Sample, Series
from blocks.prometheus.client import PrometheusSource
from blocks.prometheus.queries import ErrorRateQueries, selected
from blocks.prometheus.rates import read_error_rate
from blocks.transport.credentials import CredentialsByHost
from blocks.transport.errors import OutsideError, Unavailable
from blocks.transport.threads import Threads
from runbook.checks.readings import ErrorRateReading
from runbook.decision.error_types import UNKNOWN_STATUS, is_success

_SYSTEM = "Prometheus"
_Answer = TypeVar("_Answer")
_THREADS = Threads("prometheus", 8)


class Prometheus(CredentialsByHost, Block):
    """Where the integration's metrics are, and what they are called there."""

    _block_type_name: ClassVar[str] = "Runbook Prometheus"
    _block_type_slug: ClassVar[str] = "runbook-prometheus"
    _description: ClassVar[str] = "Prometheus with the integration's metrics, and its backups."

    url: str = Field(
        default="http://localhost:9090",
        title="URL",
        description="The server's address without /api/v1, with its path and query where it has some.",
    )
    backup_urls: list[str] = Field(
        default=[],
        title="Backup URLs",
        description="Servers with the same metrics, queried in order if the first has no answer or no data.",
    )
    verify_tls: bool = Field(
        default=True, title="Verify TLS", description="Whether the servers' certificates are verified."
    )
    errors_metric: str = Field(
        default="posthog_errors_total",
        title="Errors metric",
        description="Counter of failed requests to PostHog.",
    )
    requests_metric: str = Field(
        default="posthog_requests_total",
        title="Requests metric",
        description="Counter of all requests to PostHog.",
    )
    status_label: str = Field(
        default="status", title="Status label", description="Label of the errors metric with the HTTP status."
    )
    selector: str = Field(
        default="",
        title="Selector",
        description='Label matchers for both metrics, such as service="posthog-integration".',
    )
    errors_selector: str = Field(
        default="",
        title="Errors selector",
        description='More label matchers for errors, such as status=~"4..|5.." where one metric counts all.',
    )
    requests_selector: str = Field(
        default="",
        title="Requests selector",
        description="More label matchers for requests.",
    )
    window: str = Field(
        default="5m",
        title="Window",
        pattern=r"^(\d+(ms|s|m|h|d|w))+$",
        description="How far back the rate looks: a Prometheus duration.",
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that one request may take."
    )

    clock_tolerance_seconds: float = Field(
        default=120,
        gt=0,
        title="Clock tolerance",
        description="How far an answer's time may differ from ours; beyond that, it is ignored.",
    )

    def addresses(self) -> tuple[str, ...]:
        """The server's address and those of its backups."""
        return (self.url, *self.backup_urls)

    @property
    def queries(self) -> ErrorRateQueries:
        """The queries of the error rate."""
        return ErrorRateQueries(
            errors=selected(self.errors_metric, self.selector, self.errors_selector),
            requests=selected(self.requests_metric, self.selector, self.requests_selector),
            status_label=self.status_label,
            window=self.window,
        )

    async def read_error_rate(self) -> ErrorRateReading:
        """The rates of errors and requests, from the first server with a complete answer on errors.

        Where no server has one, the first partial answer counts, with `complete=False`; where no server has
        any data, the first answer says so with `errors_by_status=None`. A server that others stand behind has
        its share of the timeout, so that those are asked before it is too late.

        Raises:
            Unavailable: no server answers.
            Refused: no server answers, and none will (credentials, a query that it does not take).
        """
        tolerance = timedelta(seconds=self.clock_tolerance_seconds)
        lacking: list[ErrorRateReading] = []
        failures: list[OutsideError] = []
        for source in self._sources(in_order=True):
            try:
                reading = await _THREADS.run(
                    partial(read_error_rate, source, self.queries, tolerance=tolerance)
                )
            except OutsideError as error:
                failures.append(error)
                continue
            if reading.errors_by_status is not None and not reading.partial:
                return reading
            lacking.append(reading)
        if not lacking:
            raise _all_failed(failures)
        return next((reading for reading in lacking if reading.errors_by_status is not None), lacking[0])

    async def query(self, promql: str) -> list[Sample]:
        """An instant query; samples that are NaN or infinite are left out.

        Raises:
            Unavailable: no server answers.
            Refused: no server takes the query.
        """
        return await self._first(lambda source: source.query(promql).samples)

    async def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: int
    ) -> list[Series]:
        """A range query from `start` to `end` (aware), split where Prometheus' limit of points needs it.

        Raises:
            Unavailable: no server answers.
            Refused: no server takes the query.
        """
        return await self._first(lambda source: source.query_range(promql, start, end, step_seconds).series)

    async def error_history(
        self, start: datetime, end: datetime, *, step_seconds: int | None = None
    ) -> list[Series]:
        """Errors per second by HTTP status over time; about 500 points unless a step is given.

        Raises:
            Unavailable: no server answers.
            Refused: no server takes the query.
        """
        step = step_seconds or _step(start, end)
        series = await self.query_range(self.queries.errors_by_status, start, end, step)
        return [item for item in series if not is_success(item.labels.get(self.status_label, UNKNOWN_STATUS))]

    async def request_history(
        self, start: datetime, end: datetime, *, step_seconds: int | None = None
    ) -> list[Series]:
        """Requests per second over time; about 500 points unless a step is given.

        Raises:
            Unavailable: no server answers.
            Refused: no server takes the query.
        """
        return await self.query_range(
            self.queries.requests_rate, start, end, step_seconds or _step(start, end)
        )

    async def export(
        self, start: datetime, end: datetime, *, step_seconds: int | None = None
    ) -> dict[str, JsonValue]:
        """The runbook's metrics.json: both counters over time, as Prometheus gave them.

        Raises:
            Unavailable: no server answers.
            Refused: no server takes the query.
        """
        step = step_seconds or _step(start, end)

        def both(source: PrometheusSource) -> dict[str, JsonValue]:
            answers: dict[str, JsonValue] = {}
            for query in (self.queries.errors, self.queries.requests):
                answer = source.query_range(query, start, end, step)
                answers[query] = {
                    "result": answer.result,
                    "missing": list(answer.missing),
                    "infos": list(answer.infos),
                }
            return {
                "source": source.name,
                "start": start.isoformat(),
                "end": end.isoformat(),
                "step_seconds": step,
                "queries": answers,
            }

        return await self._first(both)

    def _sources(self, *, in_order: bool = False) -> list[PrometheusSource]:
        urls = self.addresses()
        share = self.timeout_seconds / len(urls) if in_order else self.timeout_seconds
        return [
            PrometheusSource(
                url,
                credentials=self.credentials_for(url),
                verify_tls=self.verify_tls,
                timeout_seconds=self.timeout_seconds if url == urls[-1] else share,
            )
            for url in urls
        ]

    async def _first(self, ask: Callable[[PrometheusSource], _Answer]) -> _Answer:
        failures: list[OutsideError] = []
        for source in self._sources():
            try:
                return await _THREADS.run(partial(ask, source))
            except OutsideError as error:
                failures.append(error)
        raise _all_failed(failures)


def _all_failed(failures: list[OutsideError]) -> OutsideError:
    """One error for all servers; it may heal if one of them may."""
    if len(failures) == 1:
        return failures[0]
    detail = "; ".join(error.detail for error in failures)
    next_step = "Check the metrics in Grafana, or the backup servers' addresses"
    if any(isinstance(error, Unavailable) for error in failures):
        return Unavailable(_SYSTEM, detail, next_step)
    return type(failures[-1])(_SYSTEM, detail, next_step)


def _step(start: datetime, end: datetime) -> int:
    """Whole seconds between the points of a chart of about 500."""
    return max(1, round((end - start).total_seconds() / 500))
