"""What is read ahead is taken once, while it is young; else it is read again."""

import asyncio

import pytest

from blocks.ahead import MOST_SECONDS, Ahead


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        """The present moment."""
        return self.now


async def read(text: str, begun: list[str]) -> str:
    """Reads for a moment."""
    begun.append(text)
    await asyncio.sleep(0)
    return text


async def test_what_was_read_ahead_is_taken_once() -> None:
    """It is read once, and whoever comes second reads anew."""
    ahead, begun = Ahead[str](), list[str]()
    _ = ahead.begin("a", read("first", begun))
    assert [await ahead.take("a"), await ahead.take("a"), await ahead.take("b")] == ["first", None, None]
    assert begun == ["first"]


@pytest.mark.parametrize(("seconds", "taken"), [(MOST_SECONDS, "old"), (MOST_SECONDS + 0.1, None)])
async def test_what_is_old_is_not_taken(seconds: float, taken: str | None) -> None:
    """A run that waited long for its start decides on what is true now."""
    clock = Clock()
    ahead = Ahead[str](clock=clock)
    _ = ahead.begin("a", read("old", []))
    clock.now = seconds
    assert await ahead.take("a") == taken


async def test_what_failed_is_read_again() -> None:
    """The one who needs it meets the error itself, and tells of it."""

    async def fail() -> str:
        raise ValueError("away")

    ahead = Ahead[str]()
    _ = ahead.begin("a", fail())
    assert await ahead.take("a") is None
