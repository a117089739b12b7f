"""`runbook incidents`, `incident` and `severity`, from the settings file's store: Prefect is not needed."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.approvals.identity import Identity
from runbook.incidents.events import LeadAssigned, NoteAdded, RunStarted
from tests.deployments.cli_store import Store, store_in
from tests.deployments.journal_samples import EVENTS, GATE, OPENED_AT, PLAN

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
    assert f"{asking} 2026-11-22 16:02 P2 IDENTIFIED PostHog outage asks: " in text
    assert f"{closed} 2026-11-22 16:01 P2 CLOSED PostHog outage, recovered lead: ana" in text


def test_closed_incidents_can_be_left_out(store: Store, capsys: Capture) -> None:
    """`--open` lists what someone still has to care about; `--limit` bounds the list."""
    store.open("0001", EVENTS)
    asking, newer = store.open("0002", UP_TO_THE_GATE), store.open("0003", EVENTS[:1])
    listed = json.loads(out(capsys, "incidents", "--open", "--json"))
    assert [item["incident"] for item in listed] == [newer, asking]
    [only] = json.loads(out(capsys, "incidents", "--limit", "1", "--json"))
    assert only["incident"] == newer


def test_one_incident_shows_what_to_answer_last(store: Store, capsys: Capture) -> None:
    """Header, timeline, then the open question with its exact diff and the commands that answer it."""
    incident_id = store.open("0001", UP_TO_THE_GATE)
    shown = out(capsys, "incident", incident_id)
    assert shown.startswith(f"{incident_id}  P2  IDENTIFIED\n")
    timeline, question = shown.rsplit("\n▶ ", maxsplit=1)
    assert "16:01:09   +9.0s ▶ Approval" in timeline
    assert [line for line in PLAN.diff.splitlines() if line.rstrip() not in question] == []
    assert f"runbook approve {incident_id} --plan {PLAN.digest[:12]}\n" in question
    assert shown.endswith(f"runbook reject {incident_id} --reason TEXT\n")


def test_one_incident_says_who_works_on_it(store: Store, capsys: Capture) -> None:
    """The lead, the communications lead, who has acknowledged it; a late note stands where it happened."""
    happened = OPENED_AT + timedelta(seconds=30)
    late = NoteAdded(by="ana", text="they called", identity=Identity(name="ana"), happened_at=happened)
    incident_id = store.open("0001", EVENTS)
    store.append(incident_id, late, key="late")
    shown = out(capsys, "incident", incident_id)
    head, _, story = shown.partition("\n\n")
    lines = dict(line.split(maxsplit=1) for line in head.splitlines()[1:] if line)
    assert (lines["lead:"], lines["comms:"], lines["acked:"]) == ("ana", "cyd", "ana")
    told = [" ".join(line.split()) for line in story.splitlines()]
    assert any(line.endswith("Lead bob (unproven claim) made ana the lead") for line in told)
    assert "16:00:30 +0.0s" in told[0]
    assert "Note ana (unproven claim): they called" in told[0]
    assert "(written 59 min 30 s later)" in " ".join(told[:3])
    facts = json.loads(out(capsys, "incident", incident_id, "--json"))
    assert (facts["lead"], facts["comms_lead"], facts["acknowledged_by"]) == ("ana", "cyd", ["ana"])
    assert facts["notes"][0]["at"] == "2026-11-22T16:00:30Z"


def test_the_answer_to_paste_names_the_settings_file_that_was_given(
    store: Store, tmp_path: Path, capsys: Capture
) -> None:
    """Without it the command would look for another one, and nothing is broken over two lines."""
    incident_id = store.open("0001", UP_TO_THE_GATE)
    given = tmp_path / "other settings.toml"
    given.write_text((tmp_path / "runbook.toml").read_text())
    lines = out(capsys, "incident", incident_id, "--config", str(given)).splitlines()
    assert lines[-2:] == [
        f"Answer:  runbook approve {incident_id} --plan {PLAN.digest[:12]} --config '{given}'",
        f"         runbook reject {incident_id} --reason TEXT --config '{given}'",
    ]


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
    assert "--config" not in line.replace(f"`runbook incident {incident_id} --config '{given}'`", "")
    assert "`runbook incidents` lists" in refused(capsys, "incident", "no-such", code=ExitCode.NOTHING)


def test_the_run_can_be_copied(store: Store, capsys: Capture) -> None:
    """An address that is broken over two lines leads nowhere."""
    url = f"http://127.0.0.1:4200/runs/flow-run/{'0' * 36}/{'x' * 80}"
    incident_id = store.open("0001", (*UP_TO_THE_GATE, RunStarted(flow_run_id="0", url=url)))
    assert f"run:     {url}" in out(capsys, "incident", incident_id).splitlines()


def test_one_incident_as_json_has_everything(store: Store, capsys: Capture) -> None:
    """Programs get the headline, path, actions, messages, the gate with its diff and the whole journal."""
    incident_id = store.open("0001", UP_TO_THE_GATE)
    facts = json.loads(out(capsys, "incident", incident_id, "--json"))
    assert facts["incident"] == incident_id
    assert (facts["verdict"], facts["severity"], facts["state"]) == ("posthog_outage", "P2", "IDENTIFIED")
    assert facts["path"] == ["posthog_returning_errors: yes", "status_page_incident: yes"]
    assert facts["messages"] == [{"channel": "slack", "state": "IDENTIFIED"}]
    assert (facts["gate"]["gate"], facts["gate"]["diff"]) == (GATE, PLAN.diff)
    assert len(facts["journal"]) == len(UP_TO_THE_GATE)


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
