"""An action, planned, and the bench that it is taken on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import PlannedAction
from runbook.actions.spec import ActionName
from tests.tasks.changes import DEPLOYMENT
from tests.tasks.mitigation_bench import Bench, mitigation_bench, save_replacement_key


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """A cluster with the integration in it."""
    async with mitigation_bench(tmp_path, httpserver) as running:
        yield running


@pytest.fixture
async def bench_with_key(
    tmp_path: Path,
    httpserver: HTTPServer,
    engineless: object,  # noqa: ARG001  Prefect keeps the key
) -> AsyncIterator[Bench]:
    """The same, with a replacement for the API key."""
    block = await save_replacement_key()
    async with mitigation_bench(tmp_path, httpserver, replacement_key_block=block) as running:
        yield running


def action(name: ActionName, **parameters: str) -> PlannedAction:
    """The action, planned."""
    return PlannedAction(
        id=f"1-{name.slug}",
        name=name,
        target=f"default/deployment/{DEPLOYMENT}",
        because="a test",
        parameters=parameters,
    )
