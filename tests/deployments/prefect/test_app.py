"""The local Prefect server's answer to a busy database."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from prefect.settings import PREFECT_SERVER_API_AUTH_STRING, temporary_settings

from deployments.prefect.app import BUSY_MILLISECONDS, RetrySoon, create_app

HOW_LONG = """
import asyncio
from sqlalchemy import text
from deployments.prefect.app import create_app
from prefect.server.database import provide_database_interface

async def main():
    create_app()
    database = provide_database_interface()
    async with await database.session() as session:
        print((await session.execute(text("PRAGMA busy_timeout"))).scalar_one())

asyncio.run(main())
"""


@pytest.mark.parametrize(("status", "told"), [(503, "0.1"), (200, None), (500, None), (429, None)])
async def test_only_a_busy_server_asks_to_come_back_soon(status: int, told: str | None) -> None:
    """Prefect's clients wait as long as `retry-after` says, and two seconds and more without it."""
    app = FastAPI()

    @app.get("/")
    async def answer() -> PlainTextResponse:
        return PlainTextResponse("kept", status_code=status)

    transport = httpx.ASGITransport(app=RetrySoon(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answered = await client.get("/")
    assert (answered.status_code, answered.text) == (status, "kept")
    assert answered.headers.get("retry-after") == told


@pytest.mark.proof
def test_a_write_of_prefects_waits_for_another_for_seconds_only(tmp_path: Path) -> None:
    """Prefect's own minute would be a minute of an incident."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'prefect.db'}"
    asked = subprocess.run(
        [sys.executable, "-c", HOW_LONG],
        env={
            "PREFECT_API_DATABASE_CONNECTION_URL": url,
            "PREFECT_HOME": str(tmp_path),
            "PREFECT_SERVER_API_AUTH_STRING": "runbook:for-this-test",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(asked.stdout) == BUSY_MILLISECONDS


def test_without_a_password_there_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather none than one that answers everybody."""
    monkeypatch.setattr("deployments.prefect.app.keep_files_private", lambda: None)
    with (
        temporary_settings(restore_defaults={PREFECT_SERVER_API_AUTH_STRING}),
        pytest.raises(RuntimeError, match="has no password"),
    ):
        create_app()
