"""`runbook incidents`, `incident` and `severity`, from the settings file's store: Prefect is not needed."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.cli.incidents import age_of
from runbook.incidents.events import (
    LeadAssigned,
)
from tests.deployments.cli_store import Store, store_in
from tests.deployments.journal_samples import EVENTS

Capture = pytest.CaptureFixture[str]

UP_TO_THE_GATE = EVENTS[:10]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, named by the runbook.toml of the folder that the commands run in."""
    return store_in(tmp_path, monkeypatch)


def out(capsys: Capture, *arguments: str) -> str:
    """What a command that succeeds prints on standard output."""
    assert main(arguments) == ExitCode.OK
    return capsys.readouterr().out


def refused(capsys: Capture, *arguments: str, code: ExitCode) -> str:
    """The one line that a command prints which ends with this exit code."""
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    return line


@pytest.mark.usefixtures("store")
def test_nothing_yet_is_said(capsys: Capture) -> None:
    """Without incidents the list is a sentence for people and an empty list for programs."""
    assert out(capsys, "incidents") == "no incident yet\n"
    assert json.loads(out(capsys, "incidents", "--json")) == []
    line = refused(capsys, "incident", "latest", code=ExitCode.NOTHING)
    assert line == (
        "runbook: error: there is no incident yet; `runbook drill` makes one, `runbook respond` opens one"
    )


def test_the_list_shows_what_each_incident_is_and_asks(store: Store, capsys: Capture) -> None:
    """Newest first: id, time, severity, state, what it is, and the open question."""
    closed, asking = store.open("0001", EVENTS), store.open("0002", UP_TO_THE_GATE)
    lines = out(capsys, "incidents").splitlines()
    assert [line.split()[0] for line in lines[1:] if line.startswith("inc-")] == [asking, closed]
    text = " ".join(" ".join(lines).split())
    assert f"{asking} 2026-11-22 16:02 P2 IDENTIFIED service-0002: PostHog outage asks: " in text
    assert f"{closed} 2026-11-22 16:01 P2 CLOSED service-0001: PostHog outage, recovered lead: ana" in text
    assert re.search(r"age: \d+d", text)


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3_599, "59m"),
        (3_600, "1h"),
        (86_399, "23h"),
        (90_000, "1d"),
        (-5, "0s"),
    ],
)
def test_an_open_incident_has_anage_of(seconds: int, age: str) -> None:
    """One that is closed has none, nor has one whose time cannot be read."""
    now = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    opened = (now - timedelta(seconds=seconds)).isoformat()
    assert age_of({"opened_at": opened, "open": True}, now) == age
    assert age_of({"opened_at": opened, "open": False}, now) == ""
    assert age_of({"opened_at": "soon", "open": True}, now) == ""


