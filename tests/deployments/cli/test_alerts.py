"""`runbook alerts`: what fires, and which of it belongs to nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from pydantic import SecretStr

from blocks.store.alerts import receive
from blocks.store.journal import IncidentStore
from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.cli.sources import Sources
from runbook.alerts.alert import Alert
from runbook.alerts.intake import Message
from runbook.alerts.unrouted import Routing
from tests.deployments.cli_store import store_in
from tests.deployments.journal_samples import OPENED_AT

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two services fire, one of which the runbook acts for."""
    store_in(tmp_path, monkeypatch)
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path / 'incidents.db'}"))
    fired = [
        Message(
            Alert(source="alertmanager", service=service, name=name, summary="x", fingerprint=name),
            OPENED_AT + timedelta(minutes=number),
        )
        for number, (service, name) in enumerate(
            [("posthog-integration", "PostHogErrorsHigh"), ("checkout", "CartIsSlow\x1b[31m")]
        )
    ]
    taken = receive(
        store,
        fired,
        environment="default",
        new_id=lambda _: "inc-20261122-160000-ab12",
        flapping_episodes=5,
        routing=Routing(known=frozenset({"posthog-integration"})),
    )
    asyncio.run(taken)


def test_each_alert_is_shown_with_its_incident(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """The newest first; what a sender has written cannot colour the terminal."""
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["alerts"]) == ExitCode.OK
    shown = capsys.readouterr().out
    header, theirs, *rest = shown.splitlines()
    assert header.split() == ["since", "(UTC)", "source", "service:", "alert", "told", "incident"]
    assert "checkout" in theirs
    assert "inc-20261122-160000-ab12" in "".join(rest)
    assert "\x1b" not in shown


@pytest.mark.parametrize("columns", ["60", "80"])
def test_a_narrow_terminal_loses_no_name(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """What fires, where it comes from and its incident stand below each other."""
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["alerts"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "checkout: CartIsSlow",
        "  since 2026-11-22 16:01 UTC, alertmanager, told 1x",
        "  incident: none",
    ]
    assert lines[3::2] == ["posthog-integration: PostHogErrorsHigh", "  incident: inc-20261122-160000-ab12"]


def test_the_environment_of_an_unrouted_alert_is_named(tmp_path: Path, capsys: Capture) -> None:
    """Where the settings say that its service belongs to another one."""
    settings = tmp_path / "runbook.toml"
    services = {"posthog-integration": "default", "checkout": "shop"}
    tables = [f'[services.{name}]\nenvironment = "{where}"\n' for name, where in services.items()]
    settings.write_text(settings.read_text() + "".join(tables))
    assert main(["alerts", "--unrouted"]) == ExitCode.OK
    told = capsys.readouterr()
    assert "none; it belongs to shop" in told.out
    assert "no incident was opened: `runbook doctor` says why" in told.err


class StartedRuns:
    """A Prefect that starts any run, and notes what it was started with."""

    def __init__(self) -> None:
        self.parameters: list[dict[str, Any]] = []

    @asynccontextmanager
    async def client(self, _: Path | None = None) -> AsyncIterator["StartedRuns"]:
        """A client of it."""
        yield self

    async def read_deployment_by_name(self, name: str) -> SimpleNamespace:
        """The deployment of that name."""
        return SimpleNamespace(id=uuid4(), name=name)

    async def create_flow_run_from_deployment(self, _: UUID, *, parameters: dict[str, Any]) -> FlowRun:
        """A run with these parameters."""
        self.parameters.append(parameters)
        return FlowRun(id=uuid4(), flow_id=uuid4(), name="a response")


def test_a_response_by_hand_begins_in_the_environment_of_its_service(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never on another one's target: where that environment is not known, nothing is started."""
    settings = tmp_path / "runbook.toml"
    services = {"posthog-integration": "default", "checkout": "shop"}
    tables = [f'[services.{name}]\nenvironment = "{where}"\n' for name, where in services.items()]
    settings.write_text(settings.read_text() + "".join(tables))
    asked = ["respond", "--summary", "x", "--service", "checkout"]
    assert main(asked) != ExitCode.OK
    [line] = capsys.readouterr().err.splitlines()
    assert "Prefect" in line
    started = StartedRuns()
    monkeypatch.setattr("deployments.cli.sources.prefect_client", started.client)
    policies: list[str | None] = []

    async def policy(sources: Sources) -> None:
        policies.append(sources.environment)

    monkeypatch.setattr(Sources, "policy", policy)
    assert main(asked) == ExitCode.OK
    assert main([*asked, "--environment", "other"]) == ExitCode.OK
    assert main([*asked[:-1], "posthog-integration"]) == ExitCode.OK
    assert [given["environment"] for given in started.parameters] == ["shop", "other", "default"]
    assert policies == ["shop"]


def test_unrouted_alerts_are_those_of_no_incident(capsys: Capture) -> None:
    """For a person, and for a program."""
    assert main(["alerts", "--unrouted"]) == ExitCode.OK
    told = capsys.readouterr()
    assert "posthog-integration" not in told.out
    assert "name it in [services]" in told.err
    assert main(["alerts", "--unrouted", "--json"]) == ExitCode.OK
    [alert] = json.loads(capsys.readouterr().out)
    assert (alert["service"], alert["incident"], alert["received"]) == ("checkout", "", 1)


def test_the_newest_of_very_many_are_shown(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many are left out is said; a program gets all."""
    monkeypatch.setattr("deployments.cli.alerting.alerts.MOST_SHOWN", 1)
    assert main(["alerts"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "and 1 older ones: --json has all" in shown
    assert "PostHogErrorsHigh" not in shown
    assert main(["alerts", "--json"]) == ExitCode.OK
    assert len(json.loads(capsys.readouterr().out)) == 2
