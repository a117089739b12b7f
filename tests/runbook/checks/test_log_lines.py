"""Log lines: which are errors, and which HTTP status they tell."""

import pytest

from runbook.checks.log_lines import LogLine, PodLogs, http_status, is_error, summarise

ERRORS = [
    '2026-11-22T15:51:46Z ERROR posthog request failed status=401 path=/i/v0/e/ detail="invalid"',
    '{"level":"error","msg":"posthog request failed","status":503}',
    '{"severity": "CRITICAL", "message": "out of workers"}',
    "level=fatal msg=giving up",
    "FATAL could not start",
    "panic: runtime failure",
    "Traceback follows: requests.exceptions.HTTPError: 429 Client Error",
    "posthog.exception: no route",
    "INFO retrying after Error 503",
    "errors=12 in the last minute",
]
NO_ERRORS = [
    "INFO request served status=200 path=/health",
    "flushed 20 events, no errors",
    '{"level":"info","errors":0}',
    "error=null status=200",
    '{"errors": []}',
    "fatality rate is no log level",
    "",
]


@pytest.mark.parametrize("line", ERRORS)
def test_a_line_with_an_error_level_or_an_error_word_is_an_error(line: str) -> None:
    """The level or the words that the runbook greps for make an error line."""
    assert is_error(line)


@pytest.mark.parametrize("line", NO_ERRORS)
def test_a_line_that_reports_no_error_is_none(line: str) -> None:
    """Words such as "no errors" or `errors=0` do not make an error line."""
    assert not is_error(line)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("ERROR posthog request failed status=401 path=/flags", "401"),
        ('{"level":"error","status": 401}', "401"),
        ('{"level":"error","status":"503"}', "503"),
        ('{"level":"error","status_code":429,"took":15000}', "429"),
        ("error: response code 429", "429"),
        ("ERROR http_status=500", "500"),
        ("error: HTTP 401 from PostHog", "401"),
        ('ERROR "POST /i/v0/e/ HTTP/1.1" 503 12', "503"),
        ('ERROR "POST /i/v0/e/ HTTP/1.1 429"', "429"),
        ("ERROR HTTP/1.1 401", "401"),
        ("urllib3 exception: 403 Forbidden", "403"),
        ("HTTPError: 429 Client Error: Too Many Requests for url: https://us.i.posthog.com:443/flags", "429"),
        ("ERROR PostHog answered 503 again", "503"),
        ("ERROR PostHog answered 500.", "500"),
        ("ERROR failed (502)", "502"),
        ("ERROR request to posthog timed out after 10000 ms", "timeout"),
        ("ERROR context deadline exceeded", "timeout"),
        ("ERROR ECONNREFUSED 10.0.0.1:443", "connection"),
        ("ERROR connection reset by peer", "connection"),
    ],
)
def test_a_status_is_read_where_it_stands(line: str, status: str) -> None:
    """Labelled, after HTTP, before its phrase, or alone: the status is found."""
    assert http_status(line) == status


@pytest.mark.parametrize(
    "line",
    [
        "ERROR batch lost after 15000ms",
        "ERROR took 503ms",
        "ERROR took 503 ms",
        "ERROR lost 429 events",
        "ERROR waited 500 seconds",
        "2026-11-22T15:51:46.503Z ERROR no detail",
        "2026-11-22 15:50:500 ERROR no detail",
        "ERROR id=7f503a-429-aa no detail",
        "ERROR request 4f2c-401 failed",
        "ERROR at handler.py:403",
        "ERROR in line 401",
        "ERROR connecting to 10.0.0.1:503",
        "ERROR queue=503",
        "ERROR path=/api/projects/401",
        "ERROR exit_code=137",
        "ERROR pid 403",
        "ERROR took 0.503 of the budget",
        "ERROR user 5030",
        "ERROR cannot parse the answer status=200",
    ],
)
def test_other_numbers_are_no_status(line: str) -> None:
    """Durations, times, ids, ports and counts have three digits too, and are not read as a status."""
    assert http_status(line) is None


def test_the_summary_counts_statuses_and_masks_keys() -> None:
    """Error lines are counted by status, kept redacted, and other lines only counted."""
    logs = PodLogs(
        lines=(
            LogLine("a", "app", "INFO fine"),
            LogLine("a", "app", "ERROR status=401 key=phc_" + "x" * 43),
            LogLine("b", "app", "ERROR status=401"),
            LogLine("b", "app", "ERROR of another kind"),
        ),
        pods_read=("a", "b"),
        pods_unread={"c": "gone"},
    )

    reading = summarise(logs, window_seconds=300)

    assert reading.lines_read == 4
    assert reading.errors_by_status == {"401": 2}
    assert [(line.pod, line.status) for line in reading.errors] == [("a", "401"), ("b", "401"), ("b", None)]
    assert "phc_x" not in reading.model_dump_json()
    assert reading.pods_unread == {"c": "gone"}
