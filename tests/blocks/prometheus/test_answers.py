"""Answers of Prometheus and its relatives, read over HTTP and judged; what is not whole is unknown."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from blocks.prometheus.metrics import Prometheus
from blocks.transport.errors import OutsideError
from runbook.checks.findings import Status
from runbook.checks.readings import ErrorRateReading
from runbook.checks.specs.error_rate import judge_error_rate
from tests.runbook.findings_samples import NOW, POLICY

ANSWERS = json.loads((Path(__file__).parents[2] / "data" / "metrics-answers.json").read_text())
DEFAULTS: dict[str, list[Any]] = {
    "errors": [],
    "requests": [{"metric": {}, "value": ["now", "100"]}],
    "born": [],
    "before": [{"metric": {}, "value": ["now", "3"]}],
    "count": [{"metric": {}, "value": ["now", "1"]}],
}
QUERIES = {
    "errors": r"sum by \(status\) \(rate\(",
    "requests": r"sum\(rate\(",
    "born": r"sum by \(status\) \(min_over_time\(",
    "before": r"count\(.* offset ",
    "count": r"count\(",
}


def dated(value: Any) -> Any:
    """The value with the times in it: `now`, and seconds from now."""
    if value == "now":
        return time.time()
    if isinstance(value, list):
        return [dated(item) for item in value]
    if isinstance(value, dict):
        return time.time() + value["now"] if "now" in value else {k: dated(v) for k, v in value.items()}
    return value


async def read(httpserver: HTTPServer, answer: dict[str, Any]) -> ErrorRateReading:
    """The reading of a server that answers so."""

    def handle(request: Request) -> Response:
        query = request.args["query"]
        asked = next(name for name, form in QUERIES.items() if re.match(form, query))
        data = answer.get(asked, {"resultType": "vector", "result": DEFAULTS[asked]})
        document = {"status": "success", "data": dated(data), **answer.get("top", {})}
        return Response(answer.get("raw") or json.dumps(document), headers=answer.get("headers"))

    httpserver.expect_request("/api/v1/query").respond_with_handler(handle)
    address = httpserver.url_for("").rstrip("/")
    return await Prometheus(url=address, **answer.get("settings", {})).read_error_rate()


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer["name"] for answer in ANSWERS])
async def test_an_answer_means_what_it_says(httpserver: HTTPServer, answer: dict[str, Any]) -> None:
    """Successes are no errors, a part proves nothing, and what is not in the format is unknown."""
    try:
        reading = await read(httpserver, answer)
    except OutsideError:
        assert answer["status"] == Status.UNKNOWN
        return
    assert judge_error_rate(reading, policy=POLICY, now=NOW).status == answer["status"], reading
    if "errors_per_second" in answer:
        assert reading.errors_per_second == pytest.approx(answer["errors_per_second"])
    if "error_share" in answer:
        assert reading.error_share == answer["error_share"]
