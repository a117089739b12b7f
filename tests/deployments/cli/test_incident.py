"""`runbook incident`: in short, in full and for programs."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity
from runbook.channels.untold import NO_CHANNEL, told_nobody
from runbook.incidents.effects import Authority
from runbook.incidents.events import (
    ApprovalAnswered,
    ApprovalRequested,
    EffectSettled,
    IncidentEscalated,
    NoteAdded,
    ResponsePaused,
    RunStarted,
    StateForced,
    StatusAnnounced,
)
from tests.deployments.cli.test_incidents import UP_TO_THE_GATE, Capture, out, store
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import EVENTS, GATE, INCIDENT, OPENED_AT, PLAN

__all__ = ["store"]  # a fixture, found here


def test_one_incident_in_full_shows_what_to_answer_last(store: Store, capsys: Capture) -> None:
    """Header, timeline, then the open question with its exact diff, once, and the commands that answer it."""
    incident_id = store.open("0001", UP_TO_THE_GATE)
    shown = out(capsys, "incident", incident_id, "--full")
    assert shown.startswith(f"{incident_id}  P2  IDENTIFIED  waits for an answer\n")
    timeline, question = shown.rsplit("\n▶ ", maxsplit=1)
    assert "16:01:09   +9.0s ▶ Approval" in timeline
    assert [line for line in PLAN.diff.splitlines() if line.rstrip() not in question] == []
    assert "POSTHOG_FALLBACK" not in timeline
    assert f"  1 approve  runbook approve {incident_id} --plan {PLAN.digest[:12]}\n" in question
    assert f"  2 reject   runbook reject {incident_id} --reason TEXT\n" in question
    assert shown.endswith(f"  3 not yet  runbook snooze {incident_id}\n")


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_one_incident_is_short(
    columns: str, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """State, verdict, the question with who has approved, numbered commands, and what comes next."""
    monkeypatch.setenv("COLUMNS", columns)
    incident_id = store.open("0001", UP_TO_THE_GATE)
    shown = out(capsys, "incident", incident_id)
    told = " ".join(shown.split())
    assert len(shown.splitlines()) < 40
    assert told.startswith(f"{incident_id} P2 IDENTIFIED waits for an answer service: service-0001")
    assert "verdict: PostHog outage, 500/503 - PostHog Errors" in told
    assert told.count("name: POSTHOG_FALLBACK") == 1
    assert "who: anybody approved: 0 of 1" in told
    assert f"1 approve runbook approve {incident_id} --plan {PLAN.digest[:12]} 2 reject" in told
    assert f"see all runbook incident {incident_id} --full" in told
    assert "16:06 UTC (due): without an answer the channel is reminded" in told
    assert "Triage" not in told
    commands = [line for line in shown.splitlines() if "runbook approve" in line]
    assert commands == [f"  1 approve  runbook approve {incident_id} --plan {PLAN.digest[:12]}"]


def test_a_question_that_two_must_approve_says_who_has(store: Store, tmp_path: Path, capsys: Capture) -> None:
    """Who may, and one of two."""
    rule = "[policy.approvals.medium]\ncount = 2\naccept_unverified = true\n"
    people = f"[policy.people]\nana = {{}}\nbob = {{}}\n{rule}"
    with (tmp_path / "runbook.toml").open("a") as settings:
        settings.write(people)
    incident_id = store.open("0001", UP_TO_THE_GATE)
    asked = store.read(incident_id).pending_gate
    assert asked is not None
    yes = Answer(choice=Choice.APPROVE, approver="ana", channel="cli")
    said = ApprovalAnswered(
        gate=asked.gate, action_id=asked.action_id, plan_digest=asked.plan_digest, answer=yes
    )
    again = ApprovalRequested(
        gate="second",
        action_id=asked.action_id,
        plan_digest=asked.plan_digest,
        question="Shall it?",
        flow_run_id="0",
    )
    store.append(incident_id, said, key="yes")
    store.append(incident_id, again, key="again")
    told = " ".join(out(capsys, "incident", incident_id).split())
    assert "approved: 1 of 2: ana (unproven claim)" in told
    facts = json.loads(out(capsys, "incident", incident_id, "--json"))
    assert (facts["gate"]["approvals"]["needed"], len(facts["gate"]["approvals"]["approved"])) == (2, 1)


def test_an_incident_that_waits_for_a_person_says_how_to_end_it(store: Store, capsys: Capture) -> None:
    """And when it looks again."""
    paused = ResponsePaused(because="the facts do not suffice", next_look_at=OPENED_AT + timedelta(minutes=5))
    incident_id = store.open("0001", (*EVENTS[:5], paused))
    told = " ".join(out(capsys, "incident", incident_id).split())
    assert "waits for a person" in told
    assert "▶ a person is needed because: the facts do not suffice" in told
    assert f"end it runbook resolve {incident_id} --outcome recovered --reason TEXT" in told
    assert "(due): the checks are made again" in told


@pytest.mark.parametrize("full", [(), ("--full",)])
def test_a_state_that_is_told_on_a_persons_word_is_shown(
    full: tuple[str, ...], store: Store, capsys: Capture
) -> None:
    """Beside the proved one: everybody else reads it in their messages."""
    said = StateForced(
        state="MONITORING", by="ana", because="they rolled back", identity=Identity(name="ana")
    )
    incident_id = store.open("0001", (*UP_TO_THE_GATE, said))
    shown = " ".join(out(capsys, "incident", incident_id, *full).partition("\n\n")[0].split())
    assert f"{incident_id} P2 IDENTIFIED waits for an answer" in shown
    assert "told: MONITORING, said by ana: they rolled back; not proved by the runbook" in shown


def test_what_comes_at_the_same_minute_is_all_told(store: Store, capsys: Capture) -> None:
    """No clock hides another one."""
    at = OPENED_AT + timedelta(minutes=2)
    told = StatusAnnounced(channel="slack", state="IDENTIFIED", next_update_at=at)
    paused = ResponsePaused(because="the facts do not suffice", next_look_at=at)
    incident_id = store.open("0001", (*EVENTS[:5], told, paused))
    coming = " ".join(out(capsys, "incident", incident_id).partition("Next, without")[2].split())
    assert coming.count("16:02 UTC") == 1
    assert "the update that was promised in slack" in coming
    assert "the checks are made again" in coming


def test_one_incident_says_who_works_on_it(store: Store, capsys: Capture) -> None:
    """The lead, the communications lead, who has acknowledged it; a late note stands where it happened."""
    happened = OPENED_AT + timedelta(seconds=30)
    late = NoteAdded(by="ana", text="they called", identity=Identity(name="ana"), happened_at=happened)
    incident_id = store.open("0001", EVENTS)
    store.append(incident_id, late, key="late")
    shown = out(capsys, "incident", incident_id, "--full")
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
    answers = [line for line in lines if re.match(r"  [1-4] ", line)]
    assert answers == [
        f"  1 approve  runbook approve {incident_id} --plan {PLAN.digest[:12]} --config '{given}'",
        f"  2 reject   runbook reject {incident_id} --reason TEXT --config '{given}'",
        f"  3 not yet  runbook snooze {incident_id} --config '{given}'",
    ]


@pytest.mark.parametrize("full", [(), ("--full",)])
def test_the_run_can_be_copied(full: tuple[str, ...], store: Store, capsys: Capture) -> None:
    """An address that is broken over two lines leads nowhere."""
    url = f"http://127.0.0.1:4200/runs/flow-run/{'0' * 36}/{'x' * 80}"
    incident_id = store.open("0001", (*UP_TO_THE_GATE, RunStarted(flow_run_id="0", url=url)))
    assert f"run:      {url}" in out(capsys, "incident", incident_id, *full).splitlines()


@pytest.mark.parametrize("columns", ["60", "80"])
def test_no_address_and_no_command_is_broken(
    columns: str, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Also of a note, and what a page says to type; one that fits stays where it is said."""
    monkeypatch.setenv("COLUMNS", columns)
    long, short = f"https://grafana.example/d/{'a' * 50}?from=1", "https://a.example"
    command = f"kubectl set env deployment/posthog-integration {'X' * 60}-"
    note = NoteAdded(by="ana", text=f"see {long} and {short}", identity=Identity(name="ana"))
    called = IncidentEscalated(because="undo it", commands=(command,))
    incident_id = store.open("0001", (*EVENTS[:5], note, called))
    lines = [line.strip() for line in out(capsys, "incident", incident_id, "--full").splitlines()]
    assert long in lines
    assert command in lines
    assert any(short in line for line in lines)


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


def test_an_incident_of_which_nobody_could_be_told_says_so(store: Store, capsys: Capture) -> None:
    """Above the timeline and in it, and never that somebody was paged."""
    called = IncidentEscalated(because="the facts do not suffice")
    nobody = told_nobody(INCIDENT, 1, "checkout: the facts do not suffice", [], Authority.policy("escalate"))
    assert nobody is not None
    incident = store.open("0001", (*UP_TO_THE_GATE, called, EffectSettled(effect=nobody)))
    assert "obody could be told: no pager" in out(capsys, "incident", incident)
    shown = out(capsys, "incident", incident, "--full")
    header, timeline = shown.split("\n\n", 1)
    why = "obody could be told: no pager and no channel is configured"
    assert f"N{why}. A person is needed: the facts do not suffice" in header
    assert re.search(
        r"Needs you the facts do not suffice\n.+Not told  nobody could be told: no pager", timeline
    )
    assert "Escalated" not in shown
    assert "was paged" not in shown
    [told] = json.loads(out(capsys, "incident", incident, "--json"))["untold"]
    assert told == {"because": "the facts do not suffice", "why": NO_CHANNEL}
