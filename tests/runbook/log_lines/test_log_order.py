"""The lines of several containers are one story, in which each container keeps its own order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runbook.checks.log_lines import LogLine, in_order

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def line(container: str, text: str, second: int | None) -> LogLine:
    """A line that was written so many seconds after noon."""
    return LogLine("web-1", container, text, None if second is None else NOON + timedelta(seconds=second))


def texts(*logs: list[LogLine]) -> list[str]:
    """The story's texts."""
    return [item.text for item in in_order(logs)]


def test_lines_of_two_containers_are_told_by_their_times() -> None:
    """The story goes from one container to the other and back."""
    one = [line("app", "a1", 1), line("app", "a2", 3)]
    other = [line("proxy", "p1", 2), line("proxy", "p2", 4)]

    assert texts(one, other) == ["a1", "p1", "a2", "p2"]


def test_a_line_without_a_time_keeps_its_place() -> None:
    """It belongs below the line above it, and the order of all others is kept."""
    one = [line("app", "a1", 1), line("app", "no time", None), line("app", "a2", 3)]
    other = [line("proxy", "p1", 2), line("proxy", "p2", 4)]

    assert texts(one, other) == ["a1", "no time", "p1", "a2", "p2"]


def test_first_lines_without_a_time_come_before_the_first_with_one() -> None:
    """Their time is at most that of the line below them."""
    one = [line("app", "no time", None), line("app", "a1", 5)]
    other = [line("proxy", "p1", 2)]

    assert texts(one, other) == ["p1", "no time", "a1"]


@given(
    st.lists(st.lists(st.none() | st.integers(0, 60), max_size=8), max_size=4),
)
def test_no_line_is_lost_and_each_container_keeps_its_order(seconds: list[list[int | None]]) -> None:
    """Whatever the times say, a container's log is never shuffled."""
    logs = [
        [line(f"c{number}", f"{number}-{place}", second) for place, second in enumerate(log)]
        for number, log in enumerate(seconds)
    ]

    story = in_order(logs)

    assert len(story) == sum(map(len, logs))
    for number, log in enumerate(logs):
        assert [item for item in story if item.container == f"c{number}"] == log
