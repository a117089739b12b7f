"""What others could do at the Prefect server that a command speaks to; `runbook doctor` tells.

Whoever writes into Prefect runs code on the worker, and whoever reads it reads the secrets in its blocks.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from deployments.cli.errors import CommandError
from deployments.cli.prefect_settings import chosen_prefect
from runbook.transport.addresses import is_loopback

FOREIGN_ORIGIN = "https://foreign.example"
_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Exposure:
    """One way in, and how to close it. A `grave` one lets anybody in who reaches the server."""

    problem: str
    next_step: str
    grave: bool = False

    def __str__(self) -> str:
        return f"{self.problem}. {self.next_step}."


async def exposures(config: Path | None, work_pool: str) -> list[Exposure]:
    """All that is open at the server that is meant; empty where none is named."""
    try:
        with chosen_prefect(config) as url:
            return [*_in_clear(url), *await _asked(url, work_pool)]
    except CommandError:
        return []


async def _asked(url: str, work_pool: str) -> list[Exposure]:
    """How it answers somebody without a password, a page of elsewhere, and us."""
    from prefect.settings import get_current_settings

    from blocks.transport.prefect_api import connection

    base = url.rstrip("/")
    options = await connection(get_current_settings().api)
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=True, **options) as client:
            settings = await client.get(f"{base}/admin/settings")
            health = await client.get(f"{base}/health", headers={"origin": FOREIGN_ORIGIN})
    except httpx.HTTPError as error:
        problem = f"Prefect at {url} could not be checked ({type(error).__name__})"
        return [Exposure(problem, "Start it, or correct PREFECT_API_URL")]
    return [*_without_password(url, settings), *_to_foreign_pages(url, health), *await _in_pool(work_pool)]


def _without_password(url: str, answer: httpx.Response) -> list[Exposure]:
    if not answer.is_success:
        return []
    problem = (
        f"Prefect at {url} answers without a password: anyone who reaches it can approve changes and run code"
    )
    advice = "Set PREFECT_SERVER_API_AUTH_STRING where it runs, and PREFECT_API_AUTH_STRING here"
    return [Exposure(problem, advice, grave=True)]


def _to_foreign_pages(url: str, answer: httpx.Response) -> list[Exposure]:
    if answer.headers.get("access-control-allow-origin") not in ("*", FOREIGN_ORIGIN):
        return []
    advice = "Set PREFECT_SERVER_CORS_ALLOWED_ORIGINS where it runs to the address of its UI"
    return [Exposure(f"Prefect at {url} accepts requests from web pages of every origin", advice)]


def _in_clear(url: str) -> list[Exposure]:
    parts = urlsplit(url)
    if parts.scheme != "http" or is_loopback(parts.hostname or ""):
        return []
    problem = f"Passwords and secrets are sent to Prefect at {url} unencrypted"
    return [Exposure(problem, "Put TLS in front of it, and use https in PREFECT_API_URL")]


async def _in_pool(name: str) -> list[Exposure]:
    """Whether runs choose how they are started. Without access to Prefect, or a pool, that cannot be seen."""
    from prefect.exceptions import ObjectNotFound

    from blocks.transport.errors import OutsideError
    from blocks.transport.prefect_api import prefect_client
    from deployments.prefect.work_pool import fixed_template

    try:
        async with prefect_client() as client:
            pool = await client.read_work_pool(name)
    except (OutsideError, ObjectNotFound):
        return []
    if pool.base_job_template == fixed_template():
        return []
    problem = f"A run in work pool {name!r} may choose its command and environment by job variables"
    if pool.type == "process":
        return [Exposure(problem, "Run `runbook configure FILE`, which corrects the pool")]
    advice = "Take the variables out of its base job template, or use a pool of type process"
    return [Exposure(problem, advice)]
