"""What is due after somebody has acted is started within moments, and not at the next look at the runs."""

import asyncio

import pytest

from blocks.transport.errors import Unavailable
from deployments.receiver import watching
from deployments.receiver.watching import start_due_after_acts
from tests.deployments.receiver_bench import Prefect, eventually


async def test_what_people_do_together_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for several acts, again for a later one, and also after a look that failed."""
    monkeypatch.setattr(watching, "TOGETHER_SECONDS", 0.05)
    prefect, acted = Prefect(), asyncio.Event()
    failing = [Unavailable("Prefect", "no answer", "Start it")]

    async def start_due() -> list[str]:
        prefect.asked_for_due += 1
        if failing:
            raise failing.pop()
        return ["remind is due"]

    monkeypatch.setattr(prefect, "start_due", start_due)
    watch = asyncio.create_task(start_due_after_acts(prefect, acted))
    try:
        await asyncio.sleep(0.1)
        assert prefect.asked_for_due == 0
        for number in (1, 2):
            for _ in range(5):
                acted.set()
            await eventually(lambda number=number: prefect.asked_for_due == number)
        await asyncio.sleep(0.2)
        assert prefect.asked_for_due == 2
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
