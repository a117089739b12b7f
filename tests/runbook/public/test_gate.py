"""A text goes out by a person's word or by the policy of its severity, as both are at that moment."""

from datetime import timedelta

import pytest

from runbook.approvals.rules import ActRule
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.policy.permissions import Permissions
from runbook.policy.policy import Policy
from runbook.policy.public_policy import PublicPolicy
from runbook.public.gate import due_publications, waiting
from runbook.public.refreshing import due_refreshes
from tests.runbook.journals import OPENED, decided, decision, incident
from tests.runbook.public.test_proposals import LAST, NEXT, OVER, TOLD, sent
from tests.runbook.public_texts import EDITED, NO, PROPOSED, YES

LATER = OPENED + timedelta(hours=1)


def policy(*unasked: Severity, **rest: object) -> Policy:
    """Nobody is asked about texts of these severities."""
    return Policy.model_validate({"public": PublicPolicy(publish_without_asking=unasked)} | rest)


def rated(severity: Severity) -> e.SeverityOverridden:
    """A person has said how severe it is."""
    assessment = SeverityAssessment(severity=severity, because="seen", by="ana")
    return e.SeverityOverridden(assessment=assessment)


P1 = (decided(), PROPOSED)
P2 = policy(Severity.P2)


@pytest.mark.parametrize(
    ("rules", "events", "waits", "due"),
    [
        (policy(), P1, True, False),
        (policy(), (*P1, YES), False, True),
        (policy(), (*P1, EDITED), False, True),
        (policy(), (*P1, NO), False, False),
        (policy(), (*P1, YES, NEXT), True, False),
        (policy(), (*P1, YES, OVER), False, False),
        (policy(), (*P1, YES, sent(), TOLD), False, False),
        pytest.param(policy(), (*P1, YES, sent()), False, True, id="its run died before it said so"),
        pytest.param(policy(), (*P1, YES, sent(EffectOutcome.FAILED)), False, True, id="it is away"),
        pytest.param(P2, (*P1, rated(Severity.P2)), False, True, id="nobody is asked any more"),
        pytest.param(P2, (*P1, NO, rated(Severity.P2)), False, False, id="a no stands"),
        pytest.param(P2, (*P1, rated(Severity.P2), rated(Severity.P1)), True, False, id="worse"),
        pytest.param(policy(), (*P1, rated(Severity.P4)), False, False, id="not for the public now"),
        pytest.param(policy(), (*P1, YES, rated(Severity.P4)), False, False, id="nor with a yes"),
        pytest.param(policy(), (decided(), TOLD, OVER, LAST), True, False, id="that it is over"),
        pytest.param(
            policy(Severity.P2, acts=ActRule(accept_unverified=False)),
            (*P1, rated(Severity.P2)),
            *(True, False),
            id="nobody vouches for the severity",
        ),
        pytest.param(
            policy(Severity.P2, acts=ActRule(approvers=("eve",))),
            (*P1, rated(Severity.P2)),
            *(True, False),
            id="the severity is of somebody who may not",
        ),
        pytest.param(policy(acts=ActRule(approvers=("eve",))), (*P1, YES), True, False, id="may not"),
    ],
)
def test_a_text_goes_out_by_a_yes_or_by_its_severity(
    rules: Policy, events: tuple[e.Event, ...], waits: bool, due: bool
) -> None:
    """What waits is shown, what is due is published, and nothing is both."""
    found = incident(*events)
    assert bool(waiting(found, rules)) is waits
    assert bool(due_publications(found, channels=["status-page"], policy=rules, now=LATER)) is due


def test_an_edit_of_the_policy_does_not_open_the_gate() -> None:
    """What was asked for at the opening is asked for until the end."""
    strict = e.PolicyNoted(permissions=Permissions.of(policy()))
    assert waiting(incident(strict, *P1), policy(Severity.P1))
    open_then = e.PolicyNoted(permissions=Permissions.of(policy(Severity.P1)))
    assert waiting(incident(open_then, *P1), policy())
    assert not waiting(incident(open_then, *P1), policy(Severity.P1))


REFRESH = PROPOSED.model_copy(update={"message": "identified-refreshed-2"})
REFUSED = e.PublicTextWithheld(proposal=REFRESH.digest, by="ana", because="nothing new")
ALLOWED = e.PublicTextApproved(proposal=REFRESH.digest, by="ana")


@pytest.mark.parametrize(
    ("after", "hours", "due"),
    [((), 7, True), ((REFRESH,), 7, False), ((REFRESH, ALLOWED), 7, False)]
    + [((REFRESH, REFUSED), hours, due) for hours, due in ((7, True), (5, False))],
)
def test_a_page_is_not_refreshed_while_a_text_waits(
    after: tuple[e.Event, ...], hours: int, due: bool
) -> None:
    """A no counts as long as the page had been told something."""
    found = incident(decided(decision()), TOLD, *after)
    now = OPENED + timedelta(hours=hours)
    assert bool(due_refreshes(found, channels=["status-page"], policy=policy(), now=now)) is due


@pytest.mark.parametrize("outcome", [EffectOutcome.FAILED, EffectOutcome.UNSETTLED])
@pytest.mark.parametrize(("hours", "due"), [(1, False), (5, False), (7, True)])
def test_what_failed_in_another_channel_makes_no_refresh_due_before_its_time(
    outcome: EffectOutcome, hours: int, due: bool
) -> None:
    """Else each look would say the same again on the page, as long as the incident lasts."""
    failed = Effect(
        id="inc-1/email/identified-2",
        kind="email",
        target="email",
        summary="told",
        authority=Authority.policy("announce"),
        outcome=outcome,
    )
    found = incident(decided(decision()), TOLD, e.EffectSettled(effect=failed))
    now = OPENED + timedelta(hours=hours)
    assert bool(due_refreshes(found, channels=["status-page"], policy=policy(), now=now)) is due
