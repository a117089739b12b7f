"""What holds for the reading of any text."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.checks.log_lines import LogLine, PodLogs, read_line, summarise
from runbook.checks.log_lines.levels import Level
from tests.runbook.log_lines.recorded import LINES

TEXTS = [line for line, _, _ in LINES]
LEVEL_NAMES = {Level.ERROR: "error", Level.WARNING: "warn", Level.LOWER: "info"}
COLOURS = ("\x1b[31m", "\x1b[0m", "\x1b[1;38;5;196m", "\x1b[m", "\x1b[K", "\x1b]0;title\x07")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("level", "msg", "error", "status", "code", "s", "at")), inner, max_size=3
        )
    ),
    max_leaves=8,
)
any_text = st.text(max_size=200) | json_values.map(json.dumps) | st.sampled_from(TEXTS)
pieces = st.lists(
    st.sampled_from(TEXTS)
    | st.sampled_from(
        ("ERROR ", "error", "503", "status=", "[", "{", '"', "posthog", ": ", "no ", "\t", "\n")
    ),
    max_size=6,
).map("".join)


@given(st.lists(any_text | pieces, max_size=8))
def test_no_text_stops_the_reading(texts: list[str]) -> None:
    """Whatever programs write, it is read."""
    logs = PodLogs(lines=tuple(LogLine("web-1", "app", text) for text in texts), pods_read=("web-1",))
    reading = summarise(logs, window_seconds=300)
    assert len(reading.errors) <= reading.lines_read == len(texts)
    assert reading.posthog_errors_without_status <= reading.unplaced_errors <= len(reading.errors)


@given(st.sampled_from([text for text in TEXTS if "\x1b" not in text and "u001b" not in text]), st.data())
def test_colours_change_nothing(text: str, data: st.DataObject) -> None:
    """A line reads the same with and without the escape sequences of a terminal."""
    places = data.draw(st.lists(st.tuples(st.integers(0, len(text)), st.sampled_from(COLOURS)), max_size=5))
    coloured = text
    for place, colour in sorted(places, reverse=True):
        coloured = coloured[:place] + colour + coloured[place:]
    assert read_line(coloured) == read_line(text)


@given(any_text | pieces)
def test_a_line_wrapped_in_json_keeps_its_reading(text: str) -> None:
    """A shipper that puts a line into `msg`, with its level beside it, hides nothing and adds nothing."""
    bare = read_line(text)
    level = {} if bare.level is None else {"level": LEVEL_NAMES[bare.level]}
    assert read_line(json.dumps({**level, "msg": text})) == bare


@pytest.mark.parametrize(
    "seed",
    [
        "a",
        "no error ",
        "a.",
        'a="',
        '{"a":',
        "503 ",
        "status=",
        "http://a/",
        "\x1b[",
        "level=error ",
        "2023-01-01 ",
        "connection ",
        '"GET /x ',
        "\n    at x(",
    ],
)
def test_a_line_of_a_megabyte_takes_time_in_proportion(seed: str) -> None:
    """Eight times the text takes about eight times as long, not sixty-four times."""

    def seconds(length: int) -> float:
        text = "ERROR " + (seed * (length // len(seed) + 1))[:length]
        started = time.process_time()
        read_line(text)
        return time.process_time() - started

    small = min(seconds(125_000) for _ in range(2))
    assert seconds(1_000_000) < 32 * max(small, 0.005)
