"""The queue before the store: what waits together is written together; failures stay with whom they hit."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from blocks.transport.errors import Unavailable
from deployments.receiver import intake
from deployments.receiver.connections.body import Budget, Rejected
from deployments.receiver.intake import Intake, Overloaded, Write
from runbook.alerts.alert import Alert
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Message, Received


def alerts(*names: str) -> list[Alert]:
    """Alerts of these names."""
    return [Alert(source="test", service="s", name=name, summary="x") for name in names]


class Writer:
    """Writes when it is let, and keeps what it has written."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.ready = asyncio.Event()
        self.error: Exception | None = None

    async def write(self, messages: Sequence[Message]) -> list[Received]:
        """Write a batch."""
        await self.ready.wait()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.batches.append([message.alert.name for message in messages])
        return [Received(Meaning.BEGAN, message.alert.name) for message in messages]


@asynccontextmanager
async def running(write: Write) -> AsyncIterator[Intake]:
    """A queue that is emptied."""
    queue = Intake(write, written=lambda *_: None)
    task = asyncio.create_task(queue.run())
    try:
        yield queue
    finally:
        task.cancel()


async def test_what_comes_in_while_a_batch_is_written_makes_up_the_next_one() -> None:
    """Each caller is told of its own alerts, in its own order."""
    writer = Writer()
    async with running(writer.write) as queue:
        first = asyncio.create_task(queue.take(alerts("a")))
        await asyncio.sleep(0.01)
        rest = [asyncio.create_task(queue.take(alerts(*names))) for names in ("bc", "d")]
        await asyncio.sleep(0.01)
        assert queue.waiting == 4
        writer.ready.set()
        told = await asyncio.gather(first, *rest)
    assert writer.batches == [["a"], ["b", "c", "d"]]
    assert [[item.incident for item in items] for items in told] == [["a"], ["b", "c"], ["d"]]
    assert queue.waiting == 0


async def test_a_batch_of_a_storm_waits_as_long_as_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers that were answered together call again one after another; and nobody waits for ever."""
    monkeypatch.setattr(intake, "TOGETHER_SECONDS", 0)  # a turn of the event loop
    monkeypatch.setattr(intake, "TOGETHER_TIMES", 8)
    writer = Writer()
    writer.ready.set()
    async with running(writer.write) as queue:
        await asyncio.gather(queue.take(alerts("a")), queue.take(alerts("b")))
        calls = []
        for name in "cdefghijklmnop":  # one with each turn
            calls.append(asyncio.create_task(queue.take(alerts(name))))
            await asyncio.sleep(0)
        await asyncio.gather(*calls)
    storm, first, *later = writer.batches
    assert storm == ["a", "b"]
    assert 6 <= len(first) <= 10
    assert sum(map(len, later)) == 14 - len(first)


async def test_a_notification_larger_than_a_batch_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """All or none of it is durable when it is answered."""
    monkeypatch.setattr(intake, "BATCH_MESSAGES", 2)
    writer = Writer()
    writer.ready.set()
    async with running(writer.write) as queue:
        await asyncio.gather(queue.take(alerts("a")), queue.take(alerts("b", "c", "d")))
    assert writer.batches == [["a"], ["b", "c", "d"]]


@pytest.mark.parametrize("error", [Unavailable("incident store", "away"), RuntimeError("a defect")])
async def test_a_failure_is_told_to_those_whom_it_hits_and_to_nobody_after(error: Exception) -> None:
    """Their senders try again; the next alert is written."""
    writer = Writer()
    writer.ready.set()
    writer.error = error
    async with running(writer.write) as queue:
        with pytest.raises(Unavailable):
            await queue.take(alerts("a"))
        await queue.take(alerts("a"))
    assert writer.batches == [["a"]]


async def test_more_than_fits_is_refused_and_what_waits_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory is bounded; a single big notification is no overload by itself."""
    monkeypatch.setattr(intake, "MAX_WAITING", 3)
    writer = Writer()
    async with running(writer.write) as queue:
        big = asyncio.create_task(queue.take(alerts(*"abcde")))
        await asyncio.sleep(0.01)
        with pytest.raises(Overloaded):
            await queue.take(alerts("f"))
        writer.ready.set()
        await big
        await queue.take(alerts("f"))
    assert writer.batches == [list("abcde"), ["f"]]


async def test_a_caller_that_has_gone_does_not_disturb_the_others() -> None:
    """Its connection was lost; its alert is written all the same."""
    writer = Writer()
    async with running(writer.write) as queue:
        gone = asyncio.create_task(queue.take(alerts("a")))
        stays = asyncio.create_task(queue.take(alerts("b")))
        await asyncio.sleep(0.01)
        gone.cancel()
        writer.ready.set()
        await stays
    assert sorted(name for batch in writer.batches for name in batch) == ["a", "b"]


def test_bodies_are_bounded_together() -> None:
    """What is under way counts, and is given back however it ends."""
    budget = Budget(10)
    with budget.spent(6):
        with pytest.raises(Rejected) as refused, budget.spent(5):
            pass
        assert refused.value.status == 503
        with budget.spent(4):
            pass
    with budget.spent(10):
        pass
