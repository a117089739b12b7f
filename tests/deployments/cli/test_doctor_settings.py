"""`runbook doctor` on what does not need the cluster: pager, monitoring, settings and Prefect's password."""

import json
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from pytest_httpserver import HTTPServer

from deployments.cli.errors import ExitCode
from tests.deployments.doctor_bench import HERE, PAGER, SLACK, UNCALLED, rights, world

Capture = pytest.CaptureFixture[str]


async def test_what_does_not_need_the_cluster_is_told_without_it(tmp_path: Path, capsys: Capture) -> None:
    """Others may read the secrets before the cluster is set up; the rights are unknown, not missing."""
    (tmp_path / "token").write_text("a-token-of-some-length")
    async with world(tmp_path, rights(), url="https://127.0.0.1:1") as running:
        text = running.settings.read_text()
        running.settings.write_text(text.replace("[prometheus]\n", f"[prometheus]\n{BACKUP}"))
        assert await running.doctor() == ExitCode.UNREACHABLE
        captured = capsys.readouterr()
        assert "prometheus.credentials" in captured.out
        assert await running.doctor("--json") == ExitCode.UNREACHABLE
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["rights"], told["missing_rules"]) == (False, None, None)
    assert "prometheus.credentials" in told["settings"][0]


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("", UNCALLED),
        (PAGER, ""),
        (SLACK, ""),
    ],
    ids=["neither", "pager", "slack"],
)
async def test_it_says_whether_somebody_can_be_called(
    tmp_path: Path, capsys: Capture, section: str, told: str
) -> None:
    """Both are optional, and without both no incident reaches a person."""
    (tmp_path / "token").write_text("a-token-of-some-length")
    async with world(tmp_path, rights()) as running:
        running.add(section)
        assert await running.doctor() == ExitCode.OK
        assert (UNCALLED in capsys.readouterr().out) is bool(told)
        assert await running.doctor("--json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["uncalled"] == told.strip()


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("", "The runbook itself is not monitored: set [self_watch]."),
        (
            f'[self_watch]\nreceiver_url = "{HERE}"',
            "If the worker and the receiver both stop, nobody is notified: set [self_watch] ping_url.",
        ),
        (f'[self_watch]\nreceiver_url = "{HERE}"\nalertmanager_url = "http://alertmanager:9093"', ""),
    ],
    ids=["off", "without a switch", "on"],
)
async def test_it_says_whether_somebody_watches_the_runbook(
    tmp_path: Path, capsys: Capture, section: str, told: str
) -> None:
    """Who never hears of a dead runbook believes that nothing happens."""
    (tmp_path / "token").write_text("a-token-of-some-length")
    async with world(tmp_path, rights()) as running:
        running.add(f'[receiver]\ntoken = {{ file = "token" }}\n{section}')
        assert await running.doctor() == ExitCode.OK
        assert ("set [self_watch]" in capsys.readouterr().out) is bool(told)
        assert await running.doctor("--json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["unwatched"] == told


BACKUP = (
    'backup_urls = ["http://127.0.0.1:2"]\nbearer_token = { file = "token" }\n'  # more lines of [prometheus]
)


async def test_it_says_what_to_see_to_in_the_settings(tmp_path: Path, capsys: Capture) -> None:
    """A line of the answer, and no second one on standard error; it keeps nothing from being all right."""
    (tmp_path / "token").write_text("a-token-of-some-length")
    async with world(tmp_path, rights()) as running:
        text = running.settings.read_text()
        running.settings.write_text(text.replace("[prometheus]\n", f"[prometheus]\n{BACKUP}"))
        assert await running.doctor() == ExitCode.OK
        captured = capsys.readouterr()
        [told] = [line for line in captured.out.splitlines() if "prometheus.credentials" in line]
        assert told.startswith(f'{running.settings}: prometheus.credentials."http://127.0.0.1:2": missing')
        assert captured.err == ""
        assert await running.doctor("--json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["settings"] == [told]


async def test_a_prefect_server_without_a_password_is_told_and_fails(
    tmp_path: Path, capsys: Capture, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rights in the cluster are of no use where anybody may approve."""
    for path in ("/api/admin/settings", "/api/health"):
        httpserver.expect_request(path).respond_with_json({})
    url = httpserver.url_for("/api")
    monkeypatch.setenv("PREFECT_API_URL", url)
    with temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}):
        async with world(tmp_path, rights()) as running:
            assert await running.doctor() == ExitCode.FAILED
            assert f"Prefect at {url} answers without a password" in capsys.readouterr().out
            assert await running.doctor("--json") == ExitCode.FAILED
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["missing_rules"]) == (False, [])
    assert [each["grave"] for each in told["prefect"]] == [True]
