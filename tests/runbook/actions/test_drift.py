"""When a plan no longer holds, people see what has changed; what is no part of it is no drift."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.catalogue import ChangePlan
from runbook.actions.drift import LINES_SHOWN, drift, voided_plans
from runbook.approvals.gates import Choice
from runbook.incidents.events import PlanDrifted
from runbook.kubernetes.diff import manifest_text
from tests.runbook.journals import FALLBACK, answered, incident
from tests.runbook.questions import question

PLAN = ChangePlan(
    action=FALLBACK.model_copy(update={"parameters": {"memory": "512Mi"}}),
    diff="+a: 1",
    affects=("3 pods restart",),
    live="replicas: 3\nimage: web:1",
    basis={"workload": "f1"},
    resource_versions={"workload": "17"},
)


def changed(**changes: Any) -> ChangePlan:
    """The plan as it is made later."""
    return PLAN.model_copy(update=changes)


def edited(**parameters: str) -> ChangePlan:
    """The plan with other parameters of its action, and so with another diff."""
    return changed(action=PLAN.action.model_copy(update={"parameters": parameters}), diff="+a: 2")


@given(
    versions=st.dictionaries(st.sampled_from(["workload", "Secret"]), st.text(max_size=4), max_size=2),
    affects=st.lists(st.text(max_size=8), max_size=3),
)
def test_what_only_the_status_has_changed_is_no_drift(versions: dict[str, str], affects: list[str]) -> None:
    """Versions and consequences move on while people think; the plan is the same."""
    assert drift(PLAN, changed(resource_versions=versions, affects=tuple(affects))) == ()


@pytest.mark.parametrize(
    ("new", "because"),
    [
        (edited(memory="1Gi"), ("memory: 512Mi → 1Gi",)),
        (edited(memory="512Mi", replicas="2"), ("replicas: not set → 2",)),
        (edited(memory="1Gi", replicas="2"), ("memory: 512Mi → 1Gi", "replicas: not set → 2")),
        (
            changed(live="replicas: 3\nimage: web:2", basis={"workload": "f2"}),
            ("-image: web:1", "+image: web:2"),
        ),
        (changed(live="replicas: 3", basis={"workload": "f2"}), ("-image: web:1",)),
        (changed(basis={"workload": "f2"}), ("workload has changed (its values are masked)",)),
        (
            changed(basis={"Secret": "2", "workload": "f1"}),
            ("Secret has changed (its values are masked)",),
        ),
        (changed(diff="+a: 2"), ("the request itself has changed",)),
        (
            changed(blocked="the workload is paused"),
            ("it is no longer possible: the workload is paused",),
        ),
        (changed(in_place="the switch is on"), ("it is no longer needed: the switch is on",)),
        (
            edited(memory="1Gi").model_copy(update={"blocked": "it is paused"}),
            ("it is no longer possible: it is paused",),
        ),
        (
            changed(blocked="it is paused", live="image: web:2", basis={}),
            ("it is no longer possible: it is paused",),
        ),
    ],
)
def test_drift_says_what_has_changed(new: ChangePlan, because: tuple[str, ...]) -> None:
    """First that it cannot or need not be done, then edits, then the lines, then what masking hides."""
    assert drift(PLAN, new) == because


def test_many_changed_lines_are_cut_short() -> None:
    """A whole new specification is counted rather than listed."""
    lines = [f"line: {number}" for number in range(LINES_SHOWN + 5)]
    old, new = changed(live=""), changed(live="\n".join(lines), basis={"workload": "f2"})
    because = drift(old, new)
    assert because == (*(f"+{line}" for line in lines[:LINES_SHOWN]), "… and 5 more lines")


def workload(key: str) -> dict[str, Any]:
    """A Deployment with a literal key in its environment."""
    env = [{"name": "POSTHOG_API_KEY", "value": key}]
    container = {"name": "web", "image": "web:1", "env": env}
    return {
        "metadata": {"name": "posthog-integration", "resourceVersion": "1"},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"readyReplicas": 3},
    }


def test_changed_secret_is_told_without_its_value() -> None:
    """The live objects are masked before they are compared; that something changed is still seen."""
    old = changed(live=manifest_text(workload("phx_old_key_0001")))
    new = changed(live=manifest_text(workload("phx_new_key_0002")), basis={"workload": "f2"})
    because = drift(old, new)
    assert because == ("workload has changed (its values are masked)",)
    assert "phx_" not in f"{old} {new}"


def test_status_of_the_live_object_is_no_part_of_what_is_compared() -> None:
    """Neither the status nor what the server writes into the metadata shows as a change."""
    later = copy.deepcopy(workload("k"))
    later["status"], later["metadata"]["resourceVersion"] = {"readyReplicas": 1}, "2"
    assert manifest_text(later) == manifest_text(workload("k"))


def test_only_approvals_that_a_changed_target_has_voided_are_counted() -> None:
    """Not a plan that nobody had approved, nor one that a person has edited, nor another action's."""
    edit = answered(Choice.EDIT)

    def drifted(digest: str, action: str = FALLBACK.id, voided: tuple[str, ...] = ("ana",)) -> PlanDrifted:
        return PlanDrifted(action_id=action, old_digest=digest, new_digest="n", because=("x",), voided=voided)

    counted = drifted("d1")
    journal = incident(
        question(edit),
        edit,
        counted,
        drifted("d2", voided=()),
        drifted(edit.plan_digest),
        drifted("d3", "2-other"),
    )
    assert voided_plans(journal, FALLBACK) == [counted]


TEXTS = st.sampled_from(["", "a", "a\nb", "a\nc"])
PLANS = st.builds(
    ChangePlan,
    action=st.sampled_from([PLAN.action, edited(memory="1Gi").action]),
    diff=TEXTS,
    live=TEXTS,
    basis=st.dictionaries(st.sampled_from(["workload", "Secret"]), st.sampled_from(["1", "2"])),
    affects=st.lists(TEXTS, max_size=1).map(tuple),
    blocked=st.none() | st.just("paused"),
    in_place=st.none() | st.just("done"),
)


@given(old=PLANS, new=PLANS)
def test_there_is_a_reason_exactly_where_the_plan_is_another(old: ChangePlan, new: ChangePlan) -> None:
    """Nobody's approval is void without a reason, and no reason is given for a plan that holds."""
    same = old.digest == new.digest and (old.blocked, old.in_place) == (new.blocked, new.in_place)
    assert bool(drift(old, new)) is not same
    assert all(drift(old, new))
