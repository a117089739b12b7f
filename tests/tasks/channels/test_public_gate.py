"""A text for the public is asked about in the thread, and is on the page once a person has said yes."""

from datetime import timedelta

import pytest

from deployments.drill.world.channels.statuspage import StatuspageApi
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect
from runbook.incidents.sentences import sentence
from runbook.incidents.state import State
from runbook.policy.public_policy import PublicPolicy
from tasks.channels.communicate import announce
from tasks.channels.public_page import read_public_page
from tasks.channels.refresh import refresh
from tasks.effects import NotAuthorised, carry_out, no_traces
from tasks.incident import OpenIncident
from tests.tasks.channels.asked_texts import QUESTION, RECOVERED, asked, killed, newest, publish, yes
from tests.tasks.channels.public_pages import Public, audience, public
from tests.tasks.environments import decide

__all__ = ["audience", "public"]  # fixtures, found here


async def test_a_text_is_asked_about_once_and_is_published_after_a_yes(public: Public) -> None:
    """In its words, with who has allowed it; the message then says so without buttons."""
    incident = await asked(public)
    await announce(incident, State.IDENTIFIED)
    assert public.shown == []
    [question] = public.threads(QUESTION)
    assert "Some users may experience" in question
    assert await publish(incident) == 0

    await yes(incident)
    assert await publish(incident) == 1
    assert await publish(incident) == 0
    [(status, body)] = public.updates()
    assert status == "identified"
    assert "Some users may experience" in body
    journal = await incident.read()
    published = journal.effects[f"{incident.id}/status-page/identified"]
    assert (published.authority.kind, published.authority.by) == ("approval", "ana")
    await refresh(incident)
    assert public.threads(QUESTION) == []
    [answered] = public.threads("lets the public text be published")
    assert "published" in answered
    assert await read_public_page(incident) == []


async def test_edited_words_are_published_as_they_are(public: Public) -> None:
    """They are known as ours, and so nobody is told of them as somebody else's."""
    incident = await asked(public)
    await yes(incident, "Some events arrive late.")
    await publish(incident)
    assert public.updates() == [("identified", "Some events arrive late.")]
    assert await read_public_page(incident) == []


async def test_an_edited_title_is_that_of_the_entry_and_stays(public: Public) -> None:
    """The next text keeps it; an open entry gets another one where the provider takes one for it.

    What a person has called the entry on the page is left alone by a text whose title nobody has edited.
    """
    incident = await asked(public)
    await yes(incident, title="Delayed events")
    await publish(incident)
    assert public.shown[0]["name"] == "Delayed events"
    await announce(incident, State.IDENTIFIED)
    assert (await newest(incident)).title != "Delayed events"  # the same text is not asked about again
    await announce(incident, State.MONITORING)
    assert (await newest(incident)).title == "Delayed events"
    await announce(incident, State.MONITORING)
    assert len(public.threads(QUESTION)) == 1
    await yes(incident, title="Late events")
    await publish(incident)
    renamed = "Late events" if isinstance(public.page, StatuspageApi) else "Delayed events"
    assert public.shown[0]["name"] == renamed
    await refresh(incident)
    assert public.threads("under the title “Late events”")
    kept = "the entry keeps its title, since incident.io takes none in an update: change it on the page"
    said = [it for it in await public.timeline(e.EffectSettled) if kept in sentence(it)]
    assert bool(said) is bool(public.threads(kept)) is (renamed != "Late events")
    public.shown[0]["name"] = "Called so by a person"
    await incident.record(RECOVERED)
    await announce(incident, State.RESOLVED)
    assert (await newest(incident)).title == "Late events"
    await yes(incident)
    await publish(incident)
    assert [status for status, _ in public.updates()] == ["identified", "monitoring", "resolved"]
    assert public.shown[0]["name"] == "Called so by a person"


async def test_the_next_state_replaces_a_text_that_waits(public: Public) -> None:
    """The old message says so without buttons; the response and the team's updates do not wait."""
    incident = await asked(public)
    first = await newest(incident)
    await announce(incident, State.MONITORING)
    assert len(public.threads(QUESTION)) == 1
    assert public.threads("another text has replaced it")
    await incident.record_once(e.PublicTextApproved(proposal=first.digest, by="ana"))
    assert await publish(incident) == 0
    await yes(incident)
    await publish(incident)
    assert [status for status, _ in public.updates()] == ["monitoring"]
    told = [it.state for it in await public.timeline(e.StatusAnnounced) if it.channel == "slack"]
    assert told == [State.IDENTIFIED, State.MONITORING]


