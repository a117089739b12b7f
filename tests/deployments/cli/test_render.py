"""`runbook render`: what each message says, of an incident or of a sample."""

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.channels.messages import Message
from runbook.channels.samples import message_names, sample_of
from runbook.channels.samples.incidents import NOW
from runbook.policy.policy import Policy
from tests.deployments.cli_store import store_in
from tests.deployments.journal_samples import EVENTS

ROOT = Path(__file__).parents[3]
SYSTEMS = """
[integration]
health_url = "https://api.example/health"

[slack]
token = { env = "SLACK_TOKEN" }
channel = "C0INCIDENTS"

[templates]
folder = "."
"""


@pytest.fixture
def incident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An incident in a store, of a team with its own words for updates."""
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-not-a-real-one")
    store = store_in(tmp_path, monkeypatch)
    config = tmp_path / "runbook.toml"
    config.write_text(config.read_text() + SYSTEMS)
    (tmp_path / "internal.slack.j2").write_text("Ours: {{ facts.state }}")
    return store.open("0001", EVENTS[:10])


def test_every_message_is_shown_without_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newcomer sees what people would be told before anything is set up."""
    monkeypatch.chdir(tmp_path)
    assert main(["render"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert [name for name in message_names() if f"{name}  (shipped, " not in out] == []


def test_a_template_may_be_named_without_an_incident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is shown for the sample, and nothing is asked of a Prefect server."""
    monkeypatch.chdir(tmp_path)
    assert main(["render", "root"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("root.slack.j2  (shipped, ")


def test_the_teams_own_template_is_shown_for_a_real_incident(
    incident: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its heading says whose it is and of which incident."""
    assert main(["render", "latest", "internal"]) == ExitCode.OK
    heading, text, link = capsys.readouterr().out.splitlines()
    assert heading.startswith("internal.slack.j2  (your own, ")
    assert heading.endswith(f"; {incident})")
    assert text.startswith("Ours: ")
    assert link.startswith("https://app.slack.com/block-kit-builder/#%7B")


def test_the_link_holds_the_blocks(incident: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Block Kit Builder reads them from the part of the address that is sent to no server."""
    assert main(["render", "latest", "root", "--json"]) == ExitCode.OK
    (shown,) = json.loads(capsys.readouterr().out)
    assert shown["incident"] == incident
    assert json.loads(unquote(shown["link"].partition("#")[2])) == {"blocks": shown["blocks"]}
    assert shown["blocks"][-1]["type"] == "actions"


@pytest.mark.usefixtures("incident")
def test_a_template_that_fails_is_told_and_ends_with_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message is the shipped one, so a check in a pipeline must not pass."""
    (tmp_path / "internal.slack.j2").write_text("Ours: {{ facts.stat }}")
    assert main(["render", "latest", "internal"]) == ExitCode.FAILED
    captured = capsys.readouterr()
    assert "internal.slack.j2  (shipped, " in captured.out
    assert "the shipped template is used in place of: internal.slack.j2" in captured.err


@pytest.mark.usefixtures("incident")
def test_a_public_text_that_would_not_be_published_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rules for public texts hold for the team's own words, too."""
    config = tmp_path / "runbook.toml"
    page = (
        '[status_page_publisher]\nprovider = "statuspage"\napi_key = { env = "SLACK_TOKEN" }\npage_id = "p"\n'
    )
    config.write_text(config.read_text() + page)
    (tmp_path / "external.txt.j2").write_text("Down\nSome users see errors of db-1.internal.\n")
    assert main(["render", "sample", "external"]) == ExitCode.FAILED
    assert "this public text would not be published: internal host 'db-1.internal'" in capsys.readouterr().err


def test_an_unknown_template_names_those_that_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a mistake of usage."""
    monkeypatch.chdir(tmp_path)
    assert main(["render", "sample", "rot"]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert "there is no template 'rot'; give one of: root, internal" in said
    assert said.count("question") == 1  # also where it is there for Slack and as plain text


@pytest.mark.parametrize("template", message_names())
def test_the_page_about_templates_names_every_value(template: str) -> None:
    """Who writes one need not read the code."""
    page = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{template}` ")]
    content = sample_of(template, None, policy=Policy(), now=NOW).content
    values = content.values if isinstance(content, Message) else {"facts"}
    assert [name for name in values if f"`{name}`" not in row] == []
