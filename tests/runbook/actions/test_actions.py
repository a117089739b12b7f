"""The catalogue of actions is complete, and a plan's digest is what an approver agrees to."""

import dataclasses
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runbook.actions.catalogue import (
    CATALOGUE,
    TEMPORARY_SWITCHES,
    ChangePlan,
    PlannedAction,
    specs_in,
    undo_of,
)
from runbook.actions.spec import ActionKind, ActionName, Risk
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.actions.specs.undo import UNDO
from runbook.policy.policy import Policy
from tasks.actions.changes import MITIGATIONS
from tasks.actions.changes.base import Reversible
from tests.runbook.journals import FALLBACK, PLAN


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_action_says_what_it_does_and_what_proves_it(name: ActionName) -> None:
    """An action without its row in the catalogue could not be explained to anyone."""
    spec = CATALOGUE[name]
    assert spec.title
    assert spec.success


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_change_has_a_risk_and_a_way_back_and_nothing_else_has(name: ActionName) -> None:
    """A change says how it is undone; an inspection or a hand-off has nothing to undo."""
    spec = CATALOGUE[name]
    is_change = spec.kind is ActionKind.CHANGE
    assert (spec.risk is not Risk.NONE) is is_change
    assert bool(spec.undo) is is_change


@pytest.mark.parametrize("name", MITIGATIONS)
def test_what_did_not_help_is_undone_where_there_is_something_to_take_back(name: ActionName) -> None:
    """A spec promises an undo exactly where the steps of the change have one."""
    assert CATALOGUE[name].reversible is isinstance(MITIGATIONS[name], Reversible)


def test_temporary_switches_are_taken_off_by_changes_of_their_own() -> None:
    """Each switch that is left on has an action that turns it off, and no action is both."""
    assert TEMPORARY_SWITCHES.keys().isdisjoint(TEMPORARY_SWITCHES.values())
    assert {CATALOGUE[name].kind for pair in TEMPORARY_SWITCHES.items() for name in pair} == {
        ActionKind.CHANGE
    }


@pytest.mark.parametrize("name", [name for name, spec in CATALOGUE.items() if spec.reversible])
def test_undo_names_the_action_that_it_takes_back(name: ActionName) -> None:
    """It is a change of the same target with an id of its own, and tells which action it undoes."""
    action = FALLBACK.model_copy(update={"id": "3-x", "name": name, "parameters": {"memory": "1Gi"}})
    undo = undo_of(action)
    assert (undo.id, undo.name, undo.target) == ("3-x-undo", UNDO.name, action.target)
    assert undo.parameters == {"undoes": "3-x"}
    assert undo.because == f"it did not help: {action.spec.title}"


OTHER_ACTIONS = {
    "another target": FALLBACK.model_copy(update={"target": "deployment/other"}),
    "other parameters": FALLBACK.model_copy(update={"parameters": {"from_revision": "6"}}),
    "another reason": FALLBACK.model_copy(update={"because": "somebody says so"}),
    "another action": FALLBACK.model_copy(update={"name": ROLL_BACK.name}),
}


@pytest.mark.parametrize("action", OTHER_ACTIONS.values(), ids=list(OTHER_ACTIONS))
def test_digest_changes_with_the_action(action: object) -> None:
    """An approval of one action is none of another."""
    assert PLAN.model_copy(update={"action": action}).digest != PLAN.digest


def test_digest_changes_with_every_character_of_the_diff() -> None:
    """A change that is not to the letter the approved one has another digest."""
    assert PLAN.model_copy(update={"diff": PLAN.diff + " "}).digest != PLAN.digest


@pytest.mark.parametrize(
    "basis",
    [
        {},
        {"workload": "f2"},
        {"workload": "f1", "Secret": "1"},
        {"Secret": "f1"},
        {"workload": "f1\nSecret=1"},
    ],
)
def test_digest_changes_with_what_the_plan_was_made_on(basis: dict[str, str]) -> None:
    """The same diff on another object is another plan."""
    made_on = PLAN.model_copy(update={"basis": {"workload": "f1"}})
    assert PLAN.model_copy(update={"basis": basis}).digest != made_on.digest


def test_digest_does_not_depend_on_what_is_not_up_for_approval() -> None:
    """The status of the object may move on while people think; only the change itself is approved."""
    later = PLAN.model_copy(
        update={
            "resource_versions": {"deployment": "18"},
            "affects": ("4 pods restart",),
            "live": "replicas: 4",
            "before": {"replicas": "4"},
        }
    )
    assert later.digest == PLAN.digest


@given(st.permutations(["workload", "Secret", "replacement key"]))
def test_digest_does_not_depend_on_the_order_of_the_basis(names: list[str]) -> None:
    """Whatever is looked at first, the plan is the same."""
    basis = {name: f"f-{name}" for name in names}
    in_order = PLAN.model_copy(update={"basis": dict(sorted(basis.items()))})
    assert PLAN.model_copy(update={"basis": basis}).digest == in_order.digest


def test_digest_survives_the_journal() -> None:
    """A plan that was read back has the digest that was approved."""
    assert ChangePlan.model_validate_json(PLAN.model_dump_json()).digest == PLAN.digest


RELEASED = (
    "verify_credentials",
    "replace_api_key",
    "restart_deployment",
    "enable_request_queue",
    "disable_request_queue",
    "enable_fallback",
    "disable_fallback",
    "roll_back",
    "raise_memory_limit",
    "scale",
    "delete_pod",
    "undo",
    "inspect_infrastructure",
    "hand_off",
)


@pytest.mark.parametrize("name", RELEASED)
def test_an_action_of_a_release_keeps_its_name(name: str) -> None:
    """Journals have it, and the ids of actions are made of it: `1-enable-fallback`."""
    written = f'{{"id":"1-x","name":"{name}","target":"a","because":"b","parameters":{{}}}}'
    action = PlannedAction.model_validate_json(written)
    assert action.model_dump_json() == written
    assert action.spec.name.slug == name.replace("_", "-")


def test_a_name_that_no_action_has_is_refused() -> None:
    """In a journal or in the settings; the error lists those that there are."""
    with pytest.raises(ValidationError, match=r"no such action; there are: .*enable_fallback"):
        PlannedAction.model_validate({**FALLBACK.model_dump(), "name": "enable_falback"})
    with pytest.raises(ValidationError, match="no such action"):
        Policy.model_validate({"preapproved": {"restart": ("P1",)}})


def test_two_actions_of_one_name_are_refused() -> None:
    """The second file is named, and neither is taken."""
    one = ModuleType("one")
    one.__dict__["A"], one.__dict__["B"] = (dataclasses.replace(UNDO), UNDO)
    with pytest.raises(TypeError, match="one: there is another action of the name undo"):
        specs_in([one])
