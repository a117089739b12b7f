"""A text for the public is asked about in the thread, and is on the page once a person has said yes."""

from datetime import timedelta

import pytest

from runbook.channels.cards.standing import standing
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.incidents import events as e
from runbook.incidents.state import IncidentOutcome, State
from runbook.policy.public_policy import PublicPolicy
from runbook.public.texts import text_digest
from tasks.caretaking.due import due_reminders
from tasks.channels import communicate, facts, public_gate, remind
from tasks.channels.communicate import announce, publish_text, refresh_public
from tasks.channels.public_page import read_public_page
from tasks.channels.refresh import refresh
from tasks.channels.remind import remind_of_clock
from tasks.incident import OpenIncident, now
from tests.tasks.channels.public_pages import Public, audience, public
from tests.tasks.environments import decide

__all__ = ["audience", "public"]  # fixtures, found here

ASKING = {"public": PublicPolicy()}
RECOVERED = e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("all ok",))
QUESTION = "Shall this be published on the status page"


async def asked(public: Public, state: State = State.IDENTIFIED) -> OpenIncident:
    """A text of that state waits for a yes."""
    incident = public.under(**ASKING)
    await decide(incident)
    await announce(incident, state)
    return incident


async def newest(incident: OpenIncident) -> e.PublicTextProposed:
    """The text that was proposed last."""
    proposed = (await incident.read()).last(e.PublicTextProposed)
    assert proposed is not None
    return proposed


async def yes(incident: OpenIncident, body: str = "") -> None:
    """Ana lets the newest text be published."""
    proposal = (await newest(incident)).digest
    await incident.record_once(e.PublicTextApproved(proposal=proposal, by="ana", body=body))


async def publish(incident: OpenIncident, at: timedelta = timedelta()) -> int:
    """What the reminders publish, that much later."""
    due = (await due_reminders(incident.environment, now() + at)).publications
    for _, text in due:
        await publish_text(incident, text)
    return len(due)


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


async def killed(*_: object, **__: object) -> None:
    """The process ends here."""
    raise KeyboardInterrupt


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


async def six_hours_later(monkeypatch: pytest.MonkeyPatch, incident: OpenIncident, hours: int = 7) -> None:
    """The page is refreshed by then, as far as it may."""
    at = now() + timedelta(hours=hours)
    for module in (communicate, facts, public_gate):
        monkeypatch.setattr(module, "now", lambda: at)
    for _, due in (await due_reminders(incident.environment, at)).refreshes:
        await refresh_public(incident, due)


async def test_a_refresh_needs_no_new_yes_for_the_same_words(
    public: Public, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They tell the time at which they are said again, also where a person has left it out."""
    incident = await asked(public)
    await yes(incident, "Some events arrive late.")
    await publish(incident)
    for hours in (7, 14):
        await six_hours_later(monkeypatch, incident, hours)
    said = [body for _, body in public.updates()]
    assert len(said) == len(set(said)) == 3
    assert all(body.startswith("Some events arrive late.") for body in said)
    assert len(await public.timeline(e.PublicTextProposed)) == 1
    assert await read_public_page(incident) == []


async def test_a_refresh_in_other_words_is_asked_about(
    public: Public, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, however often the clock looks."""
    incident = await asked(public)
    await yes(incident)
    await publish(incident)
    renamed = public.under(**ASKING, public_titles={(await incident.read()).service: "our shop"})
    for _ in range(2):
        await six_hours_later(monkeypatch, renamed)
    assert len(public.updates()) == 1
    proposed = await public.timeline(e.PublicTextProposed)
    assert len(proposed) == 2
    assert "our shop" in proposed[-1].body
    await yes(renamed)
    await publish(renamed, timedelta(hours=7))
    assert text_digest(public.updates()[-1][1]) != text_digest(public.updates()[0][1])


async def test_that_it_is_over_is_asked_about_and_reminded_of_after_the_end(
    public: Public, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once after the reminder's time and once a day, until it is published; nobody is paged for it."""
    incident = await asked(public)
    await yes(incident)
    await publish(incident)
    await incident.record(RECOVERED)
    await announce(incident, State.RESOLVED)
    await incident.record_once(e.IncidentClosed(outcome="recovered"))
    assert [status for status, _ in public.updates()] == ["identified"]

    for hours, told in ((0, 0), (1, 1), (2, 1), (26, 2)):
        at = now() + timedelta(hours=hours)
        with monkeypatch.context() as later:
            later.setattr(remind, "now", lambda at=at: at)
            for found, clock in (await due_reminders(incident.environment, at)).clocks:
                assert found.id == incident.id
                await remind_of_clock(incident, clock)
        assert len(public.threads("the status page still shows the incident")) == told
    assert not await public.timeline(e.IncidentEscalated)

    await yes(incident)
    assert await publish(incident, timedelta(days=2)) == 1
    assert [status for status, _ in public.updates()] == ["identified", "resolved"]
    due = await due_reminders(incident.environment, now() + timedelta(days=3))
    assert (due.clocks, due.publications) == ([], [])


async def test_an_incident_that_was_never_public_ends_without_a_question(public: Public) -> None:
    """The text that waits is over with the incident, and none says that it is."""
    incident = await asked(public)
    await incident.record(RECOVERED)
    await announce(incident, State.RESOLVED)
    assert len(await public.timeline(e.PublicTextProposed)) == 1
    assert public.threads("the incident has ended")
    journal = await incident.read()
    shown = standing(journal, "slack", policy=incident.policy, now=now(), link="")
    assert all("publish" not in button.kind for it in shown for button in it.card.buttons)


async def test_the_first_message_shows_that_a_text_waits(public: Public) -> None:
    """As long as it does."""
    incident = await asked(public)
    await refresh(incident)
    assert "Text for the public: IDENTIFIED waits for a yes" in public.slack.messages[0]["text"]
    await yes(incident)
    await publish(incident)
    await refresh(incident)
    assert "waits for a yes" not in public.slack.messages[0]["text"]
