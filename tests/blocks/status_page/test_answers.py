"""Answers of status pages in many vendors' forms, read over HTTP and judged for the regions that we use."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from blocks.status_page.page import StatusPage
from blocks.transport.errors import OutsideError
from runbook.checks.findings import Finding, Status
from runbook.checks.specs.status_page import STATUS_PAGE, judge_status_page
from tests.runbook.findings_samples import NOW

ANSWERS = json.loads((Path(__file__).parents[2] / "data" / "status-page-answers.json").read_text())


async def judged(httpserver: HTTPServer, answer: dict[str, Any]) -> Finding | None:
    """The finding of a page that serves these documents; `None` where none of them can be read."""
    for path, page in answer["pages"].items():
        body = page["body"]
        content = body if isinstance(body, str) else json.dumps(body)
        httpserver.expect_request(path).respond_with_data(content, status=page.get("http_status", 200))
    try:
        reading = await StatusPage(url=httpserver.url_for("").rstrip("/")).read_any()
    except OutsideError:
        return None
    return judge_status_page(reading, regions=tuple(answer["regions"]), now=NOW)


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer["name"] for answer in ANSWERS])
async def test_a_page_says_this_for_our_regions(httpserver: HTTPServer, answer: dict[str, Any]) -> None:
    """Well, bad, or unknown where it cannot be read or is not clear; never "operational" by mistake."""
    found = await judged(httpserver, answer)

    assert (found.status if found else Status.UNKNOWN) == answer["status"], found
    if found is not None and "worst_impact" in answer:
        assert found.facts_of(STATUS_PAGE).worst_impact == answer["worst_impact"]
