"""A log line is one line of JSON, masked, with nothing that the terminal of its reader obeys."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks.logs import own_lines
from deployments.processes.json_log import log_event, log_json_to

KEY = "phx_canary0Q7zX4bV9nM2kL8"
STEERS = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
TEXTS = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["\r\n{}", "\u2028", "\u0085", "\x1b[31m", "\x9b31m", "\u202e", f" {KEY} ", "token="]
)

Lines = Callable[[], list[str]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged as JSON since the last look."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    log_json_to(stream)

    def written() -> list[str]:
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return text.split("\n")[:-1]

    try:
        yield written
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=TEXTS, field=TEXTS, other=TEXTS)
def test_any_text_is_one_masked_line(lines: Lines, event: str, field: str, other: str) -> None:
    """In the event, in its fields and in what they hold."""
    lines()
    log_event(
        logging.getLogger("runbook.test"), event, alert=field, more={"names": [other]}, error=KeyError(KEY)
    )
    [line] = lines()
    assert not STEERS.search(line)
    assert "canary" not in line
    assert json.loads(line)["log"] == "runbook.test"


def test_a_traceback_is_masked(lines: Lines) -> None:
    """Whether the record brings it as an exception or as a text."""
    log = logging.getLogger("runbook.test")
    for logger in (log, own_lines(logging.getLogger("runbook.test.own"))):
        try:
            raise ValueError(f"{KEY} \x1b[31m")
        except ValueError:
            logger.exception("it failed with %s", KEY)
        [line] = lines()
        told = json.loads(line)
        assert "canary" not in line
        assert not STEERS.search(line)
        assert told["event"] == "it failed with [redacted:phx]"
        assert told["trace"].rstrip().endswith("ValueError: [redacted:phx]")


@pytest.mark.parametrize(
    ("given_text", "written"),
    [
        ("a\r\nb\u2028c\x85d", "a b c d"),
        (f"\x1b[2Jkey {KEY}\u202e", "key [redacted:phx]"),
        ("100% of %s", "100% of %s"),
    ],
)
def test_our_own_lines_are_safe_for_any_handler(given_text: str, written: str) -> None:
    """Prefect's console, its API and a worker's log file get the same."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log = own_lines(logging.getLogger("runbook.test.plain"))
    log.addHandler(handler)
    try:
        log.warning(given_text)
        log.warning("it said: %s", given_text)
    finally:
        log.removeHandler(handler)
    assert stream.getvalue() == f"{written}\nit said: {written}\n"
