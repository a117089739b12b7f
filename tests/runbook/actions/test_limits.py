"""After so many changes the runbook stops by itself and leaves the rest to people."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.limits import tripped
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.journals import TARGET, incident

APPLIED, FAILED = EffectOutcome.APPLIED, EffectOutcome.FAILED


def change(
    action: str,
    outcome: EffectOutcome | None = APPLIED,
    *,
    of: str = "inc-1",
    step: str = "set-field",
    kind: str = "kubernetes",
) -> Effect:
    """An effect of a step of an action of an incident."""
    return Effect(
        id=f"{of}/{action}/{step}",
        kind=kind,
        target=TARGET,
        summary="a change",
        authority=Authority.approval("g", "ana"),
        outcome=outcome,
    )


def had(*effects: Effect) -> Incident:
    """An incident with these effects."""
    return incident(*(e.EffectSettled(effect=effect) for effect in effects))


@pytest.mark.parametrize(
    ("effects", "counted"),
    [
        ((), 0),
        ((change("1-a"),), 1),
        ((change("1-a"), change("2-b")), 2),
        ((change("1-a", step="secret"), change("1-a", step="restart")), 1),  # one action, two requests
        ((change("1-a"), change("1-a-undo")), 2),  # undoing is a change too
        ((change("1-a", FAILED),), 0),  # certainly not made
        ((change("1-a", FAILED, step="secret"), change("1-a", step="restart")), 1),
        ((change("1-a", None),), 1),  # may have been made
        ((change("1-a", EffectOutcome.UNSETTLED),), 1),
        ((change("1-a", EffectOutcome.ALREADY_IN_PLACE),), 1),
        ((change("1-a", kind="slack"), change("2-b", kind="page")), 0),  # telling people changes nothing
        ((change("1-a"), change("1-a", of="inc-2")), 2),  # the same action of another incident
    ],
)
def test_action_counts_once_if_it_may_have_changed_the_cluster(
    effects: tuple[Effect, ...], counted: int
) -> None:
    """The limit is met at exactly this number: within an incident and within an hour."""
    plenty: dict[str, Any] = {"changes_per_incident": 99, "changes_per_hour": 99}
    for limit, told, recent in (
        ("changes_per_incident", had(*effects), ()),
        ("changes_per_hour", had(), effects),
    ):
        assert tripped(told, recent, policy=Policy(**plenty | {limit: counted + 1})) is None
        stopped = tripped(told, recent, policy=Policy(**plenty | {limit: counted}))
        assert stopped is not None
        assert f"([policy] {limit} = {counted})" in stopped


def test_the_reason_names_the_number_and_the_setting() -> None:
    """Whoever is called sees which limit was met, the incident's own before that of all."""
    policy = Policy(changes_per_incident=1, changes_per_hour=2)
    others = (change("1-a", of="inc-2"), change("1-a", of="inc-3"))
    assert tripped(had(change("1-a")), others, policy=policy) == (
        "this incident has had 1 change already ([policy] changes_per_incident = 1)"
    )
    assert tripped(had(), others, policy=policy) == (
        "2 changes within an hour ([policy] changes_per_hour = 2)"
    )


@given(
    own=st.lists(st.sampled_from("abcdef"), max_size=8),
    others=st.lists(st.sampled_from("ghijkl"), max_size=8),
    per_incident=st.integers(0, 7),
    per_hour=st.integers(0, 13),
)
def test_limit_stops_at_its_number_whatever_the_order(
    own: list[str], others: list[str], per_incident: int, per_hour: int
) -> None:
    """No change goes through at or above a limit, and none is stopped under both."""
    mine = [change(action) for action in own]
    recent = [*mine, *(change(action, of="inc-2") for action in others)]
    policy = Policy(changes_per_incident=per_incident, changes_per_hour=per_hour)
    full = len(set(own)) >= per_incident or len(set(own)) + len(set(others)) >= per_hour
    assert (tripped(had(*mine), recent, policy=policy) is not None) is full
