"""The local Prefect server's answer to a busy database."""

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from deployments.prefect_app import RetrySoon


@pytest.mark.parametrize(("status", "told"), [(503, "0.3"), (200, None), (500, None), (429, None)])
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
