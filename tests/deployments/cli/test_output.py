"""Whatever a command shows, the terminal obeys only us; JSON stays equal in value; errors are masked."""

import ast
import io
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from prefect.settings import PREFECT_API_URL, temporary_settings
from pytest_httpserver import HTTPServer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deployments.cli import app, main, output
from deployments.cli.errors import ExitCode
from deployments.drill.run.report import DrillResult, print_summary
from deployments.drill.run.scenario import load_scenario
from deployments.drill.run.screen import Screen
from deployments.progress import Progress, print_question
from runbook.approvals.gates import PendingGate
from runbook.redaction import redact_value
from tests.deployments.cli.test_looking import NOWHERE
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import ALERT, EVENTS, OPENED_AT, PLAN, incident, journal
from tests.deployments.sleeping_run import RUN

Capture = pytest.CaptureFixture[str]

KEY = "phx_canary0Q7zX4bV9nM2kL8"
HOSTILE = (
    "\x1b]0;title\x07\x1b[2J\x1b[8mhidden\x9b31m\r\x08\x1b]8;;http://evil\x1b\\link \x1b]52;c;aGk=\x07"
    "\u202etxt\u2066\u200b\u2028\u0085\x00\x7f\U000e0041"
)
STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0001-\U000e007f]"
)
TEXTS = st.text(st.characters(), max_size=30) | st.sampled_from(
    [HOSTILE, "\x1b[31m", "\x9b", "\u202e", "a\tb"]
)


def shown(show: Callable[[Console], object], **how: Any) -> str:
    """What a console of ours writes."""
    stream = io.StringIO()
    console = output.console(stream)
    for name, value in how.items():
        setattr(console, name, value)
    show(console)
    return stream.getvalue()


@given(text=TEXTS)
def test_a_console_shows_texts_and_obeys_none(text: str) -> None:
    """By itself, in a table, indented, styled: only line feeds and tabs are left of what steers."""
    table = Table.grid()
    table.add_row(Text(text, style="bold"), text)
    for thing in (text, Text(text), Padding(Text(text), (0, 0, 0, 2)), table):
        stream = io.StringIO()
        output.console(stream).print(thing)
        assert not STEERS.search(stream.getvalue())


def test_a_console_still_has_its_own_colours() -> None:
    """Rich may steer the terminal; a text that brings a colour along may not."""
    stream = io.StringIO()
    console = output.SafeConsole(file=stream, force_terminal=True, color_system="standard", width=60)
    console.print(Text("red \x1b[32mgreen", style="red"))
    assert "\x1b[31m" in stream.getvalue()
    assert "\x1b[32m" not in stream.getvalue()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON)
def test_json_is_equal_in_value_and_obeyed_by_nothing(value: Any) -> None:
    """What steers is written as JSON may write any character; secrets, which some names make, are masked."""
    assume(redact_value(value) == value)
    with pytest.MonkeyPatch.context() as patch:
        stream = io.StringIO()
        patch.setattr("sys.stdout", stream)
        output.print_json(value)
    assert not STEERS.search(stream.getvalue())
    assert json.loads(stream.getvalue()) == value


@given(text=TEXTS)
def test_a_line_of_an_error_is_one_line(text: str) -> None:
    """A line break in an error begins no line that looks like another one."""
    with pytest.MonkeyPatch.context() as patch:
        stream = io.StringIO()
        patch.setattr("sys.stderr", stream)
        output.print_error(text)
        output.warn(text)
    assert not STEERS.search(stream.getvalue())
    assert len(stream.getvalue().splitlines()) == 2


def test_errors_are_masked(capsys: Capture) -> None:
    """They quote what was typed, or what a system said."""
    output.print_error(f"no incident {KEY!r}")
    output.warn(f"password=hunter2 {KEY}")
    assert "canary" not in capsys.readouterr().err


