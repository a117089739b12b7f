"""A Prefect server of our own: one process, SQLite, on a loopback port, telling nobody outside about itself.

It answers those who know its password (`prefect_access`) and no page of another origin (`prefect_guard`). For
`runbook up`, the drill and the tests. A team's production has PostgreSQL and starts Prefect its own way.
"""

import asyncio
import os
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from blocks.files.private_files import close_sqlite, private_folder, write_private
from blocks.transport.errors import Refused, Unavailable
from deployments.prefect.access import PASSWORD_FILE, Access, claim, earlier_port, password_of
from deployments.prefect.patience import CLIENT_RETRIES
from deployments.prefect.wake import FOLDER
from deployments.processes.process import Process, free_port, require_free
from deployments.processes.umask import keep_files_private

START_SECONDS = 60.0

_NAME = "Prefect's server"
_OTHER_PORT = "Stop what listens there, or set another [prefect] port"
_NO_PATH = "Give it a host name or a port of its own in [prefect] public_url"
_POLL_SECONDS = 0.05

_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",  # the template has them
    "PREFECT_SERVER_MEMO_STORE_ENABLED": "false",
    # One team on one machine: no automations, no clean-up of old data, no telemetry.
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "false",
}

_MIGRATE = """
import asyncio
from prefect.server.database import provide_database_interface
from prefect.server.models.block_registration import run_block_auto_registration

async def migrate():
    database = provide_database_interface()
    await database.create_db()
    async with await database.session() as session:
        await run_block_auto_registration(session=session)
    engine = await database.engine()
    await engine.dispose()

asyncio.run(migrate())
"""


class PrefectServer:
    """A running server. Make one with `start`."""

    def __init__(self, process: Process, access: Access) -> None:
        self.process = process
        self.access = access
        self.ui_url = access.ui_url
        self.api_url = access.api_url

    @classmethod
    async def start(cls, state: Path, *, port: int | None = None, public_url: str = "") -> "PrefectServer":
        """Start a server that keeps its state in a folder; `ready` waits for it.

        Without a port it listens where the last one with this state did, if that is free, else on any port.
        People reach its UI at the `public_url` as well; then that is its `ui_url`.

        Raises:
            Refused: the port is in use, another server works with that folder, others can write in it, or the
                public address has a path.
        """
        if urlsplit(public_url).path:
            raise Refused(_NAME, f"its UI cannot be below a path ({public_url})", _NO_PATH)
        chosen = port or _same_port(state) or free_port()
        here = f"http://127.0.0.1:{chosen}"
        api_url, ui_url = f"{here}/api", public_url or here
        with await claim(state, api_url=api_url, ui_url=ui_url) as claimed:
            if port is not None:  # asked under the claim: one that was killed lets go of both a moment later
                require_free("127.0.0.1", port, what=_NAME, advice=_OTHER_PORT)
            access = Access(api_url, ui_url, password_of(state), (state / PASSWORD_FILE).absolute())
            environment = _environment(state, await _database(state)) | {
                "PREFECT_UI_STATIC_DIRECTORY": str(_cache() / f"prefect-{version('prefect')}-ui"),
                "PREFECT_API_URL": api_url,
                "PREFECT_SERVER_API_AUTH_STRING": access.password,
                FOLDER: str(_wake_folder(state)),
                "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": ",".join(
                    dict.fromkeys((here, f"http://localhost:{chosen}", ui_url))
                ),
            }
            process = await Process.start(
                _NAME,
                [
                    *(sys.executable, "-m", "uvicorn", "--factory", "deployments.prefect.app:create_app"),
                    *("--host", "127.0.0.1", "--port", str(chosen), "--log-level", "warning"),
                    *("--timeout-keep-alive", "30", "--timeout-graceful-shutdown", "1"),
                ],
                log=state / "logs" / "prefect-server.log",
                environment=environment,
                inherits=[claimed.fileno()],
            )
        return cls(process, access)

    def client_environment(self, state: Path) -> dict[str, str]:
        """The environment of a process that works with this server, and with no other."""
        return foreign_settings_removed(os.environ) | {
            "PREFECT_HOME": str(state / "prefect"),
            "PREFECT_API_URL": self.api_url,
            "PREFECT_API_AUTH_STRING": self.access.password,
            "PREFECT_UI_URL": self.ui_url,
            FOLDER: str(_wake_folder(state)),
            "PREFECT_CLIENT_MAX_RETRIES": str(CLIENT_RETRIES),
            "DO_NOT_TRACK": "1",
        }

    async def ready(self) -> None:
        """Wait until it answers.

        Raises:
            EndedEarly: it ended.
            Unavailable: it did not answer in time.
        """
        await until_answers(f"{self.api_url}/health", self.process)


def _wake_folder(state: Path) -> Path:
    folder = state.absolute() / "wake"
    private_folder(folder)
    return folder


def _same_port(state: Path) -> int | None:
    port = earlier_port(state)
    if port:
        with suppress(Refused):
            require_free("127.0.0.1", port, what=_NAME, advice=_OTHER_PORT)
            return port
    return None


async def until_answers(url: str, process: Process) -> None:
    """Wait until a process of ours answers 200 at a URL.

    Raises:
        EndedEarly: it ended.
        Unavailable: it did not answer in time.
    """
    try:
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(trust_env=False) as client:
            while not await _answers(client, url):
                process.check()
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        detail = f"no answer within {START_SECONDS:.0f} s: {' | '.join(process.last_lines())}"
        raise Unavailable(process.name, detail, f"Its log is {process.log}") from None


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.TransportError:
        return False


def foreign_settings_removed(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without the Prefect settings of whoever started us: they are about another server."""
    return {name: value for name, value in environment.items() if not name.startswith("PREFECT_")}


def _environment(state: Path, database: Path) -> dict[str, str]:
    return foreign_settings_removed(os.environ) | {
        **_SETTINGS,
        "PREFECT_HOME": str(state / "prefect"),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{database}",
    }


async def _database(state: Path) -> Path:
    """The state folder's database; a new one is a copy of the migrated template."""
    database = state / "prefect.db"
    if not database.exists():
        template = await database_template()
        await asyncio.to_thread(lambda: write_private(database, template.read_bytes()))
    close_sqlite(database)
    return database


async def database_template() -> Path:
    """A migrated database, empty: Prefect's migrations alone take ten seconds, so they are made once.

    It is kept for each version of Prefect in the user's cache folder. `make setup` makes it beforehand.

    Raises:
        Refused: others can write in that folder.
    """
    template = _cache() / f"prefect-{version('prefect')}.db"
    if not template.exists():
        with tempfile.TemporaryDirectory(dir=template.parent) as scratch:
            made = await _migrate(Path(scratch))
            made.replace(template)  # at once, so that two first starts do no harm to each other
    close_sqlite(template)
    return template


def _cache() -> Path:
    """The user's folder for what is made once: the empty database, and the UI's files.

    Prefect would write those where it is installed: a folder of root's, or of whoever came first.

    Raises:
        Refused: others can write in it.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "posthog-incident-runbook"
    private_folder(cache)
    return cache


async def _migrate(folder: Path) -> Path:
    database = folder / "prefect.db"
    process = await Process.start(
        "Prefect's migration",
        [sys.executable, "-c", _MIGRATE],
        log=folder / "migration.log",
        environment=_environment(folder, database),
    )
    await process.succeeded()
    with sqlite3.connect(database) as connection:  # the journal goes into the one file that is copied
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return database


if __name__ == "__main__":
    keep_files_private()
    asyncio.run(database_template())
