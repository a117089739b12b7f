"""The small part of PromQL that the runbook asks.

Selectors with `offset`; `rate`, `increase`, `min_over_time` and `max_over_time`; `unless`; `sum` and `count`
by labels.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

LOOKBACK_SECONDS = 300.0
"""How old the newest sample of an instant selector may be, as in Prometheus."""

STALE = math.nan
"""Value of the sample that ends a series which its target no longer exports."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = r"(?:\d+(?:ms|s|m|h|d))+"
_SELECTOR = re.compile(
    rf"(?P<name>[a-zA-Z_:][\w:]*)\s*(?:\{{(?P<matchers>[^}}]*)\}})?\s*(?:\[(?P<window>{_DURATION})\])?"
    rf"(?:\s+offset\s+(?P<offset>{_DURATION}))?"
)
_MATCHER = re.compile(r'\s*(?P<label>\w+)\s*(?P<op>=~|!~|!=|=)\s*"(?P<value>[^"]*)"\s*')
_CALL = re.compile(
    r"(?P<function>rate|increase|min_over_time|max_over_time)\s*\((?P<inner>[^()]*)\)", re.DOTALL
)
_UNLESS = re.compile(r"(?P<left>.*)\sunless\s(?P<right>.*)", re.DOTALL)
_AGGREGATE = re.compile(
    r"(?P<aggregate>sum|count)\s*(?:by\s*\((?P<before>[^)]*)\)\s*)?\((?P<inner>.*)\)\s*(?:by\s*\((?P<after>[^)]*)\))?",
    re.DOTALL,
)


Function = Literal["rate", "increase", "min_over_time", "max_over_time"]
Aggregate = Literal["sum", "count"]


class BadQuery(ValueError):
    """A query or parameter that is answered with 400."""


class Sample(NamedTuple):
    """A value at a time (seconds since the epoch)."""

    at: float
    value: float


class Series(NamedTuple):
    """Labels, the metric's name among them, and samples in order of time."""

    labels: Mapping[str, str]
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label."""

    label: str
    operator: str
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether labels meet it; a missing label counts as empty."""
        actual = labels.get(self.label, "")
        if self.operator in ("=", "!="):
            found = actual == self.value
        else:
            found = re.fullmatch(self.value, actual) is not None
        return found is not self.operator.startswith("!")


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: select, then perhaps a function over a window, then perhaps an aggregation.

    `unless` is a query whose series are left out of this one's.
    """

    matchers: tuple[Matcher, ...]
    function: Function | None = None
    window_seconds: float = 0.0
    offset_seconds: float = 0.0
    unless: "Query | None" = None
    aggregate: Aggregate | None = None
    by: tuple[str, ...] = ()


Vector = list[tuple[dict[str, str], float]]


def parse(text: str) -> Query:
    """Return the query. Raises :class:`BadQuery` for any other PromQL."""
    text = text.strip()
    if whole := _AGGREGATE.fullmatch(text):
        inner = parse(whole["inner"])
        if inner.aggregate is not None:
            raise _unknown(text)
        by = whole["before"] or whole["after"] or ""
        labels = tuple(label.strip() for label in by.split(",") if label.strip())
        aggregate: Aggregate = "sum" if whole["aggregate"] == "sum" else "count"
        return replace(inner, aggregate=aggregate, by=labels)
    if binary := _UNLESS.fullmatch(text):
        left, right = parse(binary["left"]), parse(binary["right"])
        if left.aggregate is not None or right.aggregate is not None:
            raise _unknown(text)
        return replace(left, unless=right)
    function: Function | None = None
    if call := _CALL.fullmatch(text):
        function = next(name for name in get_args(Function) if name == call["function"])
        text = call["inner"].strip()
    selector = _SELECTOR.fullmatch(text)
    if selector is None or (function is None) is not (selector["window"] is None):
        raise _unknown(text)
    matchers = (Matcher("__name__", "=", selector["name"]), *_matchers(selector["matchers"] or ""))
    window = _duration(selector["window"]) if selector["window"] else 0.0
    offset = _duration(selector["offset"]) if selector["offset"] else 0.0
    return Query(matchers, function, window, offset)


def _matchers(text: str) -> list[Matcher]:
    matchers = []
    position = 0
    while position < len(text.rstrip(", ")):
        found = _MATCHER.match(text, position)
        if found is None:
            raise _unknown(text)
        matchers.append(Matcher(found["label"], found["op"], found["value"]))
        position = found.end() + 1  # the comma
    return matchers


def _unknown(text: str) -> BadQuery:
    return BadQuery(f'invalid parameter "query": 1:1: parse error: unexpected {text!r}')


def _duration(text: str) -> float:
    return sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)(ms|s|m|h|d)", text))


def parse_seconds(name: str, text: str) -> float:
    """Read a time (Unix seconds or RFC 3339) or a step (seconds or a duration).

    Raises :class:`BadQuery` naming the parameter.
    """
    if re.fullmatch(_DURATION, text):
        return _duration(text)
    try:
        return float(text)
    except ValueError:
        pass  # not a number, so RFC 3339 or wrong
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise BadQuery(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp') from error


def evaluate(query: Query, series: Sequence[Series], at: float) -> Vector:
    """Return the query's value at a time (seconds since the epoch); empty where there is no data."""
    vector = _selected(query, series, at)
    if query.unless is not None:
        excluded = {_identity(labels) for labels, _ in _selected(query.unless, series, at)}
        vector = [(labels, value) for labels, value in vector if _identity(labels) not in excluded]
    return vector if query.aggregate is None else _aggregated(vector, query.aggregate, query.by)


