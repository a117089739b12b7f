"""The receiver may be killed at any instant: what it has accepted is in the store."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.bench.crashes import survive
from tests.bench.stores import NewStore, sqlite

pytestmark = pytest.mark.real


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request: pytest.FixtureRequest) -> NewStore:
    """Makes the store that the receiver writes to."""
    if request.param == "sqlite":
        return sqlite
    url: str = request.getfixturevalue("postgres_url")

    @asynccontextmanager
    async def given(_folder: Path) -> AsyncIterator[str]:
        yield url

    def make(folder: Path) -> AbstractAsyncContextManager[str]:
        return given(folder)

    return make


async def test_a_receiver_that_is_killed_loses_nothing_that_it_accepted(new_store: NewStore) -> None:
    """Killed twice under load and restarted: each accepted alert is kept, each service has one incident."""
    survived = await survive("", new_store, notifications=300, crashes=2, connections=8, seed=11)
    assert (survived.accepted, survived.lost) == (300, 0)
    assert survived.incidents_per_service == {1: 50}
