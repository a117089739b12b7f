"""`runbook alerts explain`: what a payload says, where each field is, and what it would do."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.alerts.mapping.formats import FORMATS
from runbook.alerts.mapping.paths import find
from tests.deployments.cli_store import store_in
from tests.runbook.alerts.mapping_samples import NAMES, format_of, names_of, sample

Capture = pytest.CaptureFixture[str]
DATA = Path(__file__).parents[2] / "data" / "alerts"
RECORDED = sorted(str(path.relative_to(DATA)) for path in DATA.glob("*/*.json"))
READABLE = [name for name in NAMES if name.rpartition(".")[2] in ("firing", "resolved", "acknowledged")]
SETTINGS = """
[receiver.mapped.kuma]
format = "uptime-kuma"
[services.posthog-integration]
environment = "default"
[services.checkout]
environment = "shop"
[store]
url = "sqlite+aiosqlite:///incidents.db"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings in which nothing else is."""
    store_in(tmp_path, monkeypatch)
    (tmp_path / "runbook.toml").write_text(SETTINGS)
    return tmp_path


def explained(capsys: Capture, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the answer as JSON."""
    code = main(["alerts", "explain", *arguments, "--json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, told


def payload(folder: Path, content: Any) -> str:
    """A file with that payload."""
    file = folder / "payload.json"
    file.write_text(json.dumps(content))
    return str(file)


@pytest.mark.parametrize("name", READABLE)
def test_a_format_is_explained_field_by_field(folder: Path, capsys: Capture, name: str) -> None:
    """Each path leads to the value in the payload, and nothing is written anywhere."""
    code, told = explained(capsys, payload(folder, sample(name)), "--format", format_of(name))
    assert code == ExitCode.OK
    [alert] = told["alerts"]
    assert alert["does"] == ("recovers" if name.endswith("resolved") else "opens")
    fields = {one["field"]: one for one in alert["fields"]}
    assert fields["status"]["value"] == name.rpartition(".")[2]
    for one in fields.values():
        if not one["path"].startswith("("):
            assert find(sample(name), [one["path"]]) is not None
    found = find(sample(name), [fields["key"]["path"]])
    assert found is not None
    assert found.text == fields["key"]["value"]
    assert sorted(path.name for path in folder.iterdir()) == ["payload.json", "runbook.toml"]


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_payload_is_read_by_its_own_source(capsys: Capture, name: str) -> None:
    """Found without being told; each path that is shown is in the payload."""
    file = DATA / name
    code, told = explained(capsys, str(file))
    assert told["path"] == f"/alerts/{name.partition('/')[0]}"
    assert code == (ExitCode.OK if told["alerts"] else ExitCode.NOTHING)
    sent = json.loads(file.read_text())
    for alert in told["alerts"]:
        for one in alert["fields"]:
            assert one["path"].startswith("(") or find(sent, [one["path"]]) is not None
        assert {"status", "service", "name", "key"} <= {one["field"] for one in alert["fields"]}


def test_a_mapped_source_of_the_settings_is_found(folder: Path, capsys: Capture) -> None:
    """And told whether anybody may send to it."""
    _, told = explained(capsys, payload(folder, sample("uptime-kuma.firing")))
    assert (told["path"], told["section"], told["open"]) == (
        "/alerts/mapped/kuma",
        "[receiver.mapped.kuma]",
        False,
    )


@pytest.mark.parametrize(
    ("service", "does", "why"),
    [
        ("posthog-integration", "opens", "opens an incident of posthog-integration in default"),
        ("checkout", "elsewhere", "an incident of checkout in shop where that environment is saved"),
        ("other", "unrouted", "other is none of [services]"),
    ],
)
def test_whose_alert_it_is_is_told(folder: Path, capsys: Capture, service: str, does: str, why: str) -> None:
    """With the settings' own services."""
    _, told = explained(capsys, payload(folder, {"service": service, "name": "n", "summary": "s"}))
    [alert] = told["alerts"]
    assert alert["does"] == does
    assert why in alert["means"]


def test_a_group_is_explained_alert_by_alert(folder: Path, capsys: Capture) -> None:
    """What cannot be read is told, and the others are explained all the same."""
    labels = {"service": "posthog-integration", "alertname": "A"}
    group = {
        "alerts": [
            {"status": "firing", "labels": labels, "fingerprint": "a"},
            {"status": "firing", "labels": labels | {"alertname": "B"}, "fingerprint": "b"},
            {"status": "resolved", "labels": labels, "fingerprint": "a"},
            {"status": "resolved", "labels": labels, "fingerprint": "a"},
            {"status": "firing", "labels": ["odd"]},
        ]
    }
    code, told = explained(capsys, payload(folder, group))
    assert code == ExitCode.FAILED
    assert [alert["does"] for alert in told["alerts"]] == ["opens", "joins", "recovers", "repeats", "joins"]
    assert "alerts.4.labels" in told["error"]
    assert "alerts[1].labels.alertname" in [one["path"] for one in told["alerts"][1]["fields"]]


@pytest.mark.parametrize(
    ("content", "arguments", "code", "said"),
    [
        (
            sample("uptime-kuma.ignored"),
            ["--format", "uptime-kuma"],
            ExitCode.NOTHING,
            "it tells of no alert",
        ),
        (sample("cloudwatch.confirmation"), ["--format", "cloudwatch"], ExitCode.NOTHING, "confirm-sns"),
        ({"alerts": []}, [], ExitCode.NOTHING, "the receiver refuses it"),
        (sample("zabbix.firing"), [], ExitCode.FAILED, 'format = "zabbix" reads it'),
        ({"nothing": 1}, ["--source", "kuma"], ExitCode.FAILED, "the mapping finds nothing in it"),
        ([1, 2], [], ExitCode.FAILED, "cannot be read"),
    ],
)
def test_an_exit_code_says_how_it_went(
    folder: Path, capsys: Capture, content: Any, arguments: list[str], code: ExitCode, said: str
) -> None:
    """0 for alerts that can be read, 1 for what cannot, 3 for no alert."""
    assert main(["alerts", "explain", payload(folder, content), *arguments]) == code
    assert said in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.json"], "missing.json: there is no such file; give the file with the payload"),
        (["."], ".: Is a directory"),
        (["runbook.toml"], "the payload is not JSON; give the body of the request"),
        (["ok.json", "--source", "nagios"], "there is no source 'nagios'; there are alertmanager"),
        (["ok.json", "--format", "nagios"], f"there is no format 'nagios'; there are {', '.join(FORMATS)}"),
        (["long.json"], "the receiver takes 1048576"),
        (["ok.json", "--config", "missing.toml"], "missing.toml: there is no such file"),
    ],
)
def test_a_mistake_is_one_line(folder: Path, capsys: Capture, arguments: list[str], said: str) -> None:
    """On standard error, with what to do."""
    (folder / "ok.json").write_text("{}")
    (folder / "long.json").write_text(json.dumps("x" * 1024 * 1024))
    assert main(["alerts", "explain", *arguments]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    assert said in line


def test_a_payload_comes_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """As a pipe gives it; what a sender has written cannot steer the terminal, and a secret is masked."""
    sent = sample("uptime-kuma.firing")
    sent["heartbeat"]["msg"] = "down\x1b[31m Authorization: Bearer abcdefghijklmnop123456"
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(sent).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["alerts", "explain", "-"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "Read by kuma (uptime-kuma): /alerts/mapped/kuma" in shown
    assert "\x1b" not in shown
    assert "abcdefghijklmnop123456" not in shown


def test_it_works_without_settings(folder: Path, capsys: Capture) -> None:
    """Every service is then taken for ours."""
    (folder / "runbook.toml").unlink()
    code, told = explained(capsys, payload(folder, {"service": "x", "name": "n", "summary": "s"}))
    assert (code, told["alerts"][0]["does"]) == (ExitCode.OK, "opens")


def test_what_the_formats_ignore_is_no_alert(folder: Path, capsys: Capture) -> None:
    """Each of them."""
    for name in names_of("ignored"):
        code, _ = explained(capsys, payload(folder, sample(name)), "--format", format_of(name))
        assert code == ExitCode.NOTHING