def _selected(query: Query, series: Sequence[Series], at: float) -> Vector:
    vector: Vector = []
    for one in series:
        if not all(matcher.matches(one.labels) for matcher in query.matchers):
            continue
        value = _value(query, one.samples, at - query.offset_seconds)
        if value is not None:
            labels = dict(one.labels)
            if query.function is not None:
                labels.pop("__name__", None)
            vector.append((labels, value))
    return vector


def _identity(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What `unless` matches by: all labels but the metric's name."""
    return tuple(sorted((name, value) for name, value in labels.items() if name != "__name__"))


def _value(query: Query, samples: Sequence[Sample], at: float) -> float | None:
    span = query.window_seconds if query.function else LOOKBACK_SECONDS
    window = [sample for sample in samples if at - span < sample.at <= at]
    if query.function is None:
        return window[-1].value if window and not math.isnan(window[-1].value) else None
    window = [sample for sample in window if not math.isnan(sample.value)]
    match query.function:
        case "min_over_time" | "max_over_time":
            extreme = min if query.function == "min_over_time" else max
            return extreme((sample.value for sample in window), default=None)
        case "increase":
            return _increase(window, at - span, at)
        case "rate":
            return _rate(window, at - span, at)


def _rate(window: Sequence[Sample], start: float, end: float) -> float | None:
    increase = _increase(window, start, end)
    return None if increase is None else increase / (end - start)


def _increase(window: Sequence[Sample], start: float, end: float) -> float | None:
    """Extrapolate as Prometheus does (promql/functions.go, extrapolatedRate)."""
    if len(window) < 2:
        return None
    first, last = window[0], window[-1]
    grown = last.value - first.value
    for before, after in pairwise(window):
        if after.value < before.value:  # the counter was reset
            grown += before.value
    sampled = last.at - first.at
    between = sampled / (len(window) - 1)
    to_start, to_end = first.at - start, end - last.at
    if grown > 0 and first.value >= 0:
        to_start = min(to_start, sampled * first.value / grown)
    covered = sampled
    covered += to_start if to_start < between * 1.1 else between / 2
    covered += to_end if to_end < between * 1.1 else between / 2
    return grown * covered / sampled


def _aggregated(vector: Vector, aggregate: Aggregate, by: tuple[str, ...]) -> Vector:
    groups: dict[tuple[tuple[str, str], ...], float] = {}
    for labels, value in vector:
        key = tuple((label, labels[label]) for label in by if labels.get(label))
        groups[key] = groups.get(key, 0.0) + (value if aggregate == "sum" else 1.0)
    return [(dict(key), value) for key, value in groups.items()]
