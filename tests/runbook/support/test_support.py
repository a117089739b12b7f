"""What support is told: what the journal proves, in words that users may hear."""

from datetime import timedelta

import pytest

from runbook.actions.catalogue import ActionOutcome
from runbook.channels.messages import MessageFacts, message_facts
from runbook.channels.public_impact import PublicImpact
from runbook.decision.verdict import ErrorType, Verdict
from runbook.incidents import events as e
from runbook.incidents.state import IncidentOutcome, State
from runbook.policy.policy import Policy
from runbook.public.lint import PublicRule, lint_message
from runbook.support.facts import SupportFacts, support_facts
from runbook.support.page import support_page
from tests.runbook.journals import (
    OPENED,
    TARGET,
    asked,
    decided,
    decision,
    every_event,
    finished,
    incident,
    resolved,
    triaged,
)

NOW = OPENED + timedelta(minutes=10)
OVER = "is resolved"
NOT_OVER = "That it is over: the recovery is not proved yet."


def told(*events: e.Event) -> SupportFacts:
    """What support is told of an incident with these events."""
    return support_page(incident(*events), Policy(), now=NOW).facts


@pytest.mark.parametrize(
    ("events", "affected", "impact", "workaround"),
    [
        ((), "not known yet", "We do not know yet which users are affected.", "None is known."),
        (
            (triaged(), decided()),
            "analytics events, feature flags",
            "Some users may experience missing analytics events and outdated feature flags.",
            "None is known.",
        ),
        (
            (triaged(), decided(decision(verdict=Verdict.UNKNOWN, error_type=ErrorType.UNKNOWN))),
            "not known yet",
            "We do not know yet which users are affected.",
            "None is known.",
        ),
        (
            (triaged(), decided(decision(error_type=ErrorType.RATE_LIMITED))),
            "analytics events, feature flags",
            "Some users may experience delayed analytics events and feature flags.",
            "None is known.",
        ),
        (
            (triaged(), decided(), finished(ActionOutcome.RECOVERED), resolved()),
            "events that are still missing",
            "Some analytics events may still arrive late.",
            "None needed: what is still missing may arrive late.",
        ),
    ],
    ids=["nothing", "failing", "unknown", "delayed", "switch left on"],
)
def test_the_text_says_what_users_notice(
    events: tuple[e.Event, ...], affected: str, impact: str, workaround: str
) -> None:
    """It is the public's impact; that there is no workaround is said, too."""
    facts = told(*events)
    assert (facts.affected, facts.tell[1], facts.workaround) == (affected, impact, workaround)
    assert facts.since == "2026-11-22 15:00 UTC"


@pytest.mark.parametrize(
    ("events", "over"),
    [
        ((triaged(), decided()), False),
        ((triaged(), decided(), finished(ActionOutcome.RECOVERED)), False),
        ((triaged(), decided(), resolved("not_recovered")), False),
        ((triaged(), decided(), resolved("unknown")), False),
        ((triaged(), decided(), resolved()), True),
        ((triaged(), decided(), resolved("false_positive")), True),
    ],
)
def test_that_it_is_over_is_told_once_it_is_proved(events: tuple[e.Event, ...], over: bool) -> None:
    """Until then support is told not to say so, and that more follows."""
    facts = told(*events)
    assert (OVER in facts.tell[0]) is over
    assert (NOT_OVER in facts.do_not_tell) is not over
    assert (facts.next_update == "None, this was the last one") is over


def test_an_end_by_a_persons_word_says_that_nothing_has_shown_it() -> None:
    """The checks have not seen the recovery, so it may come back."""
    ended = e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("it works",), by="ana")
    assert "a person has said that it is over" in told(triaged(), decided(), ended).do_not_tell[0]
    assert "a person" not in " ".join(told(triaged(), decided(), resolved()).do_not_tell)


def test_a_promise_that_colleagues_were_given_holds_for_support() -> None:
    """Printing the text promises nothing of its own; a time that has passed is no promise."""
    for minutes, said in ((20, "15:20 UTC"), (5, "When there is news")):
        promised = e.StatusAnnounced(
            channel="slack", state="INVESTIGATING", next_update_at=OPENED + timedelta(minutes=minutes)
        )
        assert told(promised).next_update == said


def test_nothing_internal_is_in_the_text() -> None:
    """Whatever the journal has: no target, plan, person or link, and no word that the public may not read."""
    for count in range(1, len(every_event()) + 1):
        text = support_page(incident(*every_event()[:count]), Policy(), now=NOW).text
        for word in (TARGET, "kubectl", "pod", "http", "alice", "inc-", "POSTHOG_FALLBACK"):
            assert word not in text, text
        found = lint_message("For support", text)
        assert [it for it in found if it.rule is not PublicRule.IMPACT_FIRST] == []


@pytest.mark.parametrize("impact", PublicImpact)
@pytest.mark.parametrize("state", [state for state in State if state.told is state])
def test_each_impact_has_its_words_in_each_state(impact: PublicImpact, state: State) -> None:
    """Support always has something to say, and something not to."""
    made = message_facts(
        incident(), state=State.INVESTIGATING, policy=Policy(), now=NOW, commander="", update_interval=None
    )
    facts: MessageFacts = made.model_copy(update={"public_impact": impact, "state": state})
    said = support_facts(facts)
    assert all((said.affected, *said.tell, *said.do_not_tell, said.workaround, said.next_update))


def test_the_service_is_called_as_on_the_status_page() -> None:
    """Users know it by that name."""
    page = support_page(incident(), Policy(public_titles={"posthog-integration": "Checkout"}), now=NOW)
    assert page.text.startswith("🟠 For support: Checkout: INVESTIGATING\n")


def test_the_open_question_is_no_news_for_users() -> None:
    """Neither the change nor who is asked is among what support may say."""
    before, after = told(triaged(), decided()), told(triaged(), decided(), asked())
    assert before == after
