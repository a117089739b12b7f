"""The processes that are measured: the real receiver, and the least that a server of this kind can do."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deployments.drill.run.settings import to_toml
from deployments.prefect.server import foreign_settings_removed, until_answers
from deployments.processes.process import EndedEarly, Process, free_port
from tests.bench.load import Address

TOKEN = "a-token-of-the-bench"


@dataclass
class Server:
    """A server that takes notifications, on a port and with files that stay the same when it is restarted."""

    name: str
    command: list[str | Path]
    address: Address
    folder: Path
    ready_path: str
    process: Process | None = None

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        environment = foreign_settings_removed(os.environ) | {
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",  # Prefect is down
            "PREFECT_CLIENT_MAX_RETRIES": "0",
            "DO_NOT_TRACK": "1",
        }
        log = self.folder / "server.log"
        self.process = await Process.start(self.name, self.command, log=log, environment=environment)
        await until_answers(f"http://127.0.0.1:{self.address.port}{self.ready_path}", self.process)

    async def kill(self) -> None:
        """End it with SIGKILL: it gets no chance to finish anything."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        with suppress(EndedEarly):
            await self.process.ended()

    async def stop(self) -> None:
        """Stop it in order."""
        if self.process is not None:
            await self.process.stop()

    def peak_memory_mib(self) -> float:
        """The most memory that it ever held."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [kib] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(kib) / 1024


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Server]:
    """Start a server, stop it at the end."""
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


def receiver(folder: Path, store_url: str) -> Server:
    """The receiver, with settings of its own in a folder."""
    token, url = folder / "token", folder / "store-url"
    for file, secret in ((token, TOKEN), (url, store_url)):
        file.touch(mode=0o600)
        file.write_text(secret)
    port = free_port()
    config = folder / "runbook.toml"
    config.write_text(
        to_toml(
            {
                "receiver": {"port": port, "token": {"file": str(token)}},
                "store": {"url": {"file": str(url)}},
                "evidence": {"folder": str(folder / "evidence")},
            }
        )
    )
    command: list[str | Path] = [sys.executable, "-m", "deployments.receiver", "--config", config]
    return Server("The receiver", command, Address(port, TOKEN), folder, "/readyz")


def floor(folder: Path) -> Server:
    """A server that answers 202 and does nothing: what this machine allows at most."""
    port = free_port()
    command: list[str | Path] = [
        *(sys.executable, "-m", "uvicorn", "tests.bench.floor:app", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--log-level", "warning"),
    ]
    return Server("The floor", command, Address(port, TOKEN), folder, "/healthz")