async def test_a_text_that_is_withheld_is_not_asked_about_again(public: Public) -> None:
    """That of the next state is."""
    incident = await asked(public)
    proposal = (await newest(incident)).digest
    await incident.record_once(e.PublicTextWithheld(proposal=proposal, by="ana", because="not sure yet"))
    await announce(incident, State.IDENTIFIED)
    assert await publish(incident) == 0
    assert public.threads("does not let the public text be published: not sure yet")
    await announce(incident, State.MONITORING)
    assert len(public.threads(QUESTION)) == 1


@pytest.mark.parametrize("point", ["before the request", "before the outcome", "before the announcement"])
async def test_a_publication_whose_process_died_is_made_once(
    public: Public, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """The reminders come by again, whenever it was."""
    incident = await asked(public)
    await yes(incident)
    record, written = OpenIncident.record, type(public.publisher).announce
    with monkeypatch.context() as dying:
        if point == "before the request":
            dying.setattr(type(public.publisher), "announce", killed)
        else:
            kind = e.EffectSettled if point == "before the outcome" else e.StatusAnnounced

            async def dies(self: OpenIncident, event: e.Event, **rest: str) -> e.Recorded:
                if isinstance(event, kind):
                    raise KeyboardInterrupt
                return await record(self, event, **rest)

            dying.setattr(OpenIncident, "record", dies)
        with pytest.raises(KeyboardInterrupt):
            await publish(incident)
    assert written is type(public.publisher).announce

    assert await publish(incident, timedelta(minutes=1)) == 1
    assert await publish(incident, timedelta(minutes=1)) == 0
    assert [status for status, _ in public.updates()] == ["identified"]
    assert len(public.shown) == 1
    [told] = [it for it in await public.timeline(e.StatusAnnounced) if it.channel == "status-page"]
    assert told.reference == public.shown[0]["id"]


async def test_the_severity_at_the_moment_of_publication_decides(public: Public) -> None:
    """A text that waits goes out once its severity needs no yes, and what follows it as well."""
    incident = public.under(public=PublicPolicy(publish_without_asking=(Severity.P2,)))
    await decide(incident)
    await announce(incident, State.IDENTIFIED)
    assert await publish(incident) == 0
    less = SeverityAssessment(severity=Severity.P2, because="one region", by="ana")
    await incident.record(e.SeverityOverridden(assessment=less))
    assert await publish(incident) == 1
    await announce(incident, State.MONITORING)
    assert await publish(incident) == 1
    assert [status for status, _ in public.updates()] == ["identified", "monitoring"]


async def test_what_the_policy_does_not_know_any_more_is_not_published(public: Public) -> None:
    """Words that were let out are looked over again at that moment."""
    incident = await asked(public)
    await yes(incident, "Some users of Acme are affected.")
    strict = public.under(public=PublicPolicy(never_say=("Acme",)))
    await publish(strict)
    assert public.shown == []
    assert public.threads("word of never_say 'Acme'")


async def test_the_first_message_shows_that_a_text_waits(public: Public) -> None:
    """As long as it does."""
    incident = await asked(public)
    await refresh(incident)
    assert "Text for the public: IDENTIFIED waits for a yes" in public.slack.messages[0]["text"]
    await yes(incident)
    await publish(incident)
    await refresh(incident)
    assert "waits for a yes" not in public.slack.messages[0]["text"]


async def test_an_authority_that_the_journal_does_not_have_publishes_nothing(public: Public) -> None:
    """A yes is the one of that person to that text, and to the message that it was about."""
    incident = await asked(public)
    await yes(incident)
    digest = (await newest(incident)).digest
    for name, reference, by in (
        ("identified", digest, "bob"),
        ("identified", "0" * 64, "ana"),
        ("monitoring", digest, "ana"),
    ):
        forged = Effect(
            id=f"{incident.id}/status-page/{name}",
            kind="status-page",
            target="status-page",
            summary="",
            authority=Authority.approval(reference, by),
        )
        with pytest.raises(NotAuthorised):
            await carry_out(incident, forged, observe=no_traces, act=killed)
    assert public.shown == []
