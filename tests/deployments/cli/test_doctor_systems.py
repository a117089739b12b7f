"""`runbook doctor` on every system: a row each, whatever happens to the others, and what to do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from blocks.channels.pager import Pager
from blocks.transport.errors import Refused
from deployments.cli.errors import ExitCode
from deployments.drill.world.channels.mail import SmtpServer, smtp_listening
from tests.deployments.doctor_bench import (
    PAGER,
    PUBLISHER,
    SLACK,
    World,
    rights,
    system_rows,
    world,
)

Capture = pytest.CaptureFixture[str]
NO_SERIES = {"status": "success", "data": {"resultType": "vector", "result": []}}


async def told(here: World, capsys: Capture, *options: str) -> tuple[int, dict[str, str], str]:
    """The exit code, the rows and all that is printed."""
    code = await here.doctor(*options)
    shown = capsys.readouterr().out
    return code, system_rows(shown), shown


def fully(here: World) -> None:
    """Give it every channel."""
    (here.settings.parent / "token").write_text("a-token-of-some-length")
    (here.settings.parent / "token").chmod(0o600)
    here.add("\n".join((PAGER, SLACK, PUBLISHER)))


async def test_every_system_that_is_well_has_a_row(tmp_path: Path, capsys: Capture) -> None:
    """What cannot be proven without a message says so; nothing is posted, and no page is triggered."""
    async with world(tmp_path, rights()) as here:
        fully(here)
        code, rows, shown = await told(here, capsys)
        sent = [(path, body) for path, body in here.outside.bodies if path in ("/v2/enqueue", _POST)]
    assert code == ExitCode.OK, shown
    assert rows["store"] == "ok can be read and written"
    assert rows["evidence"].startswith("ok ")
    assert rows["status page"].startswith("ok read, ")
    assert rows["health"].startswith("ok http://127.0.0.1:")
    assert rows["Prometheus"].startswith("ok ")
    assert rows["PostHog"].endswith(": accepted")
    assert rows["cluster"].startswith("ok default/deployment/posthog-integration is there")
    assert rows["clock"].startswith("ok the cluster's is ")
    may = "can read C0123456789 and has the scopes to write and to share files"
    assert rows["Slack"] == f"ok runbook in Ours {may}"
    assert rows["own status page"] == "ok page ours is there, with 1 configured components"
    assert rows["pager"].startswith("unproven takes an event with the routing key")
    assert rows["Prefect"].startswith("not set no Prefect server is named")
    assert rows["people"].startswith("not set Nobody is listed in [policy.people]: an account on")
    assert "Next steps\n" in shown
    assert "  pager: Try it: `runbook doctor --send-test`\n" in shown
    assert [json.loads(body)["event_action"] for path, body in sent] == ["resolve"]


_POST = "/api/chat.postMessage"


@pytest.mark.parametrize(
    ("path", "answer", "row", "words", "code"),
    [
        ("/health", (404, {}), "health", "wrong ", ExitCode.FAILED),
        ("/health", (200, {"other": 1}), "health", "unproven ", ExitCode.OK),
        (
            "/api/v1/query",
            (200, NO_SERIES),
            "Prometheus",
            "wrong no data for posthog_errors",
            ExitCode.FAILED,
        ),
        ("/api/v1/query", (503, {}), "Prometheus", "unreachable ", ExitCode.UNREACHABLE),
        ("/ingest/flags", (401, {"code": "not_authenticated"}), "PostHog", "wrong ", ExitCode.FAILED),
        ("/ingest/flags", (403, {"code": "permission_denied"}), "PostHog", "wrong ", ExitCode.FAILED),
        (
            "/api/auth.test",
            (200, {"ok": False, "error": "invalid_auth"}),
            "Slack",
            "wrong cannot authenticate",
            ExitCode.FAILED,
        ),
        (
            "/api/conversations.history",
            (200, {"ok": False, "error": "not_in_channel"}),
            "Slack",
            "wrong cannot read in C0123456789: not_in_channel",
            ExitCode.FAILED,
        ),
        ("/v1/pages/ours/components", (200, [{"id": "two"}]), "own status page", "wrong ", ExitCode.FAILED),
        ("/v1/pages/ours/components", (404, {}), "own status page", "wrong ", ExitCode.FAILED),
        ("/v1/pages/ours/components", (403, {}), "own status page", "wrong ", ExitCode.FAILED),
        ("/v2/enqueue", (400, {"status": "invalid event"}), "pager", "wrong ", ExitCode.FAILED),
        ("/v2/enqueue", (503, {}), "pager", "unreachable ", ExitCode.UNREACHABLE),
    ],
)
async def test_one_that_is_not_well_keeps_no_other_from_being_checked(
    tmp_path: Path,
    capsys: Capture,
    path: str,
    answer: tuple[int, Any],
    row: str,
    words: str,
    code: ExitCode,
) -> None:
    """Its row says what is wrong and its step what to do; the exit code tells wrong from away."""
    async with world(tmp_path, rights()) as here:
        fully(here)
        here.outside.answers[path] = answer
        ended, rows, shown = await told(here, capsys)
    assert rows[row].startswith(words), rows[row]
    assert ended == code, shown
    assert f"  {row}: " in shown.partition("Next steps\n")[2]
    well = {"store", "evidence", "status page", "health", "PostHog", "Slack", "own status page"} - {row}
    assert all(rows[each].startswith("ok ") for each in well), rows


async def test_a_token_without_the_scope_to_write_is_wrong(tmp_path: Path, capsys: Capture) -> None:
    """The channel could be read, and no incident would be announced; without files, all else is told."""
    async with world(tmp_path, rights()) as here:
        fully(here)
        here.outside.scopes = "channels:history"
        code, rows, _ = await told(here, capsys)
        assert (code, rows["Slack"][:6]) == (ExitCode.FAILED, "wrong ")
        here.outside.scopes = "chat:write,channels:history"
        code, rows, shown = await told(here, capsys)
        assert (code, rows["Slack"][:9]) == (ExitCode.OK, "unproven ")
        assert "files:write" in shown.partition("Next steps\n")[2]
        here.outside.scopes = ""
        code, rows, _ = await told(here, capsys)
    assert (code, rows["Slack"][:9]) == (ExitCode.OK, "unproven ")


async def test_without_the_cluster_all_others_are_told(tmp_path: Path, capsys: Capture) -> None:
    """The error line comes last, on standard error."""
    async with world(tmp_path, rights(), url="https://127.0.0.1:1") as here:
        fully(here)
        assert await here.doctor() == ExitCode.UNREACHABLE
    captured = capsys.readouterr()
    rows = system_rows(captured.out)
    assert rows["cluster"].startswith("unreachable ")
    assert rows["PostHog"] == "unproven not asked, for lack of a key: the cluster was not read"
    assert rows["Slack"].startswith("ok ")
    assert captured.err.startswith("runbook: error: Kubernetes: ")


async def test_a_test_message_goes_through_each_channel(tmp_path: Path, capsys: Capture) -> None:
    """It is marked; the page has the lowest severity and is resolved; the public page gets none."""
    async with world(tmp_path, rights()) as here:
        fully(here)
        code, rows, out = await told(here, capsys, "--send-test")
        sent = here.outside.bodies
    assert code == ExitCode.OK
    assert rows["test: slack"].startswith("ok ")
    assert rows["test: pager"].startswith("ok ")
    assert "Try it: `runbook doctor --send-test`" not in out
    events = [json.loads(body) for path, body in sent if path == "/v2/enqueue"]
    triggered, resolved = [event for event in events if "doctor" in event["dedup_key"]][-2:]
    assert (triggered["event_action"], triggered["payload"]["severity"]) == ("trigger", "info")
    assert triggered["payload"]["summary"].startswith("TEST of the incident runbook")
    assert (resolved["event_action"], resolved["dedup_key"]) == ("resolve", triggered["dedup_key"])
    [posted] = [body for path, body in sent if path == _POST]
    assert b"TEST" in posted
    assert not [path for path, _ in sent if path.endswith("/incidents")]


async def test_a_test_page_that_cannot_be_resolved_is_named(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person is being paged: how to end it is said."""

    async def refuse(*_: object) -> None:
        raise Refused("PagerDuty", "the routing key was withdrawn", "Check it")

    monkeypatch.setattr(Pager, "end_page", refuse)
    async with world(tmp_path, rights()) as here:
        fully(here)
        code, rows, out = await told(here, capsys, "--send-test")
    assert code == ExitCode.FAILED
    assert rows["test: pager"].startswith("wrong ")
    assert "is open" in " ".join(rows["test: pager"].split())
    assert re.search(r"test: pager: Resolve runbook-doctor-\w+ by hand", out)


