"""The drill's world in a process of its own, so that its work does not delay the runbook's."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError

from blocks.files.private_files import open_private
from blocks.transport.errors import Unavailable
from deployments.drill.world.channels.slack_people import Answered
from deployments.drill.world.endpoints import Endpoints

STARTING_SECONDS = 60.0
STOPPING_SECONDS = 10.0
BEGIN_POLL_SECONDS = 0.1
LOG_LINES_SHOWN = 3


class WorldProcess:
    """A running world, as the drill reaches it."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    async def send_alert(self, receiver_url: str, *, other: int | None = None) -> dict[str, Any]:
        """Have the world's alert source send the scenario's alert; return the receiver's answer.

        `other` is the number of one of the scenario's alerts of other services, to be sent instead.

        Raises:
            Unavailable: the receiver did not take it.
        """
        async with httpx.AsyncClient(
            base_url=self.endpoints.control_url, timeout=60, trust_env=False
        ) as http:
            answer = (await http.post("/alert", json={"url": receiver_url, "other": other})).json()
        status, body = answer.get("status"), answer.get("body")
        if status != 202 or not isinstance(body, dict):
            said = answer.get("error") or body or "nothing"
            raise Unavailable(
                "alert receiver", f"it did not take the alert: HTTP {status}, {said}", "See its log"
            )
        return body

    async def click(self, url: str, *, user: str, action_id: str, containing: str) -> Answered | None:
        """Have a person click a button in Slack, and return the app's answer; `None` where there is none."""
        order = {"url": url, "user": user, "action_id": action_id, "containing": containing}
        return await self._in_slack(order)

    async def submit(self, url: str, *, user: str, fields: Mapping[str, str]) -> Answered | None:
        """Have a person send a dialog off, and return the app's answer; `None` where none is open."""
        return await self._in_slack({"url": url, "user": user, "fields": dict(fields)})

    async def _in_slack(self, order: dict[str, Any]) -> Answered | None:
        async with httpx.AsyncClient(
            base_url=self.endpoints.control_url, timeout=30, trust_env=False
        ) as http:
            answer = await http.post("/slack", json=order)
        return None if answer.status_code == httpx.codes.NOT_FOUND else Answered(**answer.json())

    async def trouble_began(self) -> datetime:
        """Wait until the trouble has begun, some seconds after the world listens; return when (aware UTC).

        Raises:
            Unavailable: it does not begin.
        """
        try:
            async with asyncio.timeout(STARTING_SECONDS):
                while True:
                    if began_at := (await self.state())["began_at"]:
                        return datetime.fromisoformat(began_at)
                    await asyncio.sleep(BEGIN_POLL_SECONDS)
        except (TimeoutError, httpx.TransportError) as error:
            detail = f"its trouble does not begin ({type(error).__name__})"
            raise Unavailable("drill world", detail, "See world.log in the drill's folder") from None

    async def requests(self, system: str) -> list[dict[str, Any]]:
        """The requests that a system of the world has received, in order of arrival."""
        async with httpx.AsyncClient(
            base_url=self.endpoints.control_url, timeout=30, trust_env=False
        ) as http:
            found: list[dict[str, Any]] = (await http.get("/requests", params={"system": system})).json()
        return found

    async def state(self) -> dict[str, Any]:
        """What is true in the world now."""
        async with httpx.AsyncClient(
            base_url=self.endpoints.control_url, timeout=10, trust_env=False
        ) as http:
            facts: dict[str, Any] = (await http.get("/state")).json()
        return facts


@asynccontextmanager
async def running_world(scenario: str, state: Path) -> AsyncIterator[WorldProcess]:
    """Start a world, and stop it in the end. Its log is `world.log` in the state folder.

    Its standard input is our pipe: it ends when we do, even if we are killed.

    Raises:
        Unavailable: the world does not start; the error has the last lines of its log.
    """
    log = state / "world.log"
    with open_private(log, "wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "deployments.drill.world", "--scenario", scenario, "--state", str(state / "world")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C in the terminal is ours: the world ends after the runbook
        )
    try:
        yield WorldProcess(await _endpoints(process, log))
    finally:
        await _stop(process)


async def _endpoints(process: asyncio.subprocess.Process, log: Path) -> Endpoints:
    if process.stdout is None:
        raise RuntimeError("the world was started without a pipe")
    try:
        async with asyncio.timeout(STARTING_SECONDS):
            line = await process.stdout.readline()
        return Endpoints.model_validate_json(line)
    except (TimeoutError, ValidationError):
        detail = f"it did not start: {_last_lines(log) or 'no word in its log'}"
        raise Unavailable("drill world", detail, f"See {log}") from None


def _last_lines(log: Path) -> str:
    return " / ".join(log.read_text(errors="replace").strip().splitlines()[-LOG_LINES_SHOWN:])


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOPPING_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
