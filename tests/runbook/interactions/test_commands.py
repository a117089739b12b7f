"""What is typed after `/incident` is read as the command line's verbs, or its person learns what there is."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.approvals.acts import Act, ActKind
from runbook.decision.severity import Severity
from runbook.interactions.commands import InvalidCommand, Typed, Verb, help_lines, typed

BOB = "<@U0BOB|bob>"
PLAN = "0123456789ab"


@pytest.mark.parametrize(
    ("text", "read", "act"),
    [
        ("", Typed(verb=Verb.LIST), None),
        (" LIST ", Typed(verb=Verb.LIST), None),
        ("help", Typed(verb=Verb.HELP), None),
        ("lead latest", Typed(verb=Verb.LEAD, incident="latest"), Act(kind=ActKind.TAKE)),
        (
            "lead inc-1 @bob",
            Typed(verb=Verb.LEAD, incident="inc-1", name="bob"),
            Act(kind=ActKind.ASSIGN, name="bob"),
        ),
        ("comms inc-1", Typed(verb=Verb.COMMS, incident="inc-1"), Act(kind=ActKind.COMMS)),
        (
            f"support inc-1 {BOB}",
            Typed(verb=Verb.SUPPORT, incident="inc-1", name="U0BOB"),
            Act(kind=ActKind.SUPPORT, name="U0BOB"),
        ),
        ("handover inc-1", Typed(verb=Verb.HANDOVER, incident="inc-1"), None),
        (
            "handover inc-1 bob watch the queue",
            Typed(verb=Verb.HANDOVER, incident="inc-1", name="bob", text="watch the queue"),
            Act(kind=ActKind.ASSIGN, name="bob"),
        ),
        (
            "note inc-1  they roll back",
            Typed(verb=Verb.NOTE, incident="inc-1", text="they roll back"),
            Act(kind=ActKind.NOTE, text="they roll back"),
        ),
        (
            "note inc-1\nthey roll back:\n  both\n",
            Typed(verb=Verb.NOTE, incident="inc-1", text="they roll back:\n  both"),
            Act(kind=ActKind.NOTE, text="they roll back:\n  both"),
        ),
        ("lead\tinc-1\u00a0", Typed(verb=Verb.LEAD, incident="inc-1"), Act(kind=ActKind.TAKE)),
        ("update inc-1", Typed(verb=Verb.UPDATE, incident="inc-1"), Act(kind=ActKind.UPDATE)),
        (f"approve inc-1 {PLAN.upper()}", Typed(verb=Verb.APPROVE, incident="inc-1", plan=PLAN), None),
        (f"snooze inc-1 {PLAN}", Typed(verb=Verb.SNOOZE, incident="inc-1", plan=PLAN), None),
        (
            f"reject inc-1 {PLAN} we fail over",
            Typed(verb=Verb.REJECT, incident="inc-1", plan=PLAN, text="we fail over"),
            None,
        ),
        (
            f"edit inc-1 {PLAN} memory=768Mi",
            Typed(verb=Verb.EDIT, incident="inc-1", plan=PLAN, parameters={"memory": "768Mi"}),
            None,
        ),
        ("ack inc-1", Typed(verb=Verb.ACK, incident="inc-1"), Act(kind=ActKind.ACK)),
        ("snooze inc-1", Typed(verb=Verb.SNOOZE, incident="inc-1"), Act(kind=ActKind.SNOOZE)),
        (
            "snooze inc-1 30",
            Typed(verb=Verb.SNOOZE, incident="inc-1", minutes=30),
            Act(kind=ActKind.SNOOZE, minutes=30),
        ),
        (
            "state inc-1 Monitoring they rolled back",
            Typed(verb=Verb.STATE, incident="inc-1", state="monitoring", text="they rolled back"),
            Act(kind=ActKind.STATE, state="monitoring", text="they rolled back"),
        ),
        (
            "severity inc-1 p2 half of it works",
            Typed(verb=Verb.SEVERITY, incident="inc-1", severity=Severity.P2, text="half of it works"),
            None,
        ),
        (
            f"publish inc-1 {PLAN}",
            Typed(verb=Verb.PUBLISH, incident="inc-1", plan=PLAN),
            Act(kind=ActKind.PUBLISH, proposal=PLAN),
        ),
        (
            f"withhold inc-1 {PLAN} too early",
            Typed(verb=Verb.WITHHOLD, incident="inc-1", plan=PLAN, text="too early"),
            Act(kind=ActKind.WITHHOLD, proposal=PLAN, text="too early"),
        ),
        (
            "false-alarm inc-1 a load test",
            Typed(verb=Verb.FALSE_ALARM, incident="inc-1", text="a load test"),
            Act(kind=ActKind.RESOLVE, outcome="false-positive", text="a load test"),
        ),
    ],
)
def test_a_command_is_read(text: str, read: Typed, act: Act | None) -> None:
    """Each verb, with what it asks for."""
    assert typed(text) == read
    assert typed(text).act == act


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("leed inc-1", "no such command"),
        ("lead", "/incident lead ID"),
        ("note inc-1", "/incident note ID TEXT"),
        ("update inc-1 now", "/incident update ID"),
        ("approve inc-1", "/incident approve ID PLAN"),
        ("approve inc-1 0123456", "/incident approve ID PLAN"),
        (f"approve inc-1 {PLAN} now", "/incident approve ID PLAN"),
        (f"reject inc-1 {PLAN}", "Say why"),
        (f"edit inc-1 {PLAN}", "NAME=VALUE"),
        (f"edit inc-1 {PLAN} memory=", "NAME=VALUE"),
        ("severity inc-1 P5 it is bad", "Choose a severity"),
        ("severity inc-1 P1", "Say why"),
        ("false-alarm inc-1", "Say why"),
    ],
)
def test_what_is_no_command_says_what_is_wrong(text: str, why: str) -> None:
    """It quotes nothing of what was typed."""
    with pytest.raises(InvalidCommand) as error:
        typed(text)
    assert why in str(error.value)


def test_the_help_has_every_verb() -> None:
    """After what was wrong."""
    lines = help_lines("No.")
    assert lines[0] == "No."
    for verb in set(Verb) - {Verb.LIST}:
        assert any(line.startswith(f"/incident {verb.value}") for line in lines)


@given(text=st.text(max_size=300))
def test_anything_can_be_typed(text: str) -> None:
    """It is a command, or none."""
    with suppress(InvalidCommand):
        assert typed(text).verb in Verb


def test_what_is_too_long_says_how_long_and_what_to_do() -> None:
    """Slack shows nothing of a refusal, so it is an answer."""
    assert typed(f"note inc-1 {'x' * 2_989}").text == "x" * 2_989
    with pytest.raises(InvalidCommand, match=r"Nothing was done: that is 3001 .*as several notes"):
        typed(f"note inc-1 {'x' * 2_990}")