async def test_machines_get_every_row(tmp_path: Path, capsys: Capture) -> None:
    """With the state and the next step."""
    async with world(tmp_path, rights()) as here:
        fully(here)
        here.outside.answers["/health"] = (404, {})
        assert await here.doctor("--json") == ExitCode.FAILED
    told = json.loads(capsys.readouterr().out)
    [row] = [row for row in told["systems"] if row["system"] == "health"]
    assert (row["state"], told["ok"]) == ("wrong", False)
    assert row["next_step"]


async def test_without_the_secrets_nothing_is_sent(tmp_path: Path, capsys: Capture) -> None:
    """Who can read the settings, and not what they refer to, pages nobody and writes in no channel."""
    async with world(tmp_path, rights()) as here:
        fully(here)
        (here.settings.parent / "token").unlink()
        code = await here.doctor("--send-test")
        sent = here.outside.bodies
    assert code == ExitCode.USAGE
    assert "token" in capsys.readouterr().err
    assert sent == []


EMAIL = """[email]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "runbook@example.com"
to = ["team@example.com"]
support_to = ["support@example.com"]
audiences = ["team", "support"]

[teams]
url = {{ file = "teams-url" }}
"""


async def test_the_channels_by_notification_blocks_are_tried(tmp_path: Path, capsys: Capture) -> None:
    """Each side has a row; nothing is sent until that is asked for, and then to each of them."""
    async with smtp_listening(SmtpServer()) as mail, world(tmp_path, rights()) as here:
        fully(here)
        (tmp_path / "teams-url").touch(mode=0o600)
        (tmp_path / "teams-url").write_text("https://teams.example/no-workflow")
        here.add(EMAIL.format(port=mail.port))
        _, rows, _ = await told(here, capsys)
        assert rows["email"].endswith("takes e-mails to team@example.com")
        assert rows["email-support"].endswith("takes e-mails to support@example.com")
        assert rows["teams"].startswith("wrong the address is not that of a workflow")
        assert mail.taken == []
        _, rows, _ = await told(here, capsys, "--send-test")
        assert [rows[f"test: {kind}"][:3] for kind in ("email", "email-support")] == ["ok ", "ok "]
    assert [each.readers for each in mail.taken] == [["team@example.com"], ["support@example.com"]]
    assert {each.subject.partition(" ")[0] for each in mail.taken} == {"TEST"}
