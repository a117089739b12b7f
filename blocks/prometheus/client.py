"""One Prometheus server through prometheus-api-client.

It adds what the library leaves out: a total deadline, a bounded answer, the signs of a partial one, the text
of an error, the limit of points.
"""

import asyncio
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from operator import methodcaller
from typing import Any
from urllib.parse import parse_qs

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from blocks.prometheus.answer import PrometheusAnswer, ResultType, items_of, well_formed
from blocks.transport.credentials import Credentials
from blocks.transport.errors import (
    Forbidden,
    NotFound,
    OutsideError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreadable,
    one_line,
)
from blocks.transport.http import exchange
from blocks.transport.translating import bare_url
from blocks.transport.web_pages import is_web_page, web_page_title
from runbook.outside_text import beginning
from runbook.redaction import redact

_SYSTEM = "Prometheus"
_MOST_STEPS = 10_999  # Prometheus refuses a range of more than 11,000 steps


class _Shown(AuthBase):
    """The credentials as an explicit authentication: without one, ~/.netrc would add its own."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


class _Exchange(BaseAdapter):
    """The library's requests by way of our own exchange, redirects too.

    requests' timeouts begin anew with every byte, and it takes only Authorization off where a redirect leads
    to another host.
    """

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
                follow_redirects=True,
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
        self, url: str, *, credentials: Credentials, verify_tls: bool, timeout_seconds: float
    ) -> None:
        self.name = bare_url(url)
        base, _, query = url.partition("?")
        self._url = base.rstrip("/")
        self._parameters = parse_qs(query, keep_blank_values=True)
        self._headers = credentials.request_headers()
        self._secrets = credentials.secret_values()
        self._exchange = _Exchange(
            verify_tls=verify_tls, timeout_seconds=timeout_seconds, secrets=self._secrets
        )

    def query(self, promql: str) -> PrometheusAnswer:
        """An instant query.

        Raises:
            Unavailable: no answer, or one that may heal.
            Refused: the server does not take the query or the credentials.
        """
        return self._ask("vector", methodcaller("custom_query", promql, self._parameters))

    def query_range(self, promql: str, start: datetime, end: datetime, step_seconds: int) -> PrometheusAnswer:
        """A range query, split where it has more steps than Prometheus allows in one.

        Raises:
            Unavailable: no answer, or one that may heal.
            Refused: the server does not take the query or the credentials.
        """
        merged: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
        missing: list[str] = []
        infos: list[str] = []
        for first, last in _spans(start, end, timedelta(seconds=step_seconds)):
            step = str(step_seconds)
            answer = self._ask(
                "matrix", methodcaller("custom_query_range", promql, first, last, step, self._parameters)
            )
            missing += answer.missing
            infos += answer.infos
            for item in items_of(answer.result):
                labels = item.get("metric") or {}
                series = merged.setdefault(tuple(sorted(labels.items())), {"metric": labels, "values": []})
                series["values"] += item.get("values") or []
        return PrometheusAnswer(
            result=list(merged.values()),
            missing=tuple(dict.fromkeys(missing)),
            infos=tuple(dict.fromkeys(infos)),
        )

    def _ask(self, kind: ResultType, request: Callable[[PrometheusConnect], Any]) -> PrometheusAnswer:
        answers: list[requests.Response] = []
        with requests.Session() as session:
            # the library hands out `data.result` only; all else stays in the response
            session.hooks["response"].append(lambda response, **_: answers.append(response))
            server = PrometheusConnect(
                self._url,
                session=session,
                auth=_Shown(self._headers),
            )
            # in place of the library's own, which would try four times, with waits, on every 5xx and timeout
            session.adapters.clear()
            session.mount("", self._exchange)
            try:
                result = request(server)
                if not isinstance(result, list):
                    raise Unreadable(_SYSTEM, f"{self.name} answered a scalar", "Ask for a vector")
                return well_formed(result, answers[-1], kind)
            except PrometheusApiClientException:
                raise self._refusal(answers[-1]) from None
            except requests.exceptions.JSONDecodeError:
                raise self._unreadable("the answer is not JSON") from None
            except requests.RequestException:
                raise Refused(
                    _SYSTEM, f"{self.name} is not an address", "Check the configured address"
                ) from None
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                raise self._unreadable("the answer is not in Prometheus' format") from None

    def _unreadable(self, why: str) -> Unreadable:
        return Unreadable(_SYSTEM, f"{self.name}: {why}", "Check the configured address")

    def _refusal(self, response: requests.Response) -> OutsideError:
        """What an answer other than 200 means; a starting Prometheus says 503."""
        status = response.status_code
        said = one_line(redact(_error_text(response), self._secrets), 300)
        detail = f"{self.name} answered HTTP {status}" + (f": {said}" if said else "")
        match status:
            case 401:
                return Unauthenticated(_SYSTEM, detail, "Check the configured credentials")
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


def _error_text(response: requests.Response) -> str:
    try:
        document = response.json()
    except ValueError:
        text = beginning(response.text, 20_000)
        if not is_web_page(text, response.headers.get("Content-Type", "")):
            return text
        title = web_page_title(text)
        return f"a page named {title!r}" if title else ""
    return str(document.get("error", "")) if isinstance(document, dict) else ""
