"""Fresh stores for the bench, as durable as a production's."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from tests.conftest import find_binary
from tests.fixtures.postgres import PostgresCluster, running_cluster

NewStore: TypeAlias = Callable[[Path], AbstractAsyncContextManager[str]]
"""Makes an empty store, in a folder if it needs one; yields its URL."""


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[str]:
    """A file that does not exist yet."""
    yield f"sqlite+aiosqlite:///{folder}/incidents.db"


@asynccontextmanager
async def postgresql() -> AsyncIterator[NewStore]:
    """A cluster; yields what makes a database in it.

    Raises:
        FileNotFoundError: PostgreSQL is not installed.
    """
    initdb = find_binary("initdb")
    if initdb is None:
        raise FileNotFoundError("There is no PostgreSQL here; Debian's package postgresql has it")
    async with running_cluster(Path(initdb).parent, durable=True) as cluster:
        yield lambda _folder: _database(cluster)


@asynccontextmanager
async def _database(cluster: PostgresCluster) -> AsyncIterator[str]:
    name = await cluster.new_database()
    yield cluster.url(name)
    await cluster.drop_database(name)
