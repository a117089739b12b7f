"""A worker that is woken polls, and goes on hearing whatever a poll meets."""

import asyncio
from typing import Any

import pytest
from prefect.exceptions import ObjectNotFound

from deployments.worker.warm_worker import WarmWorker
from tests.fixtures.eventually import eventually


async def test_a_poll_that_fails_makes_no_worker_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was skipped may have been deleted in the meantime."""
    polls = 0

    async def poll(_worker: WarmWorker) -> list[Any]:
        nonlocal polls
        polls += 1
        if polls == 1:
            raise ObjectNotFound(RuntimeError("no such run"))
        return []

    monkeypatch.setattr(WarmWorker, "get_and_submit_flow_runs", poll)
    worker = WarmWorker(work_pool_name="runbook")
    hearing = asyncio.create_task(worker.poll_when_woken())
    for number in (1, 2):
        worker.wake()

        async def polled() -> int:
            return polls

        await eventually(polled, lambda seen, least=number: seen >= least)  # type: ignore[misc]
    hearing.cancel()
