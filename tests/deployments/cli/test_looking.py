"""`runbook health` and `runbook triage` look without Prefect; `runbook respond` starts a run through it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.cli.people.account import account

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[3]
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> Iterator[HTTPServer]:
    """A runbook.toml whose health endpoint is the server; everything else is out of reach. No Prefect."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNBOOK_CONFIG", raising=False)
    monkeypatch.setenv("RUNBOOK_ALERT_TOKEN", "a-token-for-this-test")
    sections = {
        "receiver": 'token = { env = "RUNBOOK_ALERT_TOKEN" }',
        "policy": "check_deadline_seconds = 2",
        "status_page": f'url = "{NOWHERE}"',
        "posthog": f'app_url = "{NOWHERE}"\ningest_url = "{NOWHERE}"',
        "integration": f'health_url = "{httpserver.url_for("/health")}"',
        "prometheus": f'url = "{NOWHERE}"',
        "cluster": f'kubeconfig = "{tmp_path / "no-such-kubeconfig"}"\nworkload_name = "posthog-integration"',
    }
    text = "\n".join(f"[{name}]\n{lines}\n" for name, lines in sections.items())
    (tmp_path / "runbook.toml").write_text(text)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        yield httpserver


@pytest.mark.parametrize(
    ("http_status", "body", "said", "code"),
    [
        (200, {"services": {"posthog": {"status": "healthy"}}}, "healthy", ExitCode.OK),
        (503, {"services": {"posthog": {"status": "unhealthy"}}}, "UNHEALTHY", ExitCode.FAILED),
        (503, {"services": {"posthog": {"status": "healthy"}}}, "UNHEALTHY", ExitCode.FAILED),
        (200, {"services": {}}, "UNHEALTHY", ExitCode.FAILED),
        (404, {}, "UNHEALTHY", ExitCode.FAILED),
    ],
    ids=["healthy", "unhealthy", "healthy word of a failing server", "no word", "no endpoint"],
)
def test_health_is_one_word(
    http_status: int, body: dict[str, Any], said: str, code: ExitCode, configured: HTTPServer, capsys: Capture
) -> None:
    """As the runbook's one-line check: the status or UNHEALTHY; what cannot be known is not healthy."""
    configured.expect_request("/health").respond_with_json(body, status=http_status)
    assert main(["health"]) == code
    captured = capsys.readouterr()
    assert captured.out == f"{said}\n"
    assert (captured.err == "") is (code is ExitCode.OK)


@pytest.mark.usefixtures("configured")
def test_no_answer_is_unhealthy(tmp_path: Path, capsys: Capture) -> None:
    """A service that cannot be reached is not healthy, and the reason is on standard error."""
    settings = tmp_path / "runbook.toml"
    settings.write_text(re.sub('health_url = ".*"', f'health_url = "{NOWHERE}"', settings.read_text()))
    assert main(["health"]) == ExitCode.FAILED
    captured = capsys.readouterr()
    assert captured.out == "UNHEALTHY\n"
    assert captured.err.startswith("runbook: ")


def test_triage_explains_its_verdict_without_prefect(configured: HTTPServer, capsys: Capture) -> None:
    """With nothing but the health endpoint in reach, the facts do not suffice; and that is what is said."""
    configured.expect_request("/health").respond_with_json({"services": {"posthog": {"status": "healthy"}}})
    assert main(["triage"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert re.search(r"(?m)^✔ Health +says healthy", shown)
    assert re.search(r"(?m)^\? Error rate +\S", shown)
    assert re.search(r"(?m)^\? Workload +\S", shown)
    assert "● UNKNOWN → There are not enough facts." in shown


def test_triage_as_json_has_findings_and_decision(configured: HTTPServer, capsys: Capture) -> None:
    """Programs get each finding with its facts, and the decision with its path and plan."""
    configured.expect_request("/health").respond_with_json({"services": {"posthog": {"status": "down"}}})
    assert main(["triage", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    statuses = {item["check"]: item["status"] for item in told["findings"]}
    assert statuses["health"] == "bad"
    assert (statuses["error_rate"], statuses["workload"]) == ("unknown", "unknown")
    assert told["decision"]["verdict"] == "unknown"
    assert told["decision"]["plan"] == []


@pytest.mark.parametrize(("switch", "dry_run"), [([], False), (["--dry-run"], True)])
def test_respond_starts_the_deployment_with_what_was_said(
    switch: list[str], dry_run: bool, httpserver: HTTPServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run gets what was said, as from the form in Prefect's UI, and who is logged in as who asked."""
    monkeypatch.setenv("LOGNAME", "somebody-else")
    deployment = {"id": "7d4e0000-0000-4000-8000-0000000000d1", "name": "respond"}
    deployment["flow_id"] = deployment["id"]
    run = {"id": "7d4e0000-0000-4000-8000-0000000000f1", "flow_id": deployment["id"], "name": "calm-fox"}
    wishes: list[dict[str, Any]] = []

    def create(request: Request) -> Response:
        wishes.append(request.get_json())
        return Response(json.dumps(run), content_type="application/json", status=201)

    disabled = {"detail": "CSRF protection is disabled."}
    httpserver.expect_request("/api/csrf-token").respond_with_json(disabled, status=422)
    httpserver.expect_request("/api/deployments/name/respond/respond").respond_with_json(deployment)
    create_path = f"/api/deployments/{deployment['id']}/create_flow_run"
    httpserver.expect_request(create_path, method="POST").respond_with_handler(create)
    arguments = ["respond", "--summary", "flags time out", "--severity", "P2", "--environment", "eu"]
    with temporary_settings({PREFECT_API_URL: httpserver.url_for("/api")}):
        assert main([*arguments, *switch, "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["flow_run"], told["name"]) == (run["id"], "calm-fox")
    assert told["url"].endswith(f"/runs/flow-run/{run['id']}")
    [wish] = wishes
    assert wish["parameters"] == {
        "service": "posthog-integration",
        "summary": "flags time out",
        "severity": "P2",
        "requested_by": account(),
        "dry_run": dry_run,
        "environment": "eu",
    }


def test_respond_without_the_deployment_says_what_to_do(httpserver: HTTPServer, capsys: Capture) -> None:
    """A Prefect server that was never configured is told apart from one that is down."""
    httpserver.expect_request("/api/deployments/name/respond/respond").respond_with_json({}, status=404)
    with temporary_settings({PREFECT_API_URL: httpserver.url_for("/api")}):
        assert main(["respond", "--summary", "x"]) == ExitCode.NOTHING
    line = capsys.readouterr().err
    assert "Prefect has no deployment respond/respond; run `runbook configure FILE`" in line


def test_health_is_read_by_programs(configured: HTTPServer, capsys: Capture) -> None:
    """The word, whether it is a healthy one, and else why not; the exit code stays."""
    configured.expect_request("/health").respond_with_json({"services": {}}, status=503)
    assert main(["health", "--json"]) == ExitCode.FAILED
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert (told["healthy"], told["word"], captured.err) == (False, "UNHEALTHY", "")
    assert "HTTP 503" in told["because"]
