"""A text for the public waits until somebody answers, another one replaces it, or what it says is over."""

from datetime import timedelta

import pytest

from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.policy.policy import Policy
from runbook.public.answers import why_not
from runbook.public.proposals import Proposal, every_answer, proposals
from tests.runbook.journals import incident
from tests.runbook.public_texts import EDITED, NO, PROPOSED, WORDED, YES

NEXT = PROPOSED.model_copy(update={"state": "MONITORING", "message": "monitoring"})
ELSEWHERE = PROPOSED.model_copy(update={"channel": "another-page"})
LAST = PROPOSED.model_copy(update={"state": "RESOLVED", "message": "resolved"})
OVER = e.IncidentResolved(outcome="recovered", because=())
REOPENED = e.IncidentReopened(because="again", by="ana", reopened=1)
WHAT, SAID_AT = "Some users may experience missing analytics events.", "Last updated: 2026-11-22 16:04 UTC"
TOLD = e.StatusAnnounced(channel="status-page", state="IDENTIFIED")


def sent(outcome: EffectOutcome = EffectOutcome.APPLIED, message: str = "identified") -> e.EffectSettled:
    """The message about the text has been tried."""
    return e.EffectSettled(
        effect=Effect(
            id=f"inc-20261122-1500/status-page/{message}",
            kind="status-page",
            target="status-page",
            summary="",
            authority=Authority.policy("publish_from"),
            outcome=outcome,
        )
    )


def first(*events: e.Event) -> Proposal:
    """What became of the first text."""
    return proposals(incident(*events))[0]


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ((PROPOSED,), ""),
        ((PROPOSED, ELSEWHERE), ""),
        ((PROPOSED, sent(EffectOutcome.FAILED)), ""),
        ((PROPOSED, sent(message="monitoring")), ""),
        ((PROPOSED, YES), "it is answered: ana (unproven claim) published it"),
        ((PROPOSED, YES, NO), "it is answered: ana (unproven claim) published it"),
        ((PROPOSED, NO, YES), "it is answered: bob (unproven claim) withheld it"),
        ((PROPOSED, sent()), "it is published already"),
        ((PROPOSED, NEXT), "another text has replaced it"),
        ((PROPOSED, NEXT, YES), "another text has replaced it"),
        ((PROPOSED, OVER), "the incident has ended"),
        ((PROPOSED, REOPENED), "the incident was reopened"),
        ((LAST, OVER), ""),
        ((OVER, LAST), ""),
        ((OVER, LAST, REOPENED), "the incident was reopened"),
    ],
)
def test_a_text_waits_until_it_is_answered_replaced_or_over(events: tuple[e.Event, ...], why: str) -> None:
    """The first answer counts; the text that it is over is not over with the incident."""
    found = first(*events)
    assert why in why_not(found)
    assert found.waits is (why == "")


def test_an_answer_that_does_not_count_is_none() -> None:
    """The next one does."""
    [found] = proposals(incident(PROPOSED, NO, YES), lambda answer: answer.by != "bob")
    assert found.approved
    assert every_answer(NO)


def test_it_is_announced_once_the_journal_says_so() -> None:
    """A message that has arrived is published; a run that died then has not said it."""
    assert (first(PROPOSED, sent()).published, first(PROPOSED, sent()).announced) == (True, False)
    assert first(PROPOSED, sent(), TOLD).announced
    assert not first(PROPOSED, TOLD).announced


def test_an_answer_is_bound_to_every_word() -> None:
    """What is shown as affected is part of what was read."""
    for changed in ({"body": "x"}, {"areas": ()}, {"state": "RESOLVED"}, {"number": 2}, {"title": "y"}):
        assert PROPOSED.model_copy(update=changed).digest != PROPOSED.digest


@pytest.mark.parametrize(
    ("answer", "again", "told"),
    [
        (
            YES,
            False,
            f"{WHAT}\n{SAID_AT}",
        ),
        (
            YES,
            True,
            f"{WHAT}\n{SAID_AT}",
        ),
        (EDITED, False, "Some events arrive late."),
        (EDITED, True, f"Some events arrive late.\n{SAID_AT}"),
    ],
)
def test_the_words_tell_the_time_at_which_they_are_published(
    answer: e.PublicTextApproved, again: bool, told: str
) -> None:
    """What a person has written stands as it is; said again, it says when."""
    later = WORDED + timedelta(hours=1)
    zone = Policy().calendar.time_zone
    assert first(PROPOSED, answer).told_at(later, zone, again=again) == told
