"""A state that a person says is told to the team, and proposed for the public, as their word."""

from datetime import datetime, timedelta

import pytest

from runbook.incidents import events as e
from runbook.incidents.state import State
from tasks.caretaking.due import due_reminders
from tasks.channels import communicate
from tasks.channels.communicate import announce, announce_now, refresh_public
from tasks.incident import OpenIncident, now
from tests.tasks.channels.asked_texts import QUESTION, asked, publish, yes
from tests.tasks.channels.public_pages import Public, audience, public
from tests.tasks.environments import decide

__all__ = ["audience", "public"]  # fixtures, found here

SAID = e.StateForced(state="MONITORING", by="ana", because="they rolled back")
WORD = "said by ana: they rolled back; not proved by the runbook"


async def test_a_state_that_a_person_says_is_told_once_as_their_word(public: Public) -> None:
    """In the thread and at the gate by name; on the page without one, after a yes, as not confirmed."""
    incident = await asked(public)
    await yes(incident)
    await publish(incident)
    await incident.record(SAID)
    for _ in range(2):
        due = await due_reminders(incident.environment, now() + timedelta(minutes=1))
        for _, update in due.updates:
            assert await announce_now(incident, update) == SAID
        for _, entry in due.refreshes:
            assert await refresh_public(incident, entry) is None  # a person is asked
    told = [it for it in await public.timeline(e.StatusAnnounced) if it.state == State.MONITORING]
    assert [it.channel for it in told] == ["slack"]
    assert sum(WORD in it for it in public.threads("MONITORING is said by ana")) >= 1
    [question] = public.threads(QUESTION)
    assert f"(MONITORING, {WORD})" in question
    await yes(incident)
    await publish(incident)
    assert [status for status, _ in public.updates()] == ["identified", "monitoring"]
    assert "This is not confirmed yet" in public.updates()[-1][1]
    assert "rolled back" not in public.updates()[-1][1]
    await announce(incident, State.MONITORING)  # once the runbook is as far itself
    assert len(public.updates()) == 2


async def test_a_word_that_holds_no_more_is_not_told_again_as_a_proof(
    public: Public, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runbook has decided anew: the page goes back to what is proved."""
    incident = public.incident  # nobody is asked
    await decide(incident)
    await announce(incident, State.IDENTIFIED)
    await incident.record(SAID)
    await refreshed(incident, monkeypatch, timedelta(minutes=1))
    assert "This is not confirmed yet" in public.updates()[-1][1]
    decision = (await incident.read()).last(e.DecisionMade)
    assert decision is not None
    await incident.record(decision)
    await refreshed(incident, monkeypatch, timedelta(hours=30))
    assert [status for status, _ in public.updates()] == ["identified", "monitoring", "identified"]
    assert "We've identified the cause" in public.updates()[-1][1]


@pytest.mark.parametrize("proved", [False, True])
async def test_a_page_that_went_back_hears_of_the_state_again(
    proved: bool, public: Public, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once: by another word, in whatever words, or since it is proved by now."""
    incident = public.incident
    await decide(incident)
    await announce(incident, State.IDENTIFIED)
    await incident.record(SAID)
    await refreshed(incident, monkeypatch, timedelta(minutes=1))
    decision = (await incident.read()).last(e.DecisionMade)
    assert decision is not None
    await incident.record(decision)
    await refreshed(incident, monkeypatch, timedelta(hours=30))
    for later in (31, 32):
        if proved:
            await announce(incident, State.MONITORING)
        else:
            await incident.record(SAID.model_copy(update={"because": f"they tried again, {later}"}))
            await refreshed(incident, monkeypatch, timedelta(minutes=later))
    states = [status for status, _ in public.updates()]
    assert states == ["identified", "monitoring", "identified", "monitoring"]
    assert ("This is not confirmed yet" in public.updates()[-1][1]) is not proved


async def test_colleagues_who_were_told_by_word_are_told_when_it_is_proved(public: Public) -> None:
    """Else an e-mail, which nobody can change, would stay as one person's word, and without the verdict."""
    incident = public.incident
    await announce(incident, State.INVESTIGATING)
    await incident.record(e.StateForced(state="IDENTIFIED", by="ana", because="a bad deploy"))
    due = await due_reminders(incident.environment, now() + timedelta(minutes=1))
    for _, update in due.updates:
        await announce_now(incident, update)
    await decide(incident)
    for _ in range(2):
        await announce(incident, State.IDENTIFIED)
    told = [it for it in await public.timeline(e.StatusAnnounced) if it.channel == "slack"]
    assert [(it.state, it.by_word) for it in told] == [
        ("INVESTIGATING", False),
        ("IDENTIFIED", True),
        ("IDENTIFIED", False),
    ]
    assert "said by" not in public.threads("IDENTIFIED")[-1]


async def test_a_decision_after_a_word_is_told_at_once(
    public: Public, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the thread and on the page: IDENTIFIED was told before, but people have read MONITORING last."""
    incident = public.incident
    await decide(incident)
    await announce(incident, State.IDENTIFIED)
    await incident.record(SAID)
    await refreshed(incident, monkeypatch, timedelta(minutes=1))
    due = await due_reminders(incident.environment, now() + timedelta(minutes=1))
    for _, update in due.updates:
        await announce_now(incident, update)
    decision = (await incident.read()).last(e.DecisionMade)
    assert decision is not None
    await incident.record(decision)
    for _ in range(2):
        await announce(incident, State.IDENTIFIED)
        await refreshed(incident, monkeypatch, timedelta(minutes=2))
    told = [it.state for it in await public.timeline(e.StatusAnnounced) if it.channel == "slack"]
    assert told == ["IDENTIFIED", "MONITORING", "IDENTIFIED"]
    assert [status for status, _ in public.updates()] == ["identified", "monitoring", "identified"]


async def refreshed(incident: OpenIncident, monkeypatch: pytest.MonkeyPatch, later: timedelta) -> None:
    """What the reminders tell the public of it, that much later."""

    def then() -> datetime:
        return now() + later

    due = await due_reminders(incident.environment, then())
    with monkeypatch.context() as clock:
        clock.setattr(communicate, "now", then)
        for _, entry in due.refreshes:
            await refresh_public(incident, entry)