@pytest.mark.parametrize("columns", ["60", "80", "99", "100", "160"])
def test_a_list_loses_nothing_in_a_narrow_terminal(
    columns: str, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Each id in one piece, and what is asked in full."""
    monkeypatch.setenv("COLUMNS", columns)
    asking = store.open("0002", UP_TO_THE_GATE)
    shown = out(capsys, "incidents")
    told = " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= int(columns)
    assert asking in told
    for part in ("IDENTIFIED", "service-0002: PostHog outage", "Enable the fallback (graceful degradation)?"):
        assert part in told
    assert "…" not in shown


def test_closed_incidents_can_be_left_out(store: Store, capsys: Capture) -> None:
    """`--open` lists what someone still has to care about; `--limit` bounds the list."""
    store.open("0001", EVENTS)
    asking, newer = store.open("0002", UP_TO_THE_GATE), store.open("0003", EVENTS[:1])
    listed = json.loads(out(capsys, "incidents", "--open", "--json"))
    assert [item["incident"] for item in listed] == [newer, asking]
    [only] = json.loads(out(capsys, "incidents", "--limit", "1", "--json"))
    assert only["incident"] == newer


@pytest.mark.parametrize("joined", [True, False])
def test_what_an_error_advises_names_the_settings_file_that_was_given(
    joined: bool, store: Store, tmp_path: Path, capsys: Capture
) -> None:
    """Without it the next step would look at another store."""
    incident_id = store.open("0001", EVENTS)
    given = tmp_path / "other settings.toml"
    given.write_text((tmp_path / "runbook.toml").read_text())
    option = [f"--config={given}"] if joined else ["--config", str(given)]
    line = refused(capsys, "incident", "no-such", *option, code=ExitCode.NOTHING)
    assert line.endswith(f"no incident 'no-such'; `runbook incidents --config '{given}'` lists them")
    line = refused(capsys, "severity", incident_id, "P3", "--reason", "x", *option, code=ExitCode.NOTHING)
    assert [it for it in re.findall("`runbook [^`]*`", line) if f"--config '{given}'" not in it] == []
    assert "`runbook incidents` lists" in refused(capsys, "incident", "no-such", code=ExitCode.NOTHING)


def test_a_wide_list_has_a_column_of_leads(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """A long name does not take the line from the rest."""
    monkeypatch.setenv("COLUMNS", "120")
    incident_id = store.open("0001", UP_TO_THE_GATE)
    assert out(capsys, "incidents").splitlines()[1].rstrip().endswith("-")
    store.append(incident_id, LeadAssigned(lead="ana" + "x" * 90, by="bob"), key="lead")
    head, line, *_ = out(capsys, "incidents").splitlines()
    assert head.rstrip().endswith("lead")
    assert "PostHog outage" in line
    assert line.rstrip().endswith("x…")


@pytest.mark.parametrize("pick", ["latest", "inc-20261122-1602", "whole id"])
def test_an_incident_is_found_by_what_people_type(store: Store, pick: str, capsys: Capture) -> None:
    """The id, a beginning that only one id has, or `latest`."""
    store.open("0001", EVENTS)
    wanted = store.open("0002", UP_TO_THE_GATE)
    reference = wanted if pick == "whole id" else pick
    assert json.loads(out(capsys, "incident", reference, "--json"))["incident"] == wanted


def test_an_unclear_or_unknown_id_is_refused(store: Store, capsys: Capture) -> None:
    """Nobody approves a change of an incident that they did not mean."""
    first, second = store.open("0001", EVENTS), store.open("0002", EVENTS)
    line = refused(capsys, "incident", "inc-20261122", code=ExitCode.USAGE)
    assert f"'inc-20261122' is the beginning of 2 ids: {second}, {first}" in line
    line = refused(capsys, "incident", "inc-1999", code=ExitCode.NOTHING)
    assert line == "runbook: error: no incident 'inc-1999'; `runbook incidents` lists them"


def test_a_severity_by_hand_goes_before_the_rules(store: Store, capsys: Capture) -> None:
    """The override is journalled with who and why, and holds at once."""
    incident_id = store.open("0001", EVENTS[:6])
    said = out(capsys, "severity", incident_id, "P3", "--by", "ana", "--reason", "one customer")
    assert said == f"{incident_id}: P1 -> P3 by ana (unproven claim)\n"
    in_force = store.read(incident_id).severity
    assert in_force is not None
    assert (in_force.severity, in_force.by, in_force.because) == ("P3", "ana", "one customer")


def test_a_closed_incident_keeps_its_severity(store: Store, capsys: Capture) -> None:
    """What is over is not rewritten."""
    incident_id = store.open("0001", EVENTS)
    line = refused(capsys, "severity", incident_id, "P1", "--reason", "x", code=ExitCode.NOTHING)
    assert f"{incident_id} is closed" in line
    assert len(store.read(incident_id).journal) == len(EVENTS)


@pytest.mark.usefixtures("store")
def test_a_store_that_cannot_be_reached_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The database's failure names the store and the setting, and never its password."""
    monkeypatch.setenv("STORE_URL", "postgresql+psycopg://runbook:pa55word@127.0.0.1:1/incidents")
    (tmp_path / "runbook.toml").write_text('[store]\nurl = { env = "STORE_URL" }\n')
    line = refused(capsys, "incidents", code=ExitCode.UNREACHABLE)
    assert "incident store" in line
    assert "[store] url" in line
    assert "pa55word" not in line


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ((), "21"),
        (("--waiting",), "2"),
        (("--state", "closed"), "1"),
        (("--state", "CLOSED"), "1"),  # as it is shown
        (("--service", "service-0002"), "2"),
        (("--service", "service"), ""),
        (("--search", "SERVICE-0001"), "1"),
        (("--search", "fallback"), "2"),  # what is asked
        (("--since", "2026-11-22T16:01:30Z"), "2"),
        (("--since", "2026-11-22"), "21"),
        (("--since", "1m"), ""),
        (("--waiting", "--state", "closed"), ""),
    ],
)
def test_a_list_can_be_narrowed(wanted: tuple[str, ...], numbers: str, store: Store, capsys: Capture) -> None:
    """Each option leaves something out; together they leave out what any of them does."""
    known = {store.open("0001", EVENTS): "1", store.open("0002", UP_TO_THE_GATE): "2"}
    assert main(["incidents", *wanted, "--json"]) == ExitCode.OK
    found = json.loads(capsys.readouterr().out)
    assert "".join(known[item["incident"]] for item in found) == numbers


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--waiting",), "no incident waits for an answer or a person"),
        (("--search", "nothing like it"), "no incident matches"),
        (("--search", "nothing like it", "--open"), "no open incident matches"),
    ],
)
def test_an_empty_list_says_of_what_there_is_none(
    options: tuple[str, ...], said: str, store: Store, capsys: Capture
) -> None:
    """So that nobody looks for a mistake in what they typed."""
    store.open("0001", EVENTS)
    assert main(["incidents", *options]) == ExitCode.OK
    assert capsys.readouterr().out.strip() == said


def test_a_time_that_is_none_is_refused(store: Store, capsys: Capture) -> None:  # noqa: ARG001  the folder
    """With the forms that are taken."""
    assert main(["incidents", "--since", "yesterday"]) == ExitCode.USAGE
    assert "'yesterday' is no time; write 2026-11-22, 7d, 12h or 30m" in capsys.readouterr().err
