"""A page that is open is refreshed, and told of the end, in words that a person has approved."""

from datetime import timedelta

import pytest

from runbook.approvals.acts import Act, ActKind
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.channels.cards.standing import standing
from runbook.incidents import events as e
from runbook.incidents.state import State
from runbook.public.texts import text_digest
from tasks.acts import Acted, record_act
from tasks.caretaking.due import due_reminders
from tasks.channels import communicate, facts, public_gate, remind
from tasks.channels.communicate import announce, refresh_public, resolve_absorbed
from tasks.channels.public_page import read_public_page
from tasks.channels.remind import remind_of_clock
from tasks.incident import OpenIncident, now
from tests.tasks.channels.asked_texts import ASKING, RECOVERED, asked, newest, publish, yes
from tests.tasks.channels.public_pages import Public, audience, public
from tests.tasks.environments import decide

__all__ = ["audience", "public"]  # fixtures, found here


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


async def test_an_answer_of_somebody_who_may_not_any_more_leaves_the_text_to_others(public: Public) -> None:
    """It waits again, with its buttons, and the next answer counts, whichever it is."""
    incident = await asked(public)
    await act_on(incident, "publish", by="ana")
    acts = incident.policy.acts.model_copy(update={"approvers": ("bob",)})
    strict = public.under(**ASKING, acts=acts)
    assert await publish(strict) == 0
    assert (await act_on(strict, "publish", by="bob")).recorded
    assert not (await act_on(strict, "publish", by="bob")).recorded
    with pytest.raises(InvalidAnswer, match=r"bob .*published it"):
        await act_on(strict, "withhold", by="bob")
    assert await publish(strict) == 1
    assert [status for status, _ in public.updates()] == ["identified"]


async def act_on(incident: OpenIncident, kind: str, *, by: str) -> Acted:
    """Somebody answers the newest text."""
    proposal = (await newest(incident)).digest
    return await record_act(
        incident.environment.store,
        await incident.read(),
        Act(kind=ActKind(kind), proposal=proposal, text="no" if kind == "withhold" else ""),
        by=by,
        identify=lambda _: Identity(name=by),
        policy=incident.policy,
        at=now(),
    )


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


async def test_the_page_of_a_merged_incident_is_asked_about_in_its_own_thread(public: Public) -> None:
    """Its entry goes on until the other one is over; then the text that it is over waits for a yes."""
    incident = await asked(public)
    await yes(incident)
    await publish(incident)
    environment = incident.environment
    other = OpenIncident(id="inc-2", environment=environment)
    alert = (await incident.read()).alert.model_copy(update={"service": "another"})
    await environment.store.open_incident(alert, incident_id=other.id, at=now(), environment=environment.name)
    await incident.record(e.IncidentMerged(into=other.id, by="ana"))
    await incident.record_once(e.IncidentClosed(outcome="merged"))
    absorbed = e.IncidentAbsorbed(incident=incident.id, service="x", by="ana")
    await other.record(absorbed)
    await decide(other)
    await other.record(RECOVERED)
    await resolve_absorbed(other)
    assert [status for status, _ in public.updates()] == ["identified"]
    assert (await newest(incident)).state == State.RESOLVED
    await yes(incident)
    assert await publish(incident) == 1
    assert [status for status, _ in public.updates()] == ["identified", "resolved"]
