"""`runbook doctor` about Prefect servers that others have started: what is open, and how to close it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    temporary_settings,
)
from prefect.workers.process import ProcessWorker
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from deployments.cli.doctor.prefect_exposure import Exposure, exposures
from deployments.prefect.server import PrefectServer
from deployments.prefect.work_pool import fixed_template

OPEN_TEMPLATE = ProcessWorker.get_default_base_job_template()


class Team:
    """A Prefect server of a team, which its administrator has closed more or less."""

    def __init__(self, server: HTTPServer) -> None:
        self.password = "team:password"
        self.origins: str | None = None
        self.template: dict[str, Any] = fixed_template()
        self.pool_type = "process"
        server.expect_request("/api/health").respond_with_handler(self._health)
        server.expect_request("/api/admin/settings").respond_with_handler(lambda it: self._guarded(it, {}))
        server.expect_request("/api/admin/version").respond_with_handler(
            lambda it: self._guarded(it, "3.8.8")
        )
        server.expect_request("/api/work_pools/runbook").respond_with_handler(
            lambda it: self._guarded(it, self._pool())
        )
        self.url = server.url_for("/api")

    def _health(self, request: Request) -> Response:
        answer = Response("true", content_type="application/json")
        if self.origins is not None:
            named = request.headers["origin"] if self.origins == "echo" else self.origins
            answer.headers["access-control-allow-origin"] = named
        return answer

    def _guarded(self, request: Request, body: object) -> Response:
        user = request.authorization
        if self.password and (user is None or f"{user.username}:{user.password}" != self.password):
            return Response("{}", status=401)
        return Response(json.dumps(body), content_type="application/json")

    def _pool(self) -> dict[str, Any]:
        return {
            "id": "00000000-0000-4000-8000-000000000001",
            "name": "runbook",
            "type": self.pool_type,
            "base_job_template": self.template,
            "default_queue_id": "00000000-0000-4000-8000-000000000002",
        }


@pytest.fixture
def team(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Team]:
    """A team's server, which PREFECT_API_URL names and whose password is set."""
    one = Team(httpserver)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", one.url)
    ours = {
        PREFECT_API_URL: one.url,
        PREFECT_API_AUTH_STRING: one.password,
        PREFECT_CLIENT_MAX_RETRIES: 0,
    }
    with temporary_settings(ours):
        yield one


async def found() -> list[Exposure]:
    """What `runbook doctor` finds."""
    return await exposures(None, "runbook")


async def test_a_closed_server_is_not_mentioned(team: Team) -> None:
    """A password, no foreign pages, a pool without choices."""
    team.origins = "https://prefect.example"
    assert await found() == []


async def test_a_server_without_a_password_is_grave(team: Team) -> None:
    """Anybody who reaches it approves changes."""
    team.password = ""
    [one] = await found()
    assert one.grave
    assert str(one) == (
        f"Prefect at {team.url} answers without a password: anyone who reaches it can approve "
        "changes and run code. "
        "Set PREFECT_SERVER_API_AUTH_STRING where it runs, and PREFECT_API_AUTH_STRING here."
    )


@pytest.mark.parametrize("origins", ["*", "echo"])
async def test_a_server_that_answers_foreign_pages_is_told(team: Team, origins: str) -> None:
    """Whether it says so for all, or to each that asks."""
    team.origins = origins
    [one] = await found()
    assert not one.grave
    assert one.problem == f"Prefect at {team.url} accepts requests from web pages of every origin"
    assert "PREFECT_SERVER_CORS_ALLOWED_ORIGINS" in one.next_step


@pytest.mark.parametrize(
    ("pool_type", "next_step"),
    [
        ("process", "Run `runbook configure FILE`, which corrects the pool"),
        ("kubernetes", "Take the variables"),
    ],
)
async def test_a_pool_whose_runs_choose_is_told(team: Team, pool_type: str, next_step: str) -> None:
    """`runbook configure` puts right a pool of its own kind only."""
    team.pool_type, team.template = pool_type, OPEN_TEMPLATE
    [one] = await found()
    assert one.problem.startswith("A run in work pool 'runbook' may choose its command")
    assert one.next_step.startswith(next_step)


@pytest.mark.parametrize(
    ("url", "in_clear"),
    [
        ("http://127.0.0.1:1/api", False),
        ("http://127.1.2.3:1/api", False),
        ("http://localhost:1/api", False),
        ("http://[::1]:1/api", False),
        ("http://prefect.invalid:1/api", True),
        ("https://prefect.invalid:1/api", False),
        ("http://localhost.invalid:1/api", True),
    ],
)
async def test_a_password_in_clear_is_told(
    url: str, in_clear: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond this machine it needs TLS. That the server is away is told as well, and is no reason to fail."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", url)
    with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: "team:password"}):
        told = await found()
    assert [one.grave for one in told] == [False] * (1 + in_clear)
    assert any(one.problem.endswith("unencrypted") for one in told) is in_clear
    assert told[-1].problem == f"Prefect at {url} could not be checked (ConnectError)"
    assert "team:password" not in "".join(map(str, told))


async def test_where_no_server_is_named_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a settings file, `runbook doctor` needs no Prefect."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert await found() == []


@pytest.mark.real
@pytest.mark.parametrize("template", [OPEN_TEMPLATE, fixed_template()], ids=["open", "fixed"])
async def test_our_own_server_is_closed(prefect_api: PrefectServer, template: dict[str, Any]) -> None:
    """Only the pool of an earlier release is left to be told."""
    name = f"exposed-{template == OPEN_TEMPLATE}".lower()
    async with get_client() as client:
        await client.create_work_pool(WorkPoolCreate(name=name, type="process", base_job_template=template))
    assert len(await exposures(None, name)) == (template == OPEN_TEMPLATE)
    assert prefect_api.access.password
