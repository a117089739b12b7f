"""Dialogs stay within Slack's limits, whatever is in the incident, and come back as what was asked."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.drill.world.channels.slack_views import view_problems
from runbook.approvals.gates import Choice, Instead
from runbook.channels.buttons import Button, ButtonKind, InvalidButton
from runbook.decision.severity import Severity
from runbook.incidents.incident import Incident
from runbook.interactions.modals import (
    DIALOGS,
    MOST_METADATA,
    PUBLIC_TITLE_FIELD,
    carried,
    context_of,
    dialog,
)
from runbook.interactions.payloads import View
from runbook.interactions.submissions import (
    InvalidSubmission,
    act_of,
    edit_of,
    field_of,
    rejection_of,
    severity_of,
    shown,
)
from runbook.policy.policy import Policy
from tests.deployments.cli.test_gates import MEMORY
from tests.runbook.journals import LIFE, decided
from tests.runbook.journals import incident as journal
from tests.runbook.public_texts import PROPOSED

URL = "https://hooks.slack.com/actions/T1/1/" + "a" * 24


def button(kind: ButtonKind) -> Button:
    """A button of that kind."""
    return Button(kind=kind, incident="inc-20260301-100000-abcd", gate="1-x-1-" + "a" * 16, plan="d" * 64)


def view(**fields: str) -> View:
    """A dialog that was filled in."""
    values: dict[str, Any] = {
        name.replace("__", ":"): {"value": {"value": text}} for name, text in fields.items()
    }
    return View.model_validate({"id": "V1", "state": {"values": values}})


@pytest.fixture(scope="module")
def incident() -> Incident:
    """An incident in which everything has happened."""
    return journal(*LIFE)


@pytest.mark.parametrize("kind", DIALOGS)
def test_a_dialog_is_within_the_limits(kind: ButtonKind, incident: Incident) -> None:
    """And brings its button back."""
    context = carried(button(kind), response_url=URL, ts="1.2")
    made = dialog(context, incident, Policy(), MEMORY)
    assert view_problems(made) == []
    assert context_of(made["private_metadata"]) == context
    assert context.button == button(kind)


@given(text=st.text(max_size=5_000))
def test_long_and_strange_parameters_do_not_break_a_dialog(text: str) -> None:
    """The present value is shown as far as a field takes it."""
    action = MEMORY.action.model_copy(update={"parameters": {"memory": text}, "target": text[:400] or "x"})
    plan = MEMORY.model_copy(update={"action": action})
    made = dialog(carried(button(ButtonKind.EDIT), response_url=URL, ts=""), journal(*LIFE), Policy(), plan)
    assert view_problems(made) == []


@given(url=st.text(max_size=1_000), gate=st.text(min_size=1, max_size=250))
def test_what_a_dialog_carries_fits(url: str, gate: str) -> None:
    """Where it would be too long, the address is left out: the person is not told, and the answer counts."""
    own = button(ButtonKind.REJECT).model_copy(update={"gate": gate})
    context = carried(own, response_url=url, ts="1.2")
    assert context.response_url in ("", url)
    if len(context.model_dump_json()) > MOST_METADATA:
        assert context.response_url == ""


@pytest.mark.parametrize("metadata", ["", "null", "[]", '{"action_id": 1}', '{"value": "x"}'])
def test_what_is_no_context_is_refused(metadata: str) -> None:
    """It quotes nothing."""
    with pytest.raises(InvalidButton, match="does not name its button"):
        context_of(metadata)


@pytest.mark.parametrize(("title", "shown_first"), [("Late events", "Late events"), ("x" * 151, None)])
def test_a_title_that_is_left_as_it_is_stays(title: str, shown_first: str | None) -> None:
    """One that is longer than people may write is not offered cut: sent off, that would replace it."""
    asked = PROPOSED.model_copy(update={"title": title})
    context = carried(
        Button(kind=ButtonKind.EDIT_TEXT, incident="inc-1", plan=asked.digest), response_url="", ts="1"
    )
    made = dialog(context, journal(decided(), asked), Policy())
    assert view_problems(made) == []
    [field] = [block for block in made["blocks"] if block.get("block_id") == PUBLIC_TITLE_FIELD]
    assert (field["element"].get("initial_value"), field["optional"]) == (shown_first, True)


def test_a_rejection_is_read() -> None:
    """For now, it comes back after an hour."""
    answer = rejection_of(view(reason=" no ", instead="nothing"), "ana")
    assert (answer.choice, answer.reason, answer.channel) == (Choice.REJECT, "no", "slack")
    assert (answer.instead, answer.snooze_minutes) == (Instead.NOTHING, 60)
    assert rejection_of(view(reason="no", instead="by-hand"), "ana").snooze_minutes is None


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"instead": "nothing"}, "reason"),
        ({"reason": "no"}, "instead"),
        ({"reason": "no", "instead": "x"}, "instead"),
    ],
)
def test_a_rejection_lacks_something(fields: dict[str, str], wrong: str) -> None:
    """It is told at the field."""
    with pytest.raises(InvalidSubmission) as error:
        rejection_of(view(**fields), "ana")
    assert [*error.value.errors] == [wrong]


def test_an_edit_takes_what_was_changed_only() -> None:
    """Within the bounds of the policy."""
    answer = edit_of(view(parameter__memory="1Gi"), "ana", MEMORY, Policy())
    assert (answer.choice, answer.parameters) == (Choice.EDIT, {"memory": "1Gi"})
    for value in ("512Mi", "", "many", "-1"):
        with pytest.raises(InvalidSubmission) as error:
            edit_of(view(parameter__memory=value), "ana", MEMORY, Policy())
        assert [*error.value.errors] == ["parameter:memory"]


def test_a_severity_is_read() -> None:
    """With its reason."""
    assert severity_of(view(severity="P1", reason="all")) == (Severity.P1, "all")
    for fields, wrong in (({"severity": "P9", "reason": "x"}, "severity"), ({"severity": "P1"}, "reason")):
        with pytest.raises(InvalidSubmission) as error:
            severity_of(view(**fields))
        assert [*error.value.errors] == [wrong]


def test_a_note_and_an_end_are_read() -> None:
    """An end by this button is a false positive."""
    note = act_of(Button(kind=ButtonKind.NOTE, incident="inc-1"), view(note="seen", at="14:05"))
    assert (note.kind.value, note.text, note.at) == ("note", "seen", "14:05")
    end = act_of(Button(kind=ButtonKind.FALSE_ALARM, incident="inc-1"), view(reason="a test"))
    assert (end.kind.value, end.outcome, end.text) == ("resolve", "false-positive", "a test")


@given(problem=st.text(), kind=st.sampled_from([*DIALOGS]))
def test_a_refusal_is_shown_at_a_field_of_the_dialog(problem: str, kind: ButtonKind) -> None:
    """Slack takes an error only at a field that is there."""
    made = dialog(carried(button(kind), response_url=URL, ts=""), journal(*LIFE), Policy(), MEMORY)
    names = [block["block_id"] for block in made["blocks"] if block["type"] == "input"]
    filled = View.model_validate(
        {"id": "V1", "state": {"values": {name: {"value": {"value": "x"}} for name in names}}}
    )
    assert field_of(kind, filled, problem) in names


def test_an_error_shows_no_secret() -> None:
    """It is text from elsewhere."""
    assert "a" * 43 not in shown("phc_" + "a" * 43)
    assert len(shown("x" * 1000)) <= 300
