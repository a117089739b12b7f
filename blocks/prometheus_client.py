"""One Prometheus server through prometheus-api-client.

It adds what the library leaves out: a total deadline, a bounded answer, warnings, the text of an error, the
limit of points.
"""

import asyncio
import io
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from operator import methodcaller
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from pydantic import JsonValue, SecretStr
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

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
from blocks.http import exchange
from runbook.outside_text import beginning
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
        points = ((item, _point(item.get("value"))) for item in _items(self.result))
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
            for item in _items(self.result)
        ]


class _Bearer(AuthBase):
    """An explicit authentication: a header alone would give way to ~/.netrc."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return request


class _Exchange(BaseAdapter):
    """The library's requests by way of our own exchange: requests' timeouts begin anew with every byte."""

    def __init__(self, *, verify_tls: bool, timeout_seconds: float, secrets: list[str]) -> None:
        super().__init__()
        self._verify_tls = verify_tls
        self._timeout_seconds = timeout_seconds
        self._secrets = secrets

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Send it, and give its answer the library's form.

        Raises:
            OutsideError: there is no whole answer in time.
        """
        answer = asyncio.run(
            exchange(
                _SYSTEM,
                request.method or "GET",
                request.url or "",
                headers=dict(request.headers),
                timeout_seconds=self._timeout_seconds,
                verify_tls=self._verify_tls,
                secrets=self._secrets,
            )
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
        response.raw = io.BytesIO(answer.content)
        response.url, response.request = str(answer.url), request
        return response

    def close(self) -> None:
        """Nothing is kept."""


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
            # the library hands out `data.result` only; warnings and an error's text stay in the response
            session.hooks["response"].append(lambda response, **_: answers.append(response))
            server = PrometheusConnect(
                self._url,
                session=session,
                auth=_Bearer(self._token) if self._token else None,
            )
            # after the library's own, which would try four times, with waits, on every 5xx and timeout
            session.mount(self._url, self._exchange())
            try:
                result = request(server)
                if not isinstance(result, list):
                    raise Unreadable(_SYSTEM, f"{self.name} answered a scalar", "Ask for a vector")
                return _well_formed(result, answers[-1])
            except PrometheusApiClientException:
                raise self._refusal(answers[-1]) from None
            except requests.exceptions.JSONDecodeError:
                raise self._unreadable("the answer is not JSON") from None
            except requests.RequestException:
                raise Refused(_SYSTEM, f"{self.name} is no address", "Check the configured address") from None
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                raise self._unreadable("the answer is not in Prometheus' format") from None

    def _exchange(self) -> BaseAdapter:
        return _Exchange(
            verify_tls=self._verify_tls,
            timeout_seconds=self._timeout_seconds,
            secrets=[self._token.get_secret_value()] if self._token else [],
        )

    def _unreadable(self, why: str) -> Unreadable:
        return Unreadable(_SYSTEM, f"{self.name}: {why}", "Check the configured address")

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


def _well_formed(result: list[JsonValue], response: requests.Response) -> PrometheusAnswer:
    """The answer, read once to its end so that what is garbage in it is found here.

    Raises:
        ValueError, TypeError, OverflowError: a part of it is not in the format.
    """
    document = response.json()
    answer = PrometheusAnswer(
        result=result,
        warnings=tuple(str(text) for name in ("warnings", "infos") for text in document.get(name) or ()),
    )
    _ = answer.series if document["data"].get("resultType") == "matrix" else answer.samples
    return answer


def _items(result: list[JsonValue]) -> list[dict[str, Any]]:
    if not all(isinstance(item, dict) for item in result):
        raise ValueError("not a list of objects")
    return [item for item in result if isinstance(item, dict)]


def _labels(item: Mapping[str, Any]) -> dict[str, str]:
    labels = item.get("metric") or {}
    if not isinstance(labels, dict):
        raise TypeError("labels are no object")
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


def _error_text(response: requests.Response) -> str:
    try:
        document = response.json()
    except ValueError:
        kind = response.headers.get("Content-Type", "")
        return "" if "html" in kind else beginning(response.text, 20_000)
    return str(document.get("error", "")) if isinstance(document, dict) else ""