def test_a_fault_of_ours_is_shown_masked(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Where it comes from is shown, with what it quotes masked, and the command fails."""

    def fails(_arguments: list[str]) -> int:
        raise KeyError(f"{KEY} \x1b[31m")

    monkeypatch.setattr(app, "_run", fails)
    assert main(["incidents"]) == ExitCode.FAILED
    captured = capsys.readouterr()
    assert captured.out == ""
    assert 'raise KeyError(f"{KEY} \\x1b[31m")' in captured.err
    assert "[redacted:phx]" in captured.err
    assert "canary" not in captured.err


@pytest.fixture(scope="module")
def hostile_journals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Journals that an earlier release wrote: nothing in them was made normal or masked."""
    folder = tmp_path_factory.mktemp("hostile")
    store = Store(folder)
    opened = store.open("0001", EVENTS)
    asking = store.open("0002", (*EVENTS[:9], EVENTS[9].model_copy(update={"flow_run_id": RUN})))
    assert opened != asking
    hostile = json.dumps(f"{HOSTILE} {KEY}")[1:-1]
    said = (
        "says healthy|night time traffic|no errors for 10 s|no answer for 15 minutes|called PostHog support"
    )
    done = "EU upgrade|rolled back by hand|PostHog has an|Cloud: elevated error rates|complete outage: 97%"
    places = (
        ALERT.summary,
        ALERT.name,
        *f"{said}|{done}|PostHog to resolve its|connection refused".split("|"),
    )
    with sqlite3.connect(folder / "incidents.db") as connection:
        for place in places:
            changed = connection.execute(
                "UPDATE events SET body = replace(body, ?, ?) WHERE body LIKE ?",
                (place, hostile, f"%{place}%"),
            )
            assert changed.rowcount > 0, place
    return folder / "incidents.db"


@pytest.fixture
def hostile_store(store: Store, hostile_journals: Path, tmp_path: Path) -> Store:
    """A store with them."""
    with sqlite3.connect(hostile_journals) as written, sqlite3.connect(tmp_path / "incidents.db") as copy:
        written.backup(copy)
    (tmp_path / "incidents.db").chmod(0o600)
    return store


COMMANDS = (
    ["incidents"],
    ["incidents", "--json"],
    ["incident", "latest"],
    ["incident", "latest", "--json"],
    ["incident", "inc-20261122-1601", "--json"],
    ["incident", "inc-20261122-1601"],
    ["paper", "latest"],
    ["severity", "latest", "P3", "--reason", f"{HOSTILE[1:60]} {KEY}", "--by", f"ana\x1b[31m {KEY}"],
    ["severity", "latest", "P3", "--reason", f"{HOSTILE[1:60]} {KEY}", "--json"],
    ["approve", "latest", "--reason", f"\x1b[31m {KEY}", "--by", f"ana \u202e{KEY}"],
    ["approve", "latest", "--reason", f"\x1b[31m {KEY}", "--json"],
    ["snooze", "latest", "--reason", f"\x1b[31m {KEY}"],
    ["reject", "latest", "--reason", f"\x1b[31m {KEY}", "--json"],
    ["edit", "latest", f"memory=\x1b[31m{KEY}"],
    ["edit", "latest", f"{KEY}\x1b[31m"],
    ["resume", "latest", "--done", f"\x1b[31m {KEY}", "--by", f"ana {KEY}", "--json"],
    ["resume", "latest", "--done", f"\x1b[31m {KEY}", "--did", f"{KEY}\x1b[31m"],
    ["incident", f"{KEY}\x1b[31m"],
    [f"{KEY}\x1b[31m"],
    ["incidents", f"--{KEY}", "x"],
    ["incidents", "--limit", f"{KEY}\x1b[31m"],
    ["incidents", "--config", f"{KEY}\x1b[31m.toml"],
    ["incidents", "--environment", f"{KEY}\x1b[31m"],
    ["drill", f"{KEY}\x1b[31m"],
    ["respond", f"{KEY}\x1b[31m"],
    ["configure", f"{KEY}\x1b[31m"],
    ["severity", "latest", f"{KEY}\x1b[31m", "--reason", "x"],
)


@pytest.mark.parametrize(
    "command", COMMANDS, ids=lambda command: " ".join(command)[:30].encode("unicode_escape")
)
@pytest.mark.usefixtures("hostile_store", "prefect")
def test_no_command_shows_more_than_text(command: list[str], tmp_path: Path, capsys: Capture) -> None:
    """Neither an old journal nor what is typed steers the terminal or shows a secret."""
    config = tmp_path / "runbook.toml"
    config.write_text(f'{config.read_text()}\n[integration]\nhealth_url = "https://api.example/health"\n')
    main(command)
    captured = capsys.readouterr()
    assert captured.out + captured.err
    assert not STEERS.search(captured.out + captured.err)
    assert "canary" not in captured.out + captured.err
    if "--json" in command and captured.out:
        json.loads(captured.out)


@pytest.mark.parametrize("arguments", [["health"], ["triage"], ["triage", "--json"]], ids=" ".join)
@pytest.mark.parametrize("word", [f"{HOSTILE} {KEY}", "\x1b[2Jhealthy"])
def test_what_a_service_says_of_itself_is_only_shown(
    arguments: list[str],
    word: str,
    tmp_path: Path,
    httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    """Its word and its message."""
    body = {"services": {"posthog": {"status": word, "message": f"{HOSTILE} {KEY}"}}}
    httpserver.expect_request("/health").respond_with_json(body)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runbook.toml").write_text(
        f'[policy]\ncheck_deadline_seconds = 2\n[status_page]\nurl = "{NOWHERE}"\n'
        f'[posthog]\napp_url = "{NOWHERE}"\ningest_url = "{NOWHERE}"\n[prometheus]\nurl = "{NOWHERE}"\n'
        f'[integration]\nhealth_url = "{httpserver.url_for("/health")}"\n'
        f'[cluster]\nkubeconfig = "{tmp_path / "none"}"\nworkload_name = "posthog-integration"\n'
    )
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        main(arguments)
    captured = capsys.readouterr()
    assert captured.out
    assert not STEERS.search(captured.out + captured.err)
    assert "canary" not in captured.out + captured.err


def test_the_screens_of_a_drill_show_only_text() -> None:
    """Its progress, its question and its summary."""
    gate = PendingGate(
        gate="g", action_id="a", plan_digest="d", question=HOSTILE, flow_run_id="r", asked_at=OPENED_AT
    )
    plan = PLAN.model_copy(update={"diff": f"+{HOSTILE}", "affects": (HOSTILE,)})

    def all_screens(console: Console) -> None:
        with Screen(console) as screen:
            screen.say(HOSTILE)
            for recorded in journal():
                screen.show(recorded)
        print_question(console, gate, plan)
        result = DrillResult.of(
            load_scenario("posthog-outage"),
            incident(),
            alerted_at=OPENED_AT,
            evidence=HOSTILE,
            postmortem=HOSTILE,
            links={},
        )
        print_summary(console, result)

    assert not STEERS.search(shown(all_screens))


def test_no_command_prints_or_asks_by_itself() -> None:
    """`deployments/cli/output.py` is the one place that writes to the terminal or asks there."""
    folder = Path(output.__file__).parent
    found = []
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in ("print", "input") or re.fullmatch(r"sys\.std(out|err)\.write|Console", called):
                    found.append(path.name)
    assert set(found) == {"output.py"}


def test_no_line_ends_with_blanks_that_only_fill_it_up() -> None:
    """What is copied or sent into a file has no rest of a table; a prompt keeps its blank."""

    def all_of_it(console: Console) -> None:
        progress = Progress(console, opened_at=OPENED_AT)
        for recorded in journal():
            progress.show(recorded)
        gate = incident(EVENTS[:10]).pending_gate
        assert gate is not None
        print_question(console, gate, PLAN)
        console.print(Text("Apply? "), end="")

    text = shown(all_of_it)
    assert text.endswith("Apply? ")
    assert [line for line in text.splitlines()[:-1] if line != line.rstrip()] == []
