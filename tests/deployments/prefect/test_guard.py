"""Who reaches our own Prefect server: nobody without the password, and no page of another origin."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIWebSocketRoute
from prefect.server.api.server import API_ROUTERS
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deployments.prefect import guard as prefect_guard
from deployments.prefect.guard import CLOSED, OPEN, Guard
from deployments.prefect.server import PrefectServer

UI = "http://127.0.0.1:4200"
PUBLIC = "https://prefect.example.com"
ORIGINS = (UI, "http://localhost:4200", PUBLIC)
PASSWORD = "runbook:a-password"
REBOUND = "rebound.example"
FOREIGN = "http://foreign.example"
NOBODY = "00000000-0000-4000-8000-000000000000"


async def everything(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers 200 to whatever comes through."""
    await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"through"})


def client(app: ASGIApp = everything) -> httpx.AsyncClient:
    """A client of a guarded application."""
    guarded = Guard(app, origins=ORIGINS, password=PASSWORD)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=guarded), base_url=UI)


KNOWS = tuple(PASSWORD.split(":"))


@pytest.mark.parametrize(
    ("method", "path", "headers", "auth", "status"),
    [
        ("GET", "/", {}, None, 200),
        ("GET", "/runs", {}, None, 200),
        ("GET", "/ui-settings", {}, None, 200),
        ("GET", "/api/health", {}, None, 200),
        ("GET", "/api/ready", {}, None, 200),
        ("POST", "/api/health", {}, None, 401),
        ("GET", "/api/health/", {}, None, 401),
        ("GET", "/api", {}, None, 401),
        ("GET", "/api/admin/settings", {}, None, 401),
        ("POST", "/api/block_documents/filter", {}, None, 401),
        ("POST", "/api/flows/filter", {}, ("runbook", "another"), 401),
        ("POST", "/api/flows/filter", {"authorization": "Bearer runbook:a-password"}, None, 401),
        ("POST", "/api/flows/filter", {}, KNOWS, 200),
        ("POST", "/api/flows/filter", {"origin": UI}, KNOWS, 200),
        ("POST", "/api/flows/filter", {"origin": "http://localhost:4200"}, KNOWS, 200),
        ("POST", "/api/flows/filter", {"host": "prefect.example.com", "origin": PUBLIC}, KNOWS, 200),
        ("POST", "/api/flows/filter", {"host": "prefect.example.com", "origin": PUBLIC}, None, 401),
        ("POST", "/api/flows/filter", {"origin": "http://prefect.example.com"}, KNOWS, 403),
        ("POST", "/api/flows/filter", {"origin": FOREIGN}, KNOWS, 403),
        ("POST", "/api/flows/filter", {"origin": "null"}, KNOWS, 403),
        ("POST", "/api/flows/filter", {"origin": "http://127.0.0.1:4201"}, KNOWS, 403),
        ("OPTIONS", "/api/flows/filter", {"origin": UI}, None, 200),
        ("OPTIONS", "/api/flows/filter", {"origin": FOREIGN}, None, 403),
        ("GET", "/", {"host": REBOUND}, None, 400),
        ("GET", "/api/health", {"host": f"{REBOUND}:4200"}, None, 400),
        ("POST", "/api/flows/filter", {"host": REBOUND}, KNOWS, 400),
        ("GET", "/api/health", {"host": "localhost:9999"}, None, 200),  # through a tunnel
        *[("GET", path, {}, None, 404) for path in sorted(CLOSED)],
    ],
)
async def test_who_gets_through(
    method: str, path: str, headers: dict[str, str], auth: tuple[str, str] | None, status: int
) -> None:
    """The UI's files for everybody, the API for who knows the password, nothing for pages of elsewhere."""
    async with client() as asking:
        answer = await asking.request(method, path, headers=headers, auth=auth)
    assert answer.status_code == status
    assert (answer.text == "through") is (status == 200)
    assert PASSWORD not in f"{answer.headers}{answer.text}"


async def test_no_page_shows_the_ui_in_a_frame() -> None:
    """A page could have its reader click on what they do not see. The UI speaks to its server alone."""
    async with client() as asking:
        headers = (await asking.get("/")).headers
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert f"connect-src 'self' {' '.join(ORIGINS)} ws://" in str(headers)


async def converse(headers: dict[str, str], messages: list[Message]) -> list[Message]:
    """What a guarded application answers to a websocket that sends these messages and then keeps still."""
    answered: list[Message] = []
    left = [{"type": "websocket.connect"}, *messages]

    async def receive() -> Message:
        if left:
            return left.pop(0)
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def send(message: Message) -> None:
        answered.append(message)

    scope: dict[str, Any] = {"type": "websocket", "path": "/api/events/out", "extensions": {}}
    scope["headers"] = [(name.encode(), value.encode()) for name, value in headers.items()]
    await Guard(everything, origins=ORIGINS, password=PASSWORD)(scope, receive, send)
    return answered


