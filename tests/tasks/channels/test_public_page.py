"""What people write on our status page is left alone, noted, and told to the team once."""

from runbook.incidents import events as e
from runbook.incidents.state import State
from tasks.channels.communicate import announce
from tests.tasks.channels.public_pages import Public, audience, public
from tests.tasks.environments import decide

__all__ = ["audience", "public"]  # fixtures, found here

TITLE = "PostHog Integration Issue"
LEFT_ALONE = "incident of the same title is open"


async def test_a_person_s_incident_of_the_same_title_is_left_alone_and_told_once(public: Public) -> None:
    """In the timeline and in the thread, with its link; ours is another one, and each ends by itself."""
    theirs = await public.by_hand(TITLE)
    await public.by_hand("Maintenance of the shop")
    await decide(public.incident)
    for state in (State.INVESTIGATING, State.IDENTIFIED, State.MONITORING):
        await announce(public.incident, state)

    seen = await public.timeline(e.PublicIncidentSeen)
    assert [(it.reference, it.title) for it in seen] == [(theirs, TITLE)]
    assert seen[0].link
    [told] = public.threads(LEFT_ALONE)
    assert seen[0].link in told
    assert "it is left alone" in told
    assert [status for status, _ in public.updates(0)] == ["investigating"]
    assert len(public.shown) == 3


async def test_nobody_is_told_of_our_own_incident(public: Public) -> None:
    """Nor of that of another incident of ours, which has the same title."""
    await decide(public.incident)
    for state in (State.IDENTIFIED, State.MONITORING):
        await announce(public.incident, state)
    assert not await public.timeline(e.PublicIncidentSeen)
    assert not public.threads(LEFT_ALONE)
