"""Prefect's UI behind a public address: it speaks to the API where its page was opened."""

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from deployments.prefect.ui_address import SameAddress

HERE = "http://127.0.0.1:4200"
PUBLIC = "https://prefect.example.com"
TOLD = {"api_url": f"{HERE}/api", "auth": "BASIC", "filler": "x" * 600}


def ui(status: int = 200) -> SameAddress:
    """An application that tells its UI one address, as Prefect does, compressed."""
    app = FastAPI()
    app.add_middleware(GZipMiddleware)

    @app.get("/ui-settings", status_code=status)
    async def settings() -> dict[str, str]:
        return TOLD

    @app.get("/other")
    async def other() -> dict[str, str]:
        return TOLD

    return SameAddress(app, origins=[HERE, "http://localhost:4200", PUBLIC])


async def told(headers: dict[str, str], path: str = "/ui-settings", status: int = 200) -> dict[str, str]:
    """What a page is told."""
    transport = httpx.ASGITransport(app=ui(status))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        found: dict[str, str] = (await client.get(path, headers=headers)).json()
    return found


@pytest.mark.parametrize(
    ("headers", "api_url"),
    [
        ({}, f"{HERE}/api"),
        ({"host": "localhost:4200"}, "http://localhost:4200/api"),
        ({"host": "prefect.example.com"}, f"{PUBLIC}/api"),
        ({"host": "Prefect.Example.com"}, f"{PUBLIC}/api"),
        ({"host": "127.0.0.1:4200", "x-forwarded-host": "prefect.example.com"}, f"{PUBLIC}/api"),
        ({"x-forwarded-host": "foreign.example"}, f"{HERE}/api"),
        ({"host": "127.0.0.1:9999"}, f"{HERE}/api"),
    ],
)
async def test_the_ui_is_told_the_address_at_which_it_was_opened(
    headers: dict[str, str], api_url: str
) -> None:
    """Of ours only; a host that is not ours changes nothing. The other settings are as they were."""
    assert await told(headers) == TOLD | {"api_url": api_url}


async def test_nothing_else_is_touched() -> None:
    """Another path, and a failure, go through as they are."""
    public = {"host": "prefect.example.com"}
    assert await told(public, path="/other") == TOLD
    assert await told(public, status=503) == TOLD
