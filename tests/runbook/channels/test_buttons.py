"""A button under a message belongs to one question, and says so when it is clicked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.channels.buttons import ANSWERS, MAX_VALUE, Button, ButtonKind, InvalidButton, button_of

NAMES = st.text(alphabet=st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=100)


@given(st.sampled_from(ButtonKind), NAMES, NAMES, NAMES)
def test_a_click_gives_the_button_back(kind: ButtonKind, incident: str, gate: str, plan: str) -> None:
    """What a channel carries is enough to know the button, and fits Slack's limit."""
    button = Button(kind=kind, incident=incident, gate=gate, plan=plan)
    assert button_of(button.action_id, button.value) == button
    assert len(button.value) <= MAX_VALUE


@pytest.mark.parametrize(
    ("action_id", "value", "why"),
    [
        ("approve", '{"incident": "inc-1"}', "not one of the runbook's"),
        ("runbook.delete", '{"incident": "inc-1"}', "not one of the runbook's"),
        ("runbook.take", "", "does not name an incident"),
        ("runbook.take", "[]", "does not name an incident"),
        ("runbook.take", '{"incident": ""}', "does not name an incident"),
        ("runbook.take", '{"incident": "inc-1", "kind": "approve"}', "does not name an incident"),
    ],
)
def test_another_button_is_refused(action_id: str, value: str, why: str) -> None:
    """What is not a button of the runbook asks for nothing."""
    with pytest.raises(InvalidButton, match=why):
        button_of(action_id, value)


@pytest.mark.parametrize("kind", sorted(ANSWERS))
@pytest.mark.parametrize(
    "value", ['{"incident": "i"}', '{"incident": "i", "gate": "g"}', '{"incident": "i", "plan": "p"}']
)
def test_an_answer_names_its_question(kind: ButtonKind, value: str) -> None:
    """An answer without the gate or the plan that was shown is none."""
    with pytest.raises(InvalidButton, match="does not name its question"):
        button_of(f"runbook.{kind}", value)
