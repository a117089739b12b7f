"""A running receiver, and the beginning of what is sent over a connection to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from tests.deployments.receiver_bench import TOKEN, Prefect, serving

MALFORMED = {
    "error": "not a valid HTTP request",
    "next_step": "Send one request at a time, as HTTP/1.1 requires",
}


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """An empty incident store."""
    return IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))


@pytest.fixture
async def client(store: IncidentStore) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running receiver."""
    async with serving(store, Prefect()) as connected:
        yield connected


async def shed(client: httpx.AsyncClient, reason: str) -> float:
    """How many connections were ended for that reason."""
    prefix = f'runbook_connections_shed_total{{reason="{reason}"}} '
    found = [line for line in (await client.get("/metrics")).text.splitlines() if line.startswith(prefix)]
    return float(found[0].removeprefix(prefix)) if found else 0.0


HEAD = b"POST /alerts/plain HTTP/1.1\r\nhost: r\r\nauthorization: Bearer " + TOKEN.encode() + b"\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
