"""The drill tells who was mailed and what was posted, and judges that against the journal."""

from collections.abc import Sequence
from typing import Any

import pytest

from deployments.drill.run.judge import judge
from deployments.drill.run.readers import judge_readers, told_readers
from deployments.drill.run.scenario import load_scenario
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from tests.deployments.journal_samples import EVENTS, incident
from tests.drill.run.test_judge import AS_EXPECTED

TEAM, SUPPORT = "on-call@example.com", "support@example.com"


def sent(kind: str, name: str, outcome: EffectOutcome = EffectOutcome.APPLIED) -> e.Event:
    """A message, as the journal says what became of it."""
    effect = Effect(
        id=f"inc-1/{kind}/{name}",
        kind=kind,
        target=kind,
        summary="told",
        authority=Authority.policy("announce"),
        outcome=outcome,
    )
    return e.EffectSettled(effect=effect)


def with_messages(*more: e.Event) -> Incident:
    """An incident with these messages."""
    return incident((*EVENTS, *more))


def facts(mails: Sequence[tuple[str, str]], team: int = 0, support: int = 0) -> dict[str, Any]:
    """What the world says of e-mails (effect and reader) and of Teams."""
    listed = [{"to": [reader], "subject": "P1", "effect": effect} for effect, reader in mails]
    return {"mails": listed, "teams": {"team": team, "support": support}}


MAILED = with_messages(
    sent("email", "investigating-1"),
    sent("email-support", "investigating-1"),
    sent("email", "resolved-2", EffectOutcome.UNSETTLED),
    sent("teams", "investigating-1"),
)
ARRIVED = [("inc-1/email/investigating-1", TEAM), ("inc-1/email-support/investigating-1", SUPPORT)]


@pytest.mark.parametrize(
    ("mails", "team", "differs"),
    [
        (ARRIVED, 1, []),
        ([*ARRIVED, ("inc-1/email/resolved-2", TEAM)], 2, []),
        ([*ARRIVED, ("inc-1/runbook/direct", TEAM)], 1, []),
        (ARRIVED[:1], 1, [("e-mail inc-1/email-support/investigating-1", "0 times")]),
        ([*ARRIVED, ARRIVED[0]], 1, [("e-mail inc-1/email/investigating-1", "2 times")]),
        (
            [*ARRIVED, *[("inc-1/email/resolved-2", TEAM)] * 2],
            1,
            [("e-mail inc-1/email/resolved-2", "2 times")],
        ),
        (ARRIVED, 0, [("Teams, the team", "0 posted")]),
    ],
)
def test_what_counts_as_sent_has_arrived_once(
    mails: list[tuple[str, str]], team: int, differs: list[tuple[str, str]]
) -> None:
    """What is in doubt may have arrived, or not; nothing may have arrived twice."""
    found = judge_readers(MAILED, facts(mails, team))
    assert [(it.what, it.actual) for it in found] == differs


def test_readers_are_told_apart() -> None:
    """How many e-mails whom reached, and how many messages each channel of Teams."""
    assert told_readers(facts(ARRIVED, team=2)) == {
        "e-mail": f"1 to {TEAM}, 1 to {SUPPORT}",
        "Teams": "2 to team",
    }
    assert told_readers(facts([])) == {"e-mail": "nothing", "Teams": "nothing"}


def test_what_support_is_told_is_judged_where_a_scenario_says_it() -> None:
    """By each of its two channels, in order."""
    told = [
        e.StatusAnnounced(channel=kind, state=state, reference="1")
        for kind in ("email-support", "teams-support")
        for state in (State.INVESTIGATING, State.RESOLVED)
    ]
    expects = AS_EXPECTED.model_copy(update={"support": (State.INVESTIGATING, State.RESOLVED)})
    assert judge(with_messages(*told), expects) == []
    assert [it.what for it in judge(with_messages(*told[:3]), expects)] == ["support by teams-support"]
    assert judge(with_messages(), AS_EXPECTED) == []


@pytest.mark.parametrize("name", ["nobody-answers", "late-update", "webhook-delays", "false-alarm"])
def test_a_drill_of_each_severity_says_what_support_is_told(name: str) -> None:
    """From the first word to the end of the incident."""
    support = load_scenario(name).expect.support
    assert support is not None
    assert (support[0], support[-1]) == (State.INVESTIGATING, State.RESOLVED)
