"""One Prometheus server through prometheus-api-client.

It adds what the library leaves out: timeouts, warnings, the text of an error, the limit of points.
"""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from operator import methodcaller
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from pydantic import JsonValue, SecretStr
from requests.auth import AuthBase
from urllib3.util.retry import Retry

from blocks.errors import (
    Forbidden,
    NotFound,
    OutsideError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreadable,
    bare_url,
    one_line,
)
from runbook.redaction import redact
from runbook.value import Value

_SYSTEM = "Prometheus"
_MOST_STEPS = 10_999  # Prometheus refuses a range of more than 11,000 steps


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
    """What a server answered: its `data.result` untouched, and its warnings."""

    result: list[JsonValue]
    warnings: tuple[str, ...] = ()

    @property
    def samples(self) -> list[Sample]:
        """The instant vector's finite values."""
        found = []
        for item in _items(self.result):
            point = _point(item.get("value"))
            if point:
                found.append(Sample(labels=dict(item.get("metric") or {}), at=point[0], value=point[1]))
        return found

    @property
    def series(self) -> list[Series]:
        """The matrix' finite values."""
        return [
            Series(
                labels=dict(item.get("metric") or {}),
                points=tuple(point for raw in item.get("values") or () if (point := _point(raw))),
            )
            for item in _items(self.result)
        ]


class _Bearer(AuthBase):
    """An explicit authentication: a header alone would give way to ~/.netrc."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return request


class PrometheusSource:
    """One server. Blocking: for a thread of its own."""

    def __init__(
        self, url: str, *, token: SecretStr | None, verify_tls: bool, timeout_seconds: float
    ) -> None:
        self.name = bare_url(url)
        self._url = url.rstrip("/")
        self._token = token
        self._verify_tls = verify_tls
        self._timeout_seconds = timeout_seconds

    def query(self, promql: str) -> PrometheusAnswer:
        """An instant query.

        Raises:
            Unavailable: no answer, or one that may heal.
            Refused: the server does not take the query or the credentials.
        """
        return self._ask(methodcaller("custom_query", promql))

    def query_range(self, promql: str, start: datetime, end: datetime, step_seconds: int) -> PrometheusAnswer:
        """A range query, split where it has more steps than Prometheus allows in one.

        Raises:
            Unavailable: no answer, or one that may heal.
            Refused: the server does not take the query or the credentials.
        """
        merged: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
        warnings: list[str] = []
        for first, last in _spans(start, end, timedelta(seconds=step_seconds)):
            answer = self._ask(methodcaller("custom_query_range", promql, first, last, str(step_seconds)))
            warnings += answer.warnings
            for item in _items(answer.result):
                labels = item.get("metric") or {}
                series = merged.setdefault(tuple(sorted(labels.items())), {"metric": labels, "values": []})
                series["values"] += item.get("values") or []
        return PrometheusAnswer(result=list(merged.values()), warnings=tuple(dict.fromkeys(warnings)))

    def _ask(self, request: Callable[[PrometheusConnect], Any]) -> PrometheusAnswer:
        answers: list[requests.Response] = []
        with requests.Session() as session:
            session.verify = self._verify_tls
            # the library hands out `data.result` only; warnings and an error's text stay in the response
            session.hooks["response"].append(lambda response, **_: answers.append(response))
            server = PrometheusConnect(
                self._url,
                session=session,
                timeout=self._timeout_seconds,
                auth=_Bearer(self._token) if self._token else None,
                # the library's own would try four times, with waits, on every 5xx and timeout
                retry=Retry(total=1, connect=1, read=0, status=0, backoff_factor=0),
            )
            try:
                result = request(server)
            except PrometheusApiClientException:
                raise self._refusal(answers[-1]) from None
            except (ValueError, KeyError, TypeError):
                raise Unreadable(
                    _SYSTEM,
                    f"{self.name} does not answer in Prometheus' format",
                    "Check the configured address",
                ) from None
            except requests.RequestException as error:
                raise self._no_answer(error) from None
        if not isinstance(result, list):
            raise Unreadable(_SYSTEM, f"{self.name} answered a scalar", "Ask for a vector")
        return PrometheusAnswer(result=result, warnings=_warnings(answers[-1]))

    def _no_answer(self, error: requests.RequestException) -> OutsideError:
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
            return Refused(_SYSTEM, f"{self.name} is no address", "Check the configured address")
        if isinstance(error, requests.Timeout):
            why = "does not answer in time"
        elif isinstance(error, requests.exceptions.SSLError):
            why = "has a certificate that is not trusted"
        else:
            why = "cannot be reached"
        return Unavailable(_SYSTEM, f"{self.name} {why}", "Check the backup metrics")

    def _refusal(self, response: requests.Response) -> OutsideError:
        """What an answer other than 200 means; a starting Prometheus says 503."""
        status = response.status_code
        said = one_line(
            redact(_error_text(response), [self._token.get_secret_value()] if self._token else []), 300
        )
        detail = f"{self.name} answered HTTP {status}" + (f": {said}" if said else "")
        match status:
            case 401:
                return Unauthenticated(_SYSTEM, detail, "Check the bearer token")
            case 403:
                return Forbidden(_SYSTEM, detail, verb="query", resource=self.name)
            case 404:
                return NotFound(_SYSTEM, detail, "Check the configured address")
        if status == 429 or status >= 500:
            return Unavailable(_SYSTEM, detail, "Check the backup metrics", http_status=status)
        return Refused(_SYSTEM, detail, "Check the query and the metrics' names")


def _spans(start: datetime, end: datetime, step: timedelta) -> Iterable[tuple[datetime, datetime]]:
    """Pieces of at most `_MOST_STEPS` steps that share no point.

    They begin on whole seconds, since the library rounds to them.
    """
    first = start.replace(microsecond=0)
    while True:
        last = min(end, first + _MOST_STEPS * step)
        yield first, last
        first = last + step
        if last >= end or first > end:
            return


def _items(result: list[JsonValue]) -> list[dict[str, Any]]:
    return [item for item in result if isinstance(item, dict)]


def _point(raw: object) -> tuple[datetime, float] | None:
    match raw:
        case [int() | float() as at, str() as text]:
            value = float(text)
            return (datetime.fromtimestamp(at, UTC), value) if math.isfinite(value) else None
    return None


def _warnings(response: requests.Response) -> tuple[str, ...]:
    document = response.json()
    return tuple(str(text) for name in ("warnings", "infos") for text in document.get(name) or ())


def _error_text(response: requests.Response) -> str:
    try:
        document = response.json()
    except ValueError:
        kind = response.headers.get("Content-Type", "")
        return "" if "html" in kind else response.text[:20_000]
    return str(document.get("error", "")) if isinstance(document, dict) else ""
