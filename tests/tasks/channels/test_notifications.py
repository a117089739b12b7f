"""The team and support hear of an incident by e-mail and in Microsoft Teams, at most once of each thing."""

from datetime import timedelta

import pytest

from runbook.actions.catalogue import ActionOutcome
from runbook.channels.cards.root import root_card
from runbook.channels.untold import failing_channels, untold
from runbook.incidents import events as e
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.incident import Incident
from runbook.incidents.sentences import sentence
from runbook.incidents.state import IncidentOutcome, State
from runbook.policy.policy import Policy
from tasks.caretaking.due import due_reminders
from tasks.channels.communicate import announce, announce_missed, hand_over
from tasks.channels.page import escalate
from tasks.channels.refresh import refresh
from tasks.incident import OpenIncident, now
from tests.runbook.journals import PLAN, asked, decision, finished
from tests.tasks.channels.readers import LEAD, SUPPORT, TEAM, Readers, readers, with_channels
from tests.tasks.environments import open_incident

__all__ = ["readers"]


async def effects(incident: OpenIncident) -> dict[str, Effect]:
    """The effects of the incident, by their ids without the incident."""
    journal = await incident.read()
    return {effect.id.partition("/")[2]: effect for effect in journal.effects.values()}


async def test_an_incident_is_told_from_beginning_to_end(readers: Readers) -> None:
    """Each thing is one message to each audience, and each message an effect of the journal."""
    incident = readers.incident
    await announce(incident, State.INVESTIGATING)
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    await announce(incident, State.IDENTIFIED)
    await announce(incident, State.IDENTIFIED)
    await incident.record(e.ActionPreviewed(plan=PLAN, since=now()))
    await incident.record_once(asked())
    await refresh(incident)
    assert await hand_over(incident, "4-hand-off", "Ask PostHog's support")
    await incident.record_once(finished(ActionOutcome.RECOVERED))
    await incident.record_once(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=()))
    await announce(incident, State.RESOLVED)

    beginnings = [each.subject.partition(":")[0] for each in readers.mail.taken if TEAM in each.readers]
    assert beginnings == [
        "⚪ INCIDENT",
        "🔴 P1 INCIDENT",
        "❓ Enable the fallback (graceful degradation) (inc-1)",
        "🙋 Ask PostHog's support (inc-1)",
        "✅ P1 INCIDENT",
    ]
    supported = [text.splitlines()[0] for text in readers.mails_to(SUPPORT)]
    assert supported == [
        f"{mark} For support: our PostHog integration: {state}"
        for mark, state in (("⚪", "INVESTIGATING"), ("🔴", "IDENTIFIED"), ("✅", "RESOLVED"))
    ]
    assert len(readers.teams.posted) == len(readers.mail.taken)
    assert {tuple(each.readers) for each in readers.mail.taken} == {(TEAM, LEAD), (SUPPORT,)}
    threads = {each.message["References"] for each in readers.mail.taken}
    assert threads == {"<inc-1@example.com>"}
    told = await effects(incident)
    assert {effect.outcome for effect in told.values()} == {EffectOutcome.APPLIED}
    assert {effect.kind for effect in told.values()} == {"email", "email-support", "teams", "teams-support"}


async def test_support_is_not_told_of_a_rehearsal(readers: Readers, tmp_path: object) -> None:
    """It would tell users; the team is told that it is one."""
    folder = tmp_path / "rehearsal"  # type: ignore[operator]
    folder.mkdir()
    rehearsed = await open_incident(folder, dry_run=True)
    await announce(with_channels(rehearsed, readers.email_block), State.INVESTIGATING)
    (mail,) = readers.mail.taken
    assert mail.readers == [TEAM, LEAD]
    assert mail.subject.startswith("REHEARSAL: ⚪ INCIDENT")
    assert mail.text.startswith("REHEARSAL: nothing will be changed\n")


async def test_what_may_have_been_sent_is_not_sent_again(readers: Readers) -> None:
    """Its answer was lost and nobody can look: it stays in doubt, in Teams it went through."""
    incident, what = readers.incident, Escalation(kind=EscalationKind.NO_DECISION)
    readers.mail.loses_answers = True
    assert await escalate(incident, what, "the facts do not suffice")
    readers.mail.loses_answers = False
    length = len((await incident.read()).journal)
    for _ in range(2):
        assert await escalate(incident, what, "the facts do not suffice")

    assert len(readers.mail.taken) == len(readers.teams.posted) == 1
    told = await effects(incident)
    assert told["email/escalated-1"].outcome is EffectOutcome.UNSETTLED
    assert "nobody can look there" in told["email/escalated-1"].detail
    assert told["teams/escalated-1"].outcome is EffectOutcome.APPLIED
    assert len((await incident.read()).journal) == length


async def test_where_all_is_in_doubt_nobody_is_taken_for_told(readers: Readers) -> None:
    """It does not count as got through; nor does the journal say that nobody could be told."""
    incident, what = readers.incident, Escalation(kind=EscalationKind.NO_DECISION)
    readers.mail.loses_answers, readers.teams.answers = True, [500]
    for _ in range(2):
        assert not await escalate(incident, what, "the facts do not suffice")
    assert len(readers.mail.taken) == len(readers.teams.posted) == 1
    assert untold(await incident.read()) == ()


