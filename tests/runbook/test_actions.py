"""The catalogue of actions is complete, and a plan's digest is what an approver agrees to."""

import pytest

from runbook.actions import CATALOGUE, TEMPORARY_SWITCHES, ActionKind, ActionName, ChangePlan, Risk
from tests.runbook.journals import FALLBACK, PLAN


@pytest.mark.parametrize("name", ActionName)
def test_every_action_says_what_it_does_and_what_proves_it(name: ActionName) -> None:
    """An action without its row in the catalogue could not be explained to anyone."""
    spec = CATALOGUE[name]
    assert spec.title
    assert spec.success


@pytest.mark.parametrize("name", ActionName)
def test_every_change_has_a_risk_and_a_way_back_and_nothing_else_has(name: ActionName) -> None:
    """A change says how it is undone; an inspection or a hand-off has nothing to undo."""
    spec = CATALOGUE[name]
    is_change = spec.kind is ActionKind.CHANGE
    assert (spec.risk is not Risk.NONE) is is_change
    assert bool(spec.undo) is is_change


def test_inverses_belong_together() -> None:
    """What undoes an action is undone by it, and temporary switches are taken off by their inverses."""
    inverses = {name: spec.inverse for name, spec in CATALOGUE.items() if spec.inverse}
    assert all(inverses[inverse] is name for name, inverse in inverses.items())
    assert all(inverses[on] is off for on, off in TEMPORARY_SWITCHES.items())


OTHER_ACTIONS = {
    "another target": FALLBACK.model_copy(update={"target": "deployment/other"}),
    "other parameters": FALLBACK.model_copy(update={"parameters": {"from_revision": "6"}}),
    "another reason": FALLBACK.model_copy(update={"because": "somebody says so"}),
    "another action": FALLBACK.model_copy(update={"name": ActionName.ROLL_BACK}),
}


@pytest.mark.parametrize("action", OTHER_ACTIONS.values(), ids=list(OTHER_ACTIONS))
def test_digest_changes_with_the_action(action: object) -> None:
    """An approval of one action is none of another."""
    assert PLAN.model_copy(update={"action": action}).digest != PLAN.digest


def test_digest_changes_with_every_character_of_the_diff() -> None:
    """A change that is not to the letter the approved one has another digest."""
    assert PLAN.model_copy(update={"diff": PLAN.diff + " "}).digest != PLAN.digest


def test_digest_does_not_depend_on_what_is_not_up_for_approval() -> None:
    """The status of the object may move on while people think; only the change itself is approved."""
    later = PLAN.model_copy(
        update={"resource_versions": {"deployment": "18"}, "affects": ("4 pods restart",)}
    )
    assert later.digest == PLAN.digest


def test_digest_survives_the_journal() -> None:
    """A plan that was read back has the digest that was approved."""
    assert ChangePlan.model_validate_json(PLAN.model_dump_json()).digest == PLAN.digest
