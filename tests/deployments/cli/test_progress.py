"""What the terminal shows of a journal: every event, at any width, with and without colour."""

import io
from datetime import timedelta
from typing import get_args

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from deployments.progress import Progress, elapsed, print_question
from deployments.progress.rows import row_of
from deployments.progress.symbols import ASCII, UNICODE, plain
from deployments.services.refusals import Asked
from runbook.actions.essence import essence
from runbook.approvals.gates import Answer, Choice, PendingGate
from runbook.incidents import events as e
from tests.deployments.journal_samples import ALERT, EVENTS, OPENED_AT, PLAN, incident, journal
from tests.runbook.actions.test_essence import SET
from tests.runbook.journals import LIFE

EVENT_TYPES: tuple[type[e.Event], ...] = get_args(get_args(e.Event)[0])


def shown(*events: e.Event, width: int = 80, colour: bool = False, clock: bool = False) -> str:
    """What Progress prints of some events."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        highlight=False,
    )
    progress = Progress(console, opened_at=OPENED_AT, clock=clock)
    for recorded in journal(events):
        progress.show(recorded)
    return file.getvalue()


def words(text: str) -> str:
    """Text with its line breaks and indents undone."""
    return " ".join(text.replace("│", " ").split())


SAMPLES = (*EVENTS, *LIFE)


def test_the_samples_hold_every_type_of_event() -> None:
    """The tests below speak about all events: a new type needs a sample, and so a look at how it is shown."""
    assert {type(event) for event in SAMPLES} == set(EVENT_TYPES)


SILENT = (e.TriageStarted,)
"""Events that the next one repeats."""


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.type)
def test_every_event_has_its_line(event: e.Event) -> None:
    """Each event is shown with a sign and a word, but for those that the next one repeats."""
    row = row_of(event, UNICODE)
    if isinstance(event, SILENT):
        assert row is None
    else:
        assert row is not None
        assert cell_len(row.symbol) == 1
        assert 0 < cell_len(row.label) <= 9
        assert row.text.plain


def answered(choice: Choice, **said: object) -> e.ApprovalAnswered:
    """An answer of a person on the command line."""
    answer = Answer.model_validate({"choice": choice, "approver": "ana", "channel": "cli"} | said)
    return e.ApprovalAnswered(gate="g", action_id="1-a", plan_digest="1" * 64, answer=answer)


def drifted(*voided: str) -> e.PlanDrifted:
    """A plan that is no longer valid."""
    because = ("-image: web:1", "+image: web:2")
    return e.PlanDrifted(action_id="1-a", old_digest="1", new_digest="2", because=because, voided=voided)


@pytest.mark.parametrize(
    ("event", "label", "text"),
    [
        (drifted(), "Drifted", "the plan that was shown is no longer valid"),
        (
            drifted("ana", "bob"),
            "Drifted",
            "the plan that was shown is no longer valid; the approval of ana, bob is void",
        ),
        (e.ApprovalReminded(gate="g"), "Reminded", "the channel was reminded: nobody has answered"),
        (
            e.ApprovalReminded(gate="g", escalated=True),
            "Reminded",
            "a person was paged: nobody has answered",
        ),
        (answered(Choice.APPROVE), "Approved", "by ana (cli, unproven claim)"),
        (answered(Choice.REJECT, reason="by hand"), "Rejected", "by ana (cli, unproven claim): by hand"),
        (answered(Choice.SNOOZE), "Not yet", "by ana (cli, unproven claim)"),
        (
            answered(Choice.EDIT, parameters={"memory": "1Gi"}),
            "Edited",
            "memory = 1Gi by ana (cli, unproven claim)",
        ),
        (
            answered(Choice.APPROVE, approver="policy:preapproved", channel="policy"),
            "Approved",
            "by policy:preapproved (policy)",
        ),
    ],
)
def test_gates_and_plans_read_as_people_say_it(event: e.Event, label: str, text: str) -> None:
    """Who said what, and why an approval counts no more."""
    row = row_of(event, UNICODE)
    assert row is not None
    assert (row.label, row.text.plain) == (label, text)


def test_drift_shows_the_lines_that_have_changed() -> None:
    """What somebody else has changed stands under the line, with its signs."""
    lines = [line.strip() for line in shown(drifted("ana")).splitlines()]
    assert lines[-2:] == ["-image: web:1", "+image: web:2"]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("clock", [False, True])
def test_nothing_is_wider_than_the_terminal_or_cut(width: int, clock: bool) -> None:
    """Long texts wrap beside their label; nothing is cut off and no line is longer than the terminal."""
    text = shown(*EVENTS, width=width, clock=clock)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for part in (
        "PostHog answers our requests with 5xx",
        "19.20 errors/s (97% of",
        "Wait for PostHog to resolve. Enable fallback.",
        "+ - name: POSTHOG_FALLBACK",
        "97% of requests to PostHog fail",
        "missing: status-page.json (connection refused)",
    ):
        assert part in words(text), part


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("clock", [False, True])
def test_what_is_copied_has_a_line_of_its_own_and_is_never_broken(width: int, clock: bool) -> None:
    """An address or a path that is broken over two lines leads nowhere."""
    url = f"http://127.0.0.1:23999/runs/flow-run/{'0' * 36}"
    folder, draft = f"/srv/{'e' * 60}/before-mitigation", f"/srv/{'d' * 90}/postmortem.md"
    [collected] = [event for event in EVENTS if isinstance(event, e.EvidenceCollected)][:1]
    [drafted] = [event for event in EVENTS if isinstance(event, e.PostmortemDrafted)][:1]
    text = shown(
        e.RunStarted(flow_run_id="0", url=url),
        collected.model_copy(update={"folder": folder}),
        drafted.model_copy(update={"path": draft}),
        width=width,
        clock=clock,
    )
    lines = [line.strip() for line in text.splitlines()]
    assert [item for item in (url, folder, draft) if item not in lines] == []
    if width == 80:
        assert max(len(line) for line in text.splitlines() if "/runs/" in line) <= width


def test_findings_show_status_by_shape() -> None:
    """Ok, bad and unknown are told apart without colour."""
    lines = shown(*EVENTS[:5]).splitlines()
    signs = {check: sign for sign, check in (line.split()[:2] for line in lines if len(line.split()) > 1)}
    assert (signs["Health"], signs["Error"], signs["Logs"]) == ("✔", "✘", "?")


def test_the_decision_shows_its_way_and_what_would_change_it() -> None:
    """Questions, answers and facts from the root to the leaf; severity, plan and what would flip it."""
    text = words(shown(*EVENTS[:6]))
    way = [
        "PostHog API returning errors? YES",
        "error rate: 19.20 errors/s (97% of requests)",
        "Is status.posthog.com showing incident? YES",
        "Wait for PostHog to resolve. Enable fallback.",
        "P1: complete outage: 97% of requests to PostHog fail; respond < 15 min",
        "1. Enable the fallback (graceful degradation) on deployment/posthog-integration",
        "verify: if the status page check reported ok, the verdict would be “Our integration”",
    ]
    positions = [text.find(step) for step in way]
    assert -1 not in positions
    assert positions == sorted(positions)


def test_without_colour_there_is_no_escape_sequence() -> None:
    """NO_COLOR, a dumb terminal or a pipe get plain text."""
    assert "\x1b" not in shown(*EVENTS)


def test_colour_only_adds() -> None:
    """With colour, the same text is shown."""
    coloured = shown(*EVENTS, colour=True)
    assert "\x1b[" in coloured
    assert Text.from_ansi(coloured).plain.split() == shown(*EVENTS).split()


def test_a_terminal_without_unicode_gets_ascii_signs() -> None:
    """Every sign has a stand-in, and stand-ins are told apart too."""
    for event in EVENTS:
        if row := row_of(event, ASCII):
            assert row.symbol.isascii()
    assert len({ASCII.good, ASCII.bad, ASCII.unknown}) == 3


def test_text_from_outside_cannot_steer_the_terminal() -> None:
    """Terminal sequences do not come in with an alert; elsewhere they and direction marks are visible."""
    alert = ALERT.model_copy(update={"summary": "\x1b[2Jgone \x9b31m \u202etxt"})
    text = shown(e.IncidentOpened(alert=alert))
    hostile = drifted("\x1b[2Jana").model_copy(update={"because": ("-\x1b[2Jx",)})
    text += shown(hostile, answered(Choice.EDIT, parameters={"memory": "\x9b31m"}))
    assert not set("\x1b\x9b\u202e") & set(text)
    assert "gone" in text
    assert plain("\x1b[2Jgone \u202etxt") == "�[2Jgone �txt"
    assert plain("two\nlines\tkept") == "two\nlines\tkept"


def test_a_question_shows_the_exact_diff() -> None:
    """Whoever answers sees every line of the diff, what it affects, its risk, its proof and its undo."""
    found = incident(EVENTS[:10])
    assert found.pending_gate is not None
    file = io.StringIO()
    print_question(Console(file=file, width=100), found.pending_gate, PLAN)
    text = file.getvalue()
    assert [line for line in PLAN.diff.splitlines() if line.rstrip() not in text] == []
    for fact in ("2 pods restart", "risk:", "medium", "proof:", "undo:"):
        assert fact in text


def test_a_question_says_the_change_once_and_is_indented_where_it_wraps() -> None:
    """As the run asked it, also where the live object, which has the number of pods, is not at hand."""
    gate = PendingGate(
        gate="1-enable-fallback",
        action_id=SET.action.id,
        plan_digest=SET.digest,
        flow_run_id="7d4e",
        question=f"{'Enable the fallback, as the runbook says, ' * 3}? {essence(SET)}",
        asked_at=OPENED_AT,
    )
    asked = Asked.by(incident(EVENTS[:10]), gate, SET)
    assert (asked.plan.live, " on 2 pods" in asked.in_one_line) == ("", True)
    file = io.StringIO()
    print_question(Console(file=file, width=80), asked.gate, asked.plan, in_one_line=asked.in_one_line)
    first, *rest = file.getvalue().splitlines()
    assert first.endswith(asked.in_one_line)
    assert asked.in_one_line not in "\n".join(rest)
    assert [line for line in rest[:2] if not line.startswith("  ")] == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "+0.0s"),
        (-185, "-3m05s"),
        (-32160, "-8h56m"),
        (0.44, "+0.4s"),
        (59.94, "+59.9s"),
        (59.96, "+1m00s"),
        (185, "+3m05s"),
        (3599.7, "+1h00m"),
        (3725, "+1h02m"),
        (timedelta(days=2).total_seconds(), "+48h00m"),
    ],
)
def test_elapsed_time_reads_as_people_say_it(seconds: float, words: str) -> None:
    """Tenths of a second first, then minutes, then hours; what was before the alert has its sign."""
    assert elapsed(seconds) == words
