"""What chaos counts as done twice or lost, where nobody can look for a message."""

from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

import pytest

from deployments.drill.world.channels.mail import Delivered
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.incident import Incident
from tests.chaos.crash_points import tail
from tests.chaos.seen import in_doubt, wrongly_told
from tests.deployments.journal_samples import EVENTS, INCIDENT, incident

GATE = "1-enable-fallback-3-0123456789abcdef"


def effect(kind: str, outcome: EffectOutcome | None) -> Effect:
    """A message about the same state in a channel."""
    return Effect(
        id=f"{INCIDENT}/{kind}/identified-2",
        kind=kind,
        target=kind,
        summary="told",
        authority=Authority.policy("announce"),
        outcome=outcome,
    )


def journal(kind: str, outcome: EffectOutcome | None) -> Incident:
    """An incident whose journal says that of one message; none is begun and not settled."""
    begun: e.Event = e.EffectIntended(effect=effect(kind, None))
    settled = () if outcome is None else (e.EffectSettled(effect=effect(kind, outcome)),)
    return incident((*EVENTS, begun, *settled))


def outside(mails: int = 0, posts: int = 0) -> Any:
    """A case whose readers got so many of that message by e-mail, or in Teams."""
    message = EmailMessage()
    message["X-Runbook-Effect"] = f"{INCIDENT}/email/identified-2"
    taken = [Delivered("runbook@example.com", ["team@example.com"], message)] * mails
    teams = {name: SimpleNamespace(posted=["all down"] * posts) for name in ("team", "support")}
    systems = SimpleNamespace(mail=SimpleNamespace(taken=taken), teams=teams)
    return SimpleNamespace(incident_id=INCIDENT, world=SimpleNamespace(systems=systems))


@pytest.mark.parametrize(
    ("outcome", "arrived", "twice", "lost"),
    [
        (EffectOutcome.APPLIED, 1, False, False),
        (EffectOutcome.APPLIED, 0, False, True),
        (EffectOutcome.APPLIED, 2, True, False),
        (EffectOutcome.UNSETTLED, 0, False, False),
        (EffectOutcome.UNSETTLED, 1, False, False),
        (EffectOutcome.UNSETTLED, 2, True, False),
        (None, 0, False, True),
    ],
)
def test_an_email_is_never_there_twice_and_its_loss_is_told(
    outcome: EffectOutcome | None, arrived: int, twice: bool, lost: bool
) -> None:
    """What is in doubt may be missing, for the journal says so; what was begun and is not settled may not."""
    again, missing = wrongly_told(outside(mails=arrived), journal("email", outcome))
    assert (bool(again), bool(missing)) == (twice, lost)


@pytest.mark.parametrize(
    ("outcome", "posted", "twice", "lost"),
    [
        (EffectOutcome.APPLIED, 1, False, False),
        (EffectOutcome.APPLIED, 0, False, True),
        (EffectOutcome.APPLIED, 2, True, False),
        (EffectOutcome.UNSETTLED, 0, False, False),
        (EffectOutcome.UNSETTLED, 2, True, False),
    ],
)
def test_more_messages_in_teams_than_were_sent_are_too_many(
    outcome: EffectOutcome, posted: int, twice: bool, lost: bool
) -> None:
    """They have no names there, so they are counted."""
    case = outside(posts=posted)
    case.world.systems.teams["support"].posted.clear()
    again, missing = wrongly_told(case, journal("teams", outcome))
    assert (bool(again), bool(missing)) == (twice, lost)


def test_what_is_in_doubt_has_a_name_that_is_the_same_in_each_incident() -> None:
    """So that it stands for what an undisturbed response has sent."""
    assert in_doubt(journal("email", EffectOutcome.UNSETTLED)) == {"email/identified": 1}


@pytest.mark.parametrize(
    ("effect_id", "name"),
    [
        ("email/identified-2", "email/identified"),
        ("email-support/resolved-4", "email-support/resolved"),
        (f"teams/question-{GATE}", "teams/question-1-enable-fallback"),
        (f"slack/file-chart-of-question-{GATE}", "slack/file-chart-of-question-1-enable-fallback"),
        ("slack/public-text-status-page-identified-1", "slack/public-text-status-page-identified-1"),
        ("status-page/identified", "status-page/identified"),
        ("1-enable-fallback/set-field", "1-enable-fallback/set-field"),
    ],
)
def test_a_point_has_the_same_name_in_each_incident(effect_id: str, name: str) -> None:
    """Whatever number or random part its message has."""
    assert tail(INCIDENT, f"{INCIDENT}/{effect_id}") == name
