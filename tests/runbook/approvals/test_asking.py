"""A question has a name that nobody can guess, and takes a form that names it and its plan."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.catalogue import ActionOutcome, ChangePlan
from runbook.approvals.asking import (
    ASKED_AFRESH,
    ForeignForm,
    decision_agreed_to,
    gate_name,
    may_ask_afresh,
    require_for,
)
from runbook.approvals.gates import Choice, PendingGate
from runbook.evidence.manifest import BEFORE_MITIGATION, evidence_name
from runbook.incidents import events as e
from runbook.kubernetes.fields import EnvironmentVariable, Setting
from tests.runbook.journals import OPENED, PLAN, answered, asked, decided, finished, incident, resolved

TOKEN = "9f86d081884c7d65"
NOT_KEPT = e.FileNotWritten(
    what=evidence_name(BEFORE_MITIGATION), path="/evidence", because="no space left on the device"
)
BOUND = PLAN.model_copy(update={"bound": {"cluster": "https://x"}})


def gate(**fields: Any) -> PendingGate:
    """An open question."""
    known: dict[str, Any] = {
        "gate": f"1-enable-fallback-1-{TOKEN}",
        "action_id": PLAN.action.id,
        "plan_digest": BOUND.digest,
        "question": "?",
        "flow_run_id": "run-1",
        "asked_at": OPENED,
        "bound": True,
    }
    return PendingGate(**(known | fields))


def test_a_gate_s_name_is_a_key_that_prefect_takes_and_nobody_guesses() -> None:
    """It counts the questions for people, and ends in what is random."""
    name = gate_name(incident(asked(gate="g1"), asked(gate="g2")), PLAN, TOKEN)
    assert name == f"1-enable-fallback-3-{TOKEN}"
    assert re.fullmatch(r"[a-z0-9-]+", name)


@pytest.mark.parametrize(
    ("form", "lacking"),
    [
        ({}, "gate and plan"),
        ({"plan": BOUND.digest}, "gate"),
        ({"gate": gate().gate}, "plan"),
        ({"gate": gate().gate, "plan": ""}, "plan"),
        ({"gate": gate().gate, "plan": BOUND.digest[:12]}, "plan"),
        ({"gate": gate().gate, "plan": PLAN.digest}, "plan"),
        ({"gate": "1-enable-fallback-1", "plan": BOUND.digest}, "gate"),
        ({"gate": [gate().gate], "plan": BOUND.digest}, "gate"),
    ],
)
def test_a_form_that_does_not_name_its_question_and_plan_is_foreign(
    form: dict[str, Any], lacking: str
) -> None:
    """Whatever else it says, and under whichever key it was found."""
    with pytest.raises(ForeignForm, match=f"does not match this {lacking}:"):
        require_for(gate(), {"decision": "approve", "approver": "eve", **form})
    require_for(gate(), {"gate": gate().gate, "plan": BOUND.digest})


def test_a_form_of_the_release_before_has_to_name_its_gate() -> None:
    """It has no field for the plan; without the gate it is no answer either."""
    old = gate(gate="1-enable-fallback-1", bound=False)
    require_for(old, {"gate": "1-enable-fallback-1"})
    with pytest.raises(ForeignForm, match="does not match this gate:"):
        require_for(old, {"decision": "approve"})


@given(st.lists(st.sampled_from(["asked", "answered", "refused", "withdrawn"]), max_size=30))
def test_a_flood_has_an_end_and_an_answer_makes_room(happened: list[str]) -> None:
    """Only questions about this plan that nobody has answered count."""
    told: list[e.Event] = []
    names: list[str] = []
    answered: set[str] = set()
    for what in happened:
        if what == "asked":
            names.append(f"g{len(names)}")
            told.append(asked(gate=names[-1]))
        elif names and what == "answered":
            answer = {"choice": "snooze", "approver": "ana"}
            fields = {"gate": names[-1], "action_id": PLAN.action.id, "plan_digest": PLAN.digest}
            told.append(e.ApprovalAnswered.model_validate({**fields, "answer": answer}))
            answered.add(names[-1])
        elif names and what == "refused":
            told.append(e.ApprovalRefused(gate=names[-1], action_id=PLAN.action.id, because="x"))
    other = PLAN.model_copy(update={"diff": "another"})
    told += [asked(other, gate=f"other-{number}") for number in range(ASKED_AFRESH + 1)]
    assert may_ask_afresh(incident(*told), PLAN) == (len(set(names) - answered) <= ASKED_AFRESH)


SETTING = Setting(field=EnvironmentVariable(container="app", variable="X"), value="1")


@pytest.mark.parametrize(
    "more",
    [
        {"bound": {"cluster": "https://y"}},
        {"bound": {}},
        {"setting": SETTING},
        {"setting": SETTING.model_copy(update={"value": "2"})},
        {"dry_run": True},
        {"diff": "another"},
        {"basis": {"workload": "another"}},
    ],
    ids=str,
)
def test_whatever_a_plan_takes_from_outside_is_part_of_what_is_approved(more: dict[str, Any]) -> None:
    """Another place, value or fingerprint is another plan; so is the same one in a rehearsal."""
    other = BOUND.model_copy(update=more)
    assert other.digest != BOUND.digest
    assert not other.known_as(BOUND.digest)


def test_a_plan_of_the_release_before_keeps_its_digest() -> None:
    """What was asked and answered then is about the same plan as it is made now, and about no other."""
    old = "71e97ce2bab5"
    assert PLAN.digest.startswith(old)
    for now in (PLAN, BOUND, BOUND.model_copy(update={"dry_run": True, "setting": SETTING})):
        assert now.known_as(PLAN.digest)
        assert now.known_as(now.digest)
    other: ChangePlan = BOUND.model_copy(update={"diff": "another"})
    assert not other.known_as(PLAN.digest)


def test_a_plan_of_store_version_0005_keeps_its_digest() -> None:
    """It had the whole diff and another basis in it; the same plan, as it is made now, is known by it."""
    old = "bd7ef4070cbc61b6faa65c8bfa7fe7fb7090640844e3899466754f953777301d"
    earlier = {"workload": "f1", "Secret": "7"}
    assert BOUND.model_copy(update={"basis": earlier}).digest == old
    made_on = {"workload": "f2", "Secret": "8"}
    now = BOUND.model_copy(update={"changes": "+x", "basis": made_on, "earlier": earlier})
    assert now.digest != old
    assert now.known_as(old)
    assert not now.model_copy(update={"diff": "another"}).known_as(old)
    assert not now.model_copy(update={"bound": {"cluster": "https://y"}}).known_as(old)


def test_what_stands_around_a_change_is_no_part_of_what_is_approved() -> None:
    """The lines that change are, and what the plan is made on and takes."""
    plan = BOUND.model_copy(update={"changes": "+x"})
    assert plan.model_copy(update={"diff": "another", "earlier": {"workload": "w"}}).digest == plan.digest
    others: tuple[dict[str, Any], ...] = (
        {"changes": "+y"},
        {"changes": ""},
        {"basis": {"workload": "w"}},
        {"bound": {}},
    )
    for more in others:
        assert plan.model_copy(update=more).digest != plan.digest


@pytest.mark.parametrize(
    ("events", "agreed"),
    [
        ((decided(), asked(), answered()), True),
        ((decided(), NOT_KEPT, asked(), answered()), False),
        ((decided(), asked(), answered(Choice.REJECT), asked(gate="gate-2")), False),
        ((decided(), asked()), False),
        ((decided(),), False),
        ((decided(), asked(), answered(Choice.EDIT)), False),
        ((decided(), asked(), answered(), finished(ActionOutcome.RECOVERED)), False),
        ((decided(), asked(), answered(), resolved()), False),
        ((decided(), asked(), answered(), e.FactsChanged(round=2, because=("new",))), False),
        (
            (
                decided(),
                asked(),
                answered(),
                e.FactsChanged(round=2, because=("new",)),
                decided().model_copy(update={"round": 2}),
            ),
            False,
        ),
    ],
)
def test_a_run_goes_straight_to_the_change_that_was_agreed_to(
    events: tuple[e.Event, ...], agreed: bool
) -> None:
    """Only where nothing makes it keep evidence, triage, decide or tell first."""
    journal = incident(*events)
    assert decision_agreed_to(journal) == (journal.decision if agreed else None)