async def test_what_a_killed_process_was_about_to_send_is_not_sent_again(readers: Readers) -> None:
    """The journal has the intent alone; the next state is told."""
    incident = readers.incident
    await announce(incident, State.INVESTIGATING)
    sent = (await effects(incident))["email/investigating-1"]
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    killed = sent.model_copy(update={"id": "inc-1/email/identified-2", "outcome": None, "receipt": {}})
    await incident.record(e.EffectIntended(effect=killed))
    await announce(incident, State.IDENTIFIED)
    assert len(readers.mails_to(TEAM)) == 1
    assert (await effects(incident))["email/identified-2"].outcome is EffectOutcome.UNSETTLED
    await incident.record_once(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=()))
    await announce(incident, State.RESOLVED)
    assert len(readers.mails_to(TEAM)) == 2


async def test_a_channel_that_was_away_gets_todays_words(readers: Readers) -> None:
    """What failed for certain is not told any more once the state is another."""
    incident = readers.incident
    readers.mail.refuses = {"MAIL": "451 4.3.0 later"}
    await announce(incident, State.INVESTIGATING)
    told = await effects(incident)
    assert told["email/investigating-1"].outcome is EffectOutcome.FAILED
    assert told["teams/investigating-1"].outcome is EffectOutcome.APPLIED
    readers.mail.refuses = {}
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    await announce(incident, State.IDENTIFIED)
    assert [text.splitlines()[0] for text in readers.mails_to(TEAM)] == [
        "🔴 P1 INCIDENT: Service Of Inc 1: IDENTIFIED"
    ]


async def test_a_channel_that_is_back_is_told_where_things_stand(readers: Readers) -> None:
    """The reminders look after it, with a pause that grows; what went through elsewhere is not told again."""
    incident = readers.incident
    readers.mail.refuses = {"MAIL": "451 4.3.0 later"}
    await announce(incident, State.INVESTIGATING)
    assert (await due_reminders(incident.environment, now())).missed == []
    found = (await due_reminders(incident.environment, now() + timedelta(minutes=2))).missed
    assert [channel for _, channel in found] == ["email", "email-support"]
    assert await announce_missed(incident, "email") is None  # the pause is not over
    readers.mail.refuses = {}
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    journal = await incident.read()
    later = now() + timedelta(minutes=2)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tasks.channels.communicate.now", lambda: later)
        told = await announce_missed(incident, "email")
    assert told is not None
    assert (told.channel, told.state) == ("email", journal.state.told)
    assert len(readers.mails_to(TEAM)) == 1
    assert len(readers.teams.posted) == 2
    left = (await due_reminders(incident.environment, later)).missed
    assert [channel for _, channel in left] == ["email-support"]


async def test_the_first_message_elsewhere_says_which_channel_fails(readers: Readers) -> None:
    """Until that channel takes a message again; what is in doubt is called so."""
    incident = readers.incident
    readers.mail.refuses, readers.teams.answers = {"MAIL": "451 4.3.0 later"}, [500]
    await announce(incident, State.INVESTIGATING)
    said = failing_channels(await incident.read(), besides="slack")
    assert [sentence.partition(":")[0] for sentence in said] == [
        "email does not take messages",
        "email support does not take messages",
        "teams may or may not have taken the last message",
    ]
    readers.mail.refuses = {}
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    await announce(incident, State.IDENTIFIED)
    assert failing_channels(await incident.read(), besides="slack") == ()


async def test_what_colleagues_are_told_is_not_taken_for_the_status_page(readers: Readers) -> None:
    """The first message in Slack says what the public was told, not support."""
    incident = readers.incident
    await announce(incident, State.INVESTIGATING)
    assert _shown_of_the_page(await incident.read()) == ""
    await incident.record(e.StatusAnnounced(channel="status-page", state="INVESTIGATING", reference="p1"))
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    await announce(incident, State.IDENTIFIED)
    assert _shown_of_the_page(await incident.read()) == "INVESTIGATING"


def _shown_of_the_page(journal: Incident) -> object:
    card = root_card(journal, channel="slack", policy=Policy(), now=now(), link="")
    return card.values["status_page"]


@pytest.mark.parametrize("said", ["550 5.1.1 nobody here", "450 4.7.1 greylisted"])
async def test_a_reader_whom_the_server_refuses_beside_others_is_named(readers: Readers, said: str) -> None:
    """In the timeline and in the first message, until one reaches everybody; who has it gets no second."""
    incident = readers.incident
    readers.mail.refuses = {f"RCPT {LEAD}": said}
    for _ in range(2):
        await announce(incident, State.INVESTIGATING)
    assert [mail.readers for mail in readers.mail.taken] == [[TEAM], [SUPPORT]]
    told = (await effects(incident))["email/investigating-1"]
    assert told.outcome is EffectOutcome.APPLIED
    missed = f"not sent to lead, number 2 in [email] to ({said})"
    assert told.detail == missed
    journal = await incident.read()
    [settled] = [it for it in journal.events(e.EffectSettled) if it.effect.id == told.id]
    assert sentence(settled).startswith("Done: ")
    assert sentence(settled).endswith(f"(email): {missed}")
    root = root_card(journal, channel="slack", policy=Policy(), now=now(), link="")
    assert root.values["untold"] == [f"email takes messages for some of its readers alone: {missed}"]
    readers.mail.refuses = {}
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    await announce(incident, State.IDENTIFIED)
    assert failing_channels(await incident.read(), besides="slack") == ()
    assert readers.mail.taken[-2].readers == [TEAM, LEAD]
