"""Prometheus: the real binary where it is found, else an imitation, behind a door that records and fails.

Either scrapes the integration twice a second and evaluates one alert rule. The real one is a child that
the kernel kills with its parent, so it never outlives the world.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.drill.world.prometheus.imitation import (
    ALERT_ABOVE,
    ALERT_NAME,
    ALERT_QUERY,
    SCRAPE_SECONDS,
    ImitatedPrometheus,
)
from deployments.processes.process import Process, free_port

_READY_WITHIN_SECONDS = 20.0
_SCRAPED_WITHIN_SECONDS = 20.0
_HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "content-encoding", "date"})


@dataclass(frozen=True, slots=True)
class RunningPrometheus:
    """A Prometheus as an application."""

    app: ASGIApp

    async def until_scraped(self) -> None:
        """Return when the target's first samples can be queried; the real one takes 5 s to its first scrape.

        Raises ``TimeoutError`` after 20 s.
        """
        transport = httpx.ASGITransport(self.app)
        async with (
            asyncio.timeout(_SCRAPED_WITHIN_SECONDS),
            httpx.AsyncClient(transport=transport, base_url="http://prometheus") as client,
        ):
            while True:
                answer = await client.get("/api/v1/query", params={"query": "up"})
                if answer.status_code == 200 and answer.json()["data"]["result"]:
                    return
                await asyncio.sleep(0.1)


@asynccontextmanager
async def prometheus(target: str, state: Path, *, real: bool = True) -> AsyncIterator["RunningPrometheus"]:
    """Run a Prometheus that scrapes ``target`` (base URL).

    The binary is used if ``real`` and found on the path; ``state`` holds its configuration and data.
    Raises ``EndedEarly`` if the binary ends at once and ``TimeoutError`` if it is not ready within 20 s.
    """
    binary = shutil.which("prometheus") if real else None
    if binary is None:
        imitation = ImitatedPrometheus(f"{target}/metrics")
        scraping = asyncio.create_task(imitation.run())
        try:
            yield RunningPrometheus(imitation.app)
        finally:
            scraping.cancel()
            await asyncio.gather(scraping, return_exceptions=True)
        return
    async with _child(binary, target, state) as url, _Relay(url) as relay:
        yield RunningPrometheus(relay)


@asynccontextmanager
async def _child(binary: str, target: str, state: Path) -> AsyncIterator[str]:
    home = state / "prometheus"
    home.mkdir(parents=True, exist_ok=True)
    (home / "prometheus.yml").write_text(_configuration(target))
    (home / "rules.yml").write_text(_rules())
    port = free_port()  # Prometheus cannot report one that it chose itself
    command = [
        binary,
        f"--config.file={home / 'prometheus.yml'}",
        f"--storage.tsdb.path={home / 'data'}",
        "--storage.tsdb.retention.time=1d",
        "--scrape.discovery-reload-interval=100ms",
        "--log.level=warn",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    process = await Process.start("prometheus", command, log=home / "prometheus.log", environment=os.environ)
    try:
        url = f"http://127.0.0.1:{port}"
        await _ready(url, process)
        yield url
    finally:
        await process.stop()


async def _ready(url: str, process: Process) -> None:
    async with (
        asyncio.timeout(_READY_WITHIN_SECONDS),
        httpx.AsyncClient(timeout=2, trust_env=False) as client,
    ):
        while True:
            process.check()
            with contextlib.suppress(httpx.TransportError):  # not listening yet
                if (await client.get(f"{url}/-/ready")).status_code == 200:
                    return
            await asyncio.sleep(0.1)


def _configuration(target: str) -> str:
    return dedent(f"""\
        global:
          scrape_interval: {int(SCRAPE_SECONDS * 1000)}ms
          scrape_timeout: {int(SCRAPE_SECONDS * 1000)}ms
          evaluation_interval: {int(SCRAPE_SECONDS * 1000)}ms
        rule_files: [rules.yml]
        scrape_configs:
          - job_name: posthog-integration
            static_configs:
              - targets: ["{target.removeprefix("http://")}"]
        """)


def _rules() -> str:
    return dedent(f"""\
        groups:
          - name: posthog-integration
            rules:
              - alert: {ALERT_NAME}
                expr: {ALERT_QUERY} > {ALERT_ABOVE}
                labels: {{service: posthog-integration}}
        """)


class _Relay:
    """Passes requests on to the real Prometheus, byte for byte."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)

    async def __aenter__(self) -> "_Relay":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await self._client.request(
                request.method,
                f"{scope['path']}?{scope['query_string'].decode()}",
                content=await request.body(),
                headers={"content-type": request.headers.get("content-type", "")},
            )
        except httpx.TransportError as error:
            await PlainTextResponse(f"prometheus: {type(error).__name__}", 502)(scope, receive, send)
            return
        headers = {k: v for k, v in answer.headers.items() if k not in _HOP_BY_HOP}
        await Response(answer.content, answer.status_code, headers)(scope, receive, send)
