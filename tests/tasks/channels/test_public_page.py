"""What people write on our status page is left alone, noted, and told to the team once."""

from deployments.drill.world.channels.statuspage import StatuspageApi
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.incidents.state import IncidentOutcome, State
from runbook.policy.public_policy import PublicPolicy
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


async def test_what_we_set_components_to_is_in_the_journal(public: Public) -> None:
    """Which component, what it was before, and what it is set to."""
    component = public.components[0]
    await decide(public.incident)
    await announce(public.incident, State.IDENTIFIED)
    told = (await public.incident.read()).effects[f"{public.incident.id}/status-page/identified"]
    changed = {"id": component, "before": "operational", "set": "degraded_performance"}
    assert told.receipt["components"] == [changed]


async def test_a_component_that_a_person_makes_worse_stays_so_until_the_end(public: Public) -> None:
    """What we had set is not ours any more once somebody has changed it."""
    await decide(public.incident)
    await announce(public.incident, State.IDENTIFIED)
    public.set_component("partial_outage")
    await announce(public.incident, State.MONITORING)
    assert public.component_shown == "partial_outage"
    if isinstance(public.page, StatuspageApi):
        await public.incident.record(
            e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("all ok",))
        )
        await announce(public.incident, State.RESOLVED)
        assert public.component_shown == "partial_outage"


async def test_a_text_that_may_not_be_published_is_not(public: Public) -> None:
    """The timeline and the thread say which word, once; the response goes on, and the team hears of it."""
    unasked = tuple(Severity)
    incident = public.under(public=PublicPolicy(never_say=("PostHog",), publish_without_asking=unasked))
    await decide(incident)
    for _ in range(2):
        await announce(incident, State.IDENTIFIED)

    assert public.shown == []
    [refused] = await public.timeline(e.PublicTextRefused)
    assert refused.because == ("word of never_say 'PostHog': Use other words, such as some users",)
    [told] = public.threads("Not published in status-page")
    assert "'PostHog'" in told
    assert "by hand" in told
    assert [it.state for it in (await incident.read()).announcements] == ["IDENTIFIED"]

    await announce(public.incident, State.MONITORING)
    assert [status for status, _ in public.updates()] == ["monitoring"]
    await incident.record(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("all ok",)))
    await announce(incident, State.RESOLVED)
    [left] = public.threads("stays open: write there that it is over")
    assert "Not published in status-page (RESOLVED)" in left
