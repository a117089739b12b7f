"""What a Prometheus server answers, read into samples and series."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import requests
from pydantic import JsonValue

from blocks.prometheus.partial import infos_of, reasons_missing
from runbook.value import Value

ResultType = Literal["vector", "matrix"]
"""What an instant query and a range query answer."""


class Sample(Value):
    """One value of one series at one time (aware UTC)."""

    labels: dict[str, str]
    value: float
    at: datetime


class Series(Value):
    """The values of one series over time (aware UTC)."""

    labels: dict[str, str]
    points: tuple[tuple[datetime, float], ...]


class PrometheusAnswer(Value):
    """What a server answered: its `data.result` untouched, and what it said about it.

    `missing` says why the result may not be all of it; then it proves nothing about what it leaves out.
    `infos` are hints on the query and take nothing away from the result.
    """

    result: list[JsonValue]
    missing: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()

    @property
    def samples(self) -> list[Sample]:
        """The instant vector's finite values."""
        points = ((item, _point(item.get("value"))) for item in items_of(self.result))
        return [
            Sample(labels=_labels(item), at=point[0], value=point[1])
            for item, point in points
            if math.isfinite(point[1])
        ]

    @property
    def series(self) -> list[Series]:
        """The matrix' finite values."""
        return [
            Series(
                labels=_labels(item),
                points=tuple(
                    point for raw in item.get("values") or () if math.isfinite((point := _point(raw))[1])
                ),
            )
            for item in items_of(self.result)
        ]


def well_formed(result: list[JsonValue], response: requests.Response, kind: ResultType) -> PrometheusAnswer:
    """The answer of this kind, read once to its end so that what is garbage in it is found here.

    Raises:
        ValueError, TypeError, OverflowError: a part of it is not in the format.
    """
    document = response.json()
    if document["status"] != "success" or document["data"].get("resultType") != kind:
        raise ValueError(f"no {kind}")
    answer = PrometheusAnswer(
        result=result,
        missing=tuple(reasons_missing(document, response.headers)),
        infos=tuple(infos_of(document)),
    )
    _ = answer.series if kind == "matrix" else answer.samples
    return answer


def items_of(result: list[JsonValue]) -> list[dict[str, Any]]:
    """The series of a result.

    Raises:
        ValueError: one of them is not an object.
    """
    if not all(isinstance(item, dict) for item in result):
        raise ValueError("not a list of objects")
    return [item for item in result if isinstance(item, dict)]


def _labels(item: Mapping[str, Any]) -> dict[str, str]:
    labels = item.get("metric") or {}
    if not isinstance(labels, dict):
        raise TypeError("labels are not an object")
    return {str(name): str(value) for name, value in labels.items()}


def _point(raw: object) -> tuple[datetime, float]:
    """One value and its time.

    Raises:
        ValueError, OverflowError: it is none; as text, `NaN` and infinity are values.
    """
    match raw:
        case [int() | float() as at, str() as text]:
            return datetime.fromtimestamp(at, UTC), float(text)
    raise ValueError("no sample")
