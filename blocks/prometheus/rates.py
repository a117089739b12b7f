"""The error rate of one Prometheus server, with what its answer leaves open."""

from datetime import UTC, datetime, timedelta

from blocks.prometheus.answer import PrometheusAnswer
from blocks.prometheus.client import PrometheusSource
from blocks.prometheus.queries import ErrorRateQueries
from blocks.transport.errors import Refused, Unavailable
from runbook.checks.readings import ErrorRateReading


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
    by_status = _by_status(errors, queries)
    complete = not missing and len(by_status) == len(errors.result) > 0
    at_birth = {
        status: count / queries.window_seconds
        for status, count in _by_status(born, queries).items()
        if count > 0
    }
    dated = bool(at_birth) and any(source.query(query).samples for query in queries.counted_before)
    if at_birth and not dated:
        notes.append(
            f"{source.name} has data of less than {queries.window}: when errors happened is not known"
        )
    if not by_status:
        # a rate needs two samples in the window; one of them alone may stand for any number of errors
        present = source.query(queries.errors_present).samples
        few = f"{queries.errors} has fewer than two samples in {queries.window}"
        notes.append(few if present else f"there is no {queries.errors}")
    if dated:
        every = by_status | at_birth
        by_status = {status: by_status.get(status, 0) + at_birth.get(status, 0) for status in every}
    if queries.same_series:
        notes.append("errors and requests are the same series: set errors_selector")
    rate_of_requests = requests.samples[0].value if requests.samples else None
    return ErrorRateReading(
        source=source.name,
        window_seconds=queries.window_seconds,
        errors_by_status=by_status or None,
        complete=complete,
        partial=bool(missing),
        undated_errors_per_second=0 if dated else sum(at_birth.values()),
        requests_per_second=None if missing or queries.same_series else rate_of_requests,
        warnings=tuple(dict.fromkeys([*missing, *notes])),
    )


def _born(source: PrometheusSource, queries: ErrorRateQueries) -> tuple[PrometheusAnswer, list[str]]:
    """What series had counted when they began; nothing where the server does not take the query."""
    try:
        return source.query(queries.errors_at_birth), []
    except Refused as error:
        return PrometheusAnswer(result=[]), [f"errors before the first sample are not known: {error.detail}"]


def _by_status(answer: PrometheusAnswer, queries: ErrorRateQueries) -> dict[str, float]:
    return {
        sample.labels.get(queries.status_label, "unknown"): sample.value
        for sample in answer.samples
        if sample.value >= 0
    }


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
            f"{source.name} answers for a time that is {off.total_seconds() / 60:.0f} min from ours",
            "Check its clock and ours, and caches in between",
        )
