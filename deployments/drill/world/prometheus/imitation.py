"""A Prometheus for machines without the binary: scrapes, keeps series, answers the runbook's queries.

It knows selectors, ``rate`` and ``increase`` over a range, and ``sum`` and ``count`` (by labels) over
those; every other query is answered with 400, never with an empty result that could pass for health.
"""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from deployments.drill.world.prometheus.promql import (
    STALE,
    BadQuery,
    Query,
    Sample,
    Series,
    evaluate,
    parse,
    parse_seconds,
)
from deployments.drill.world.servers.answers import form_fields, json_answer

MOST_POINTS = 11_000
"""Per series in a range query, as in Prometheus."""

SCRAPE_SECONDS = 0.5
ALERT_NAME = "PostHogErrorsHigh"
ALERT_QUERY = "sum(rate(posthog_errors_total[10s]))"
ALERT_ABOVE = 1.0
"""Errors a second above which the alert fires."""

_KEPT_SECONDS = 3600
_JOB = "posthog-integration"

_ALERT_LABELS = {"alertname": ALERT_NAME, "service": "posthog-integration"}

_Labels = tuple[tuple[str, str], ...]


class ImitatedPrometheus:
    """Scrapes one target and serves the read API."""

    def __init__(self, target: str) -> None:
        """Scrape ``target`` (a URL)."""
        self._target = target
        self._series: dict[_Labels, deque[Sample]] = {}
        self._scraped = False
        self._firing_since: float | None = None
        queries = ["GET", "POST"]
        self.app = Starlette(
            routes=[
                Route("/-/ready", self._ready),
                Route("/-/healthy", self._ready),
                Route("/api/v1/query", self._query, methods=queries),
                Route("/api/v1/query_range", self._query_range, methods=queries),
                Route("/api/v1/alerts", self._alerts),
            ]
        )

    async def run(self) -> None:
        """Scrape twice a second until cancelled."""
        async with httpx.AsyncClient(timeout=SCRAPE_SECONDS, trust_env=False) as client:
            while True:
                await self._scrape(client)
                self._evaluate_alert()
                await asyncio.sleep(SCRAPE_SECONDS)

    async def _scrape(self, client: httpx.AsyncClient) -> None:
        now = time.time()
        text = None
        with contextlib.suppress(httpx.TransportError):  # a failed scrape is data: up is 0
            answer = await client.get(self._target)
            text = answer.text if answer.status_code == 200 else None
        extra = {"instance": httpx.URL(self._target).netloc.decode(), "job": _JOB}
        found = {_key({"__name__": "up", **extra}): 0.0 if text is None else 1.0}
        for family in text_string_to_metric_families(text or ""):
            for sample in family.samples:
                found[_key({"__name__": sample.name, **sample.labels, **extra})] = float(sample.value)
        self._keep(found, now, job=_JOB)
        self._scraped = True

    def _keep(self, found: dict[_Labels, float], at: float, *, job: str | None) -> None:
        gone = [
            key
            for key, samples in self._series.items()
            if key not in found and dict(key).get("job") == job and not math.isnan(samples[-1].value)
        ]
        for key, value in [*found.items(), *((key, STALE) for key in gone)]:
            samples = self._series.setdefault(key, deque())
            samples.append(Sample(at, value))
            while samples[0].at < at - _KEPT_SECONDS:
                samples.popleft()

    def _evaluate_alert(self) -> None:
        now = time.time()
        firing = any(value > ALERT_ABOVE for _, value in evaluate(parse(ALERT_QUERY), self._all(), now))
        self._firing_since = (self._firing_since or now) if firing else None
        alert = {"__name__": "ALERTS", "alertstate": "firing", **_ALERT_LABELS}
        self._keep({_key(alert): 1.0} if firing else {}, now, job=None)

    def _all(self) -> Sequence[Series]:
        return [Series(dict(labels), samples) for labels, samples in self._series.items()]

    async def _ready(self, _request: Request) -> Response:
        if not self._scraped:
            return PlainTextResponse("Service Unavailable", 503)
        return PlainTextResponse("Prometheus Server is Ready.\n")

    async def _query(self, request: Request) -> Response:
        params = await _params(request)
        try:
            query = _parsed(params)
            at = parse_seconds("time", params["time"]) if params.get("time") else time.time()
        except BadQuery as error:
            return _bad(str(error))
        result = [
            {"metric": metric, "value": [at, _text(value)]}
            for metric, value in evaluate(query, self._all(), at)
        ]
        return _success({"resultType": "vector", "result": result})

    async def _query_range(self, request: Request) -> Response:
        params = await _params(request)
        try:
            query = _parsed(params)
            start = parse_seconds("start", params.get("start", ""))
            end = parse_seconds("end", params.get("end", ""))
            step = parse_seconds("step", params.get("step", ""))
            _check_range(start, end, step)
        except BadQuery as error:
            return _bad(str(error))
        points: dict[_Labels, list[list[Any]]] = {}
        for index in range(int((end - start) / step) + 1):
            at = start + index * step
            for metric, value in evaluate(query, self._all(), at):
                points.setdefault(_key(metric), []).append([at, _text(value)])
        result = [{"metric": dict(metric), "values": values} for metric, values in points.items()]
        return _success({"resultType": "matrix", "result": result})

    async def _alerts(self, _request: Request) -> Response:
        if self._firing_since is None:
            return _success({"alerts": []})
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._firing_since))
        alert = {
            "labels": _ALERT_LABELS,
            "annotations": {},
            "state": "firing",
            "activeAt": since,
            "value": "1e+00",
        }
        return _success({"alerts": [alert]})


def _key(labels: dict[str, str]) -> _Labels:
    return tuple(sorted(labels.items()))


async def _params(request: Request) -> dict[str, str]:
    return dict(request.query_params) | await form_fields(request)


def _parsed(params: dict[str, str]) -> Query:
    if "query" not in params or not params["query"]:
        raise BadQuery(
            'invalid parameter "query": unknown position: parse error: no expression found in input'
        )
    return parse(params["query"])


def _check_range(start: float, end: float, step: float) -> None:
    if end < start:
        raise BadQuery('invalid parameter "end": end timestamp must not be before start time')
    if step <= 0:
        raise BadQuery(
            'invalid parameter "step": zero or negative query resolution step widths are not accepted.'
            " Try a positive integer"
        )
    if (end - start) / step > MOST_POINTS:
        raise BadQuery(
            "exceeded maximum resolution of 11,000 points per timeseries."
            " Try decreasing the query resolution (?step=XX)"
        )


def _text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) else repr(value)


def _success(data: dict[str, Any]) -> Response:
    return json_answer({"status": "success", "data": data})


def _bad(message: str) -> Response:
    return json_answer({"status": "error", "errorType": "bad_data", "error": message}, 400)
