"""`runbook paper`: an incident on paper, from the settings file and the store alone."""

from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from tests.deployments.cli_store import store_in
from tests.deployments.journal_samples import EVENTS


def test_it_is_printed_without_prefect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The places are the settings' own, so it can be followed while nothing of ours answers."""
    store = store_in(tmp_path, monkeypatch)
    config = tmp_path / "runbook.toml"
    config.write_text(f'{config.read_text()}\n[integration]\nhealth_url = "https://api.example/health"\n')
    incident = store.open("0001", EVENTS[:10])
    assert main(["paper", "latest"]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert printed.startswith(f"# {incident}: go on by hand\n")
    assert "https://api.example/health" in printed


def test_an_incident_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing goes to standard output, which people redirect to a file."""
    store_in(tmp_path, monkeypatch)
    config = tmp_path / "runbook.toml"
    config.write_text(f'{config.read_text()}\n[integration]\nhealth_url = "https://api.example/health"\n')
    assert main(["paper", "latest"]) == ExitCode.NOTHING
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "there is no incident yet" in captured.err
