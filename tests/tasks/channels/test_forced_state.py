"""A state that a person says is told to the team, and proposed for the public, as their word."""

from datetime import timedelta

from runbook.incidents import events as e
from runbook.incidents.state import State
from tasks.caretaking.due import due_reminders
from tasks.channels.communicate import announce, announce_now, refresh_public
from tasks.incident import now
from tests.tasks.channels.asked_texts import QUESTION, asked, publish, yes
from tests.tasks.channels.public_pages import Public, audience, public

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
