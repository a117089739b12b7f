"""`runbook alerts`: what fires, and which of it belongs to nobody."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks.store.alerts import receive
from blocks.store.journal import IncidentStore
from deployments.cli import main
from deployments.cli.errors import ExitCode
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
    assert "none; it belongs to shop" in capsys.readouterr().out


def test_nobody_responds_to_another_environments_service_by_mistake(tmp_path: Path, capsys: Capture) -> None:
    """A response by hand acts on the environment's target, too; a person may name the other one."""
    settings = tmp_path / "runbook.toml"
    services = {"posthog-integration": "default", "checkout": "shop"}
    tables = [f'[services.{name}]\nenvironment = "{where}"\n' for name, where in services.items()]
    settings.write_text(settings.read_text() + "".join(tables))
    assert main(["respond", "--summary", "x", "--service", "checkout"]) == ExitCode.USAGE
    [line] = capsys.readouterr().err.splitlines()
    assert "checkout belongs to the environment shop; give --environment shop" in line


def test_unrouted_alerts_are_those_of_no_incident(capsys: Capture) -> None:
    """For a person, and for a program."""
    assert main(["alerts", "--unrouted"]) == ExitCode.OK
    assert "posthog-integration" not in capsys.readouterr().out
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