@pytest.mark.parametrize("headers", [{}, {"origin": UI}], ids=["a client", "the UI"])
async def test_a_websocket_that_speaks_gets_through(headers: dict[str, str]) -> None:
    """Prefect asks for the password in its first message."""
    said = {"type": "websocket.receive", "text": "{}"}
    answered = await converse({"host": "127.0.0.1:4200"} | headers, [said])
    assert [message["type"] for message in answered] == ["websocket.accept", "websocket.close"]


async def test_a_page_of_elsewhere_opens_no_websocket() -> None:
    """A browser lets any page open them, and a hundred are all that Prefect serves."""
    answered = await converse({"host": "127.0.0.1:4200", "origin": FOREIGN}, [])
    assert [message["type"] for message in answered] == ["websocket.close"]


async def test_a_websocket_by_another_host_s_name_is_refused() -> None:
    """DNS rebinding works for websockets as well."""
    answered = await converse({"host": f"{REBOUND}:4200", "origin": UI}, [])
    assert "websocket.accept" not in [message["type"] for message in answered]


async def test_a_websocket_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not know the password cannot hold a place for ever."""
    monkeypatch.setattr(prefect_guard, "FIRST_WORD_SECONDS", 0.05)
    async with asyncio.timeout(10):
        answered = await converse({"host": "127.0.0.1:4200"}, [])
    assert answered[-1]["type"] == "websocket.close"


@pytest.mark.real
async def test_without_the_password_prefect_s_api_says_only_that_it_is_there(
    prefect_server: PrefectServer,
) -> None:
    """Every path of the API, as Prefect itself describes it, and some that it does not describe."""
    user, _, password = prefect_server.access.password.partition(":")
    async with httpx.AsyncClient(base_url=prefect_server.ui_url, trust_env=False, timeout=60) as asking:
        described = (await asking.get("/api/openapi.json", auth=(user, password))).json()["paths"]
        asked = {
            (method.upper(), "/api" + re.sub(r"\{[^}]*\}", NOBODY, path))
            for path, methods in described.items()
            for method in methods
        }
        asked |= {
            ("GET", f"/api/{name}") for name in ("docs", "redoc", "openapi.json", "metrics", "static/x")
        }
        assert len(asked) > 150
        open_to_all = {
            path
            for method, path in asked
            if (await asking.request(method, path, json={})).status_code != httpx.codes.UNAUTHORIZED
        }
        outside = {path: (await asking.get(path)).status_code for path in ("/", "/ui-settings", *CLOSED)}
        wrong = await asking.get("/api/admin/version", auth=(user, "another"))
        right = await asking.get("/api/admin/version", auth=(user, password))
    assert open_to_all == OPEN
    assert outside == {"/": 200, "/ui-settings": 200, **dict.fromkeys(CLOSED, 404)}
    assert (wrong.status_code, right.status_code) == (401, 200)


def sockets() -> Iterator[str]:
    """The path of each websocket of Prefect's API."""
    for router in API_ROUTERS:
        for route in router.routes:
            if isinstance(route, APIWebSocketRoute):
                yield "/api" + re.sub(r"\{[^}]*\}", "runbook", route.path)


@pytest.mark.real
@pytest.mark.parametrize("path", list(sockets()))
async def test_prefect_s_websockets_ask_for_the_password(prefect_server: PrefectServer, path: str) -> None:
    """With the password they are there; without, and for a page of elsewhere, they are not."""
    url = prefect_server.ui_url.replace("http", "ws", 1) + path

    async def answer(token: str, **options: Any) -> str:
        try:
            async with connect(url, proxy=None, **options) as socket:
                await socket.send(json.dumps({"type": "auth", "token": token}))
                return str(json.loads(await socket.recv())["type"])
        except InvalidStatus as refused:
            return str(refused.response.status_code)
        except ConnectionClosed as closed:
            return f"closed {closed.rcvd.code if closed.rcvd else ''}"

    password, speaks = prefect_server.access.password, {"subprotocols": ["prefect"]}
    assert await answer(password, **speaks) == "auth_success"
    assert await answer("another", **speaks) == "closed 1008"
    assert await answer("") == "403"  # as clients of old did it, which sent no password
    assert await answer(password, origin=FOREIGN, **speaks) == "403"
    assert await answer(password, origin=prefect_server.ui_url, **speaks) == "auth_success"


def test_there_are_websockets_to_ask() -> None:
    """So that the table above is not empty."""
    assert {"/api/events/out", "/api/logs/out", "/api/events/in"} <= set(sockets())
