"""The error rate of one Prometheus server, with what its answer leaves open."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from blocks.prometheus.answer import PrometheusAnswer
from blocks.prometheus.client import PrometheusSource
from blocks.prometheus.queries import ErrorRateQueries
from blocks.transport.errors import Refused, Unavailable
from runbook.checks.readings import ErrorRateReading
from runbook.decision.error_types import UNKNOWN_STATUS, is_success


def read_error_rate(
    source: PrometheusSource, queries: ErrorRateQueries, *, tolerance: timedelta
) -> ErrorRateReading:
    """The rates of errors and requests now. Blocking: for a thread of its own.

    Raises:
        Unavailable: no answer, one that may heal, or one whose time is further than `tolerance` from ours.
        Refused: the server does not take the queries or the credentials.
    """
    errors, requests = source.query(queries.errors_by_status), source.query(queries.requests_rate)
    born, notes = _born(source, queries)
    _check_times(source, errors, tolerance=tolerance, now=datetime.now(UTC))
    missing = [*errors.missing, *requests.missing, *born.missing]
    rates, births = _by_status(errors, queries), _by_status(born, queries)
    by_status = rates.errors
    complete = not missing and rates.complete and births.complete and bool(errors.result)
    at_birth = {
        status: count / queries.window_seconds for status, count in births.errors.items() if count > 0
    }
    dated = bool(at_birth) and any(source.query(query).samples for query in queries.counted_before)
    if at_birth and not dated:
        notes.append(
            f"{source.name} has less than {queries.window} of data: when the errors happened is unknown"
        )
    if not by_status and not rates.successes:
        # a rate needs two samples in the window; one of them alone may stand for any number of errors
        present = source.query(queries.errors_present).samples
        few = f"{queries.errors} has fewer than two samples in {queries.window}"
        notes.append(few if present else f"there is no {queries.errors}")
    if dated:
        every = by_status | at_birth
        by_status = {status: by_status.get(status, 0) + at_birth.get(status, 0) for status in every}
    if rates.successes:
        notes.append(f"{queries.errors} counts successes too, which were left out: set errors_selector")
    elif queries.same_series:
        notes.append("errors and requests are the same series: set errors_selector")
    rate_of_requests = requests.samples[0].value if requests.samples else None
    no_share = bool(missing) or (queries.same_series and not rates.successes)
    return ErrorRateReading(
        source=source.name,
        window_seconds=queries.window_seconds,
        errors_by_status=by_status if by_status or rates.successes else None,
        complete=complete,
        partial=bool(missing),
        undated_errors_per_second=0 if dated else sum(at_birth.values()),
        requests_per_second=None if no_share else rate_of_requests,
        warnings=tuple(dict.fromkeys([*missing, *notes])),
    )


def _born(source: PrometheusSource, queries: ErrorRateQueries) -> tuple[PrometheusAnswer, list[str]]:
    """What series had counted when they began; nothing where the server does not take the query."""
    try:
        return source.query(queries.errors_at_birth), []
    except Refused as error:
        return PrometheusAnswer(result=[]), [f"errors before the first sample are not known: {error.detail}"]


class _ByStatus(NamedTuple):
    """The values by status. It is not complete where one is no number, or stands there twice.

    A metric may count every request; `successes` says that it does, and these are no errors.
    """

    errors: dict[str, float]
    successes: bool
    complete: bool


def _by_status(answer: PrometheusAnswer, queries: ErrorRateQueries) -> _ByStatus:
    values: dict[str, float] = {}
    for sample in answer.samples:
        if sample.value >= 0:
            status = sample.labels.get(queries.status_label, UNKNOWN_STATUS)
            values[status] = max(sample.value, values.get(status, 0))
    errors = {status: value for status, value in values.items() if not is_success(status)}
    complete = len(values) == len(answer.result)
    if queries.same_series and UNKNOWN_STATUS in errors:  # all requests, of whatever outcome
        del errors[UNKNOWN_STATUS]
        complete = False
    return _ByStatus(errors, any(is_success(status) for status in values), complete)


def _check_times(
    source: PrometheusSource, answer: PrometheusAnswer, *, tolerance: timedelta, now: datetime
) -> None:
    """An answer of another time may come from a cache, and a clock that is off says nothing about now.

    Raises:
        Unavailable: the answer is not of now.
    """
    off = max((abs(now - sample.at) for sample in answer.samples), default=timedelta())
    if off > tolerance:
        raise Unavailable(
            "Prometheus",
            f"{source.name} answers for a time that differs from ours by {off.total_seconds() / 60:.0f} min",
            "Check its clock, ours, and caches between them",
        )
