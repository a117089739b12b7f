"""A person is called once for each reason, with the reason; the call ends when it is over."""

import asyncio
import dataclasses
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks.channels.pager import Pager
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.fallback import DISABLE_FALLBACK
from runbook.channels.untold import untold
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.sentences import sentence
from runbook.incidents.state import IncidentOutcome, State
from tasks.channels.communicate import announce
from tasks.channels.page import escalate, page_on_opening, resolve_page
from tasks.incident import OpenIncident
from tests.runbook.journals import FALLBACK, finished
from tests.tasks.channels.audience import FAILED, Audience, audience, failed
from tests.tasks.environments import decide, open_incident

__all__ = ["audience"]  # a fixture, found here

NO_DECISION = Escalation(kind=EscalationKind.NO_DECISION)
NOT_OVER = Escalation(kind=EscalationKind.NOT_OVER)
RUN_ENDED = Escalation(kind=EscalationKind.RUN_ENDED, subject="FAILED")


async def test_an_escalation_reaches_pager_and_channel_once(audience: Audience) -> None:
    """The same reason calls once; a new one is an alert of its own, or it would wake nobody up."""
    assert await escalate(audience.incident, NO_DECISION, "the facts do not suffice")
    assert await escalate(audience.incident, NO_DECISION, "the facts do not suffice")
    assert await escalate(audience.incident, FAILED, "the rollout failed")

    assert audience.said() == [
        "☎️ A person is needed: the facts do not suffice",
        "☎️ A person is needed: the rollout failed",
    ]
    assert [(page.summary, len(page.events)) for page in audience.pager.pages] == [
        ("service of inc-1: the facts do not suffice", 1),
        ("service of inc-1: the rollout failed", 1),
    ]


async def test_a_reason_with_a_secret_calls_once_and_masked(audience: Audience) -> None:
    """It is known again by what the journal has of it."""
    because = "the answer was: phx_abcdef123456 <!channel>"
    for _ in range(2):
        assert await escalate(audience.incident, FAILED, because, ("kubectl get pods",))

    assert [message["text"] for message in audience.slack.messages] == [
        "☎️ A person is needed: the answer was: [redacted:phx] &lt;!channel&gt;\n"
        "By hand:\n```\nkubectl get pods\n```\n\n"
        "Incident: Service Of Inc 1, `inc-1`"
    ]
    (page,) = audience.pager.pages
    assert page.summary == "service of inc-1: the answer was: [redacted:phx] <!channel>"
    assert page.events[0]["payload"]["custom_details"]["by hand"] == "kubectl get pods"
    (effect,) = (it for it in (await audience.incident.read()).effects.values() if it.kind == "slack")
    assert effect.summary == "☎ A person is needed: the answer was: [redacted:phx] <!channel>"


async def test_a_call_of_an_earlier_release_is_not_made_again(audience: Audience) -> None:
    """It had the commands in its reason."""
    earlier = e.IncidentEscalated(because="it did not help. By hand:\nkubectl get pods")
    await audience.incident.record(earlier)
    await escalate(audience.incident, FAILED, "it did not help", ("kubectl get pods",))

    assert (await audience.incident.read()).events(e.IncidentEscalated) == [earlier]


@pytest.mark.parametrize("reworded", ["nobody can tell what is wrong", "Enable fallback: not possible"])
async def test_other_words_for_the_same_call_nobody_again(audience: Audience, reworded: str) -> None:
    """What a call is for tells it from another; its words may change from one release to the next."""
    assert await escalate(audience.incident, NO_DECISION, "the facts do not suffice")
    assert await escalate(audience.incident, NO_DECISION, reworded, ("kubectl get pods",))

    journal = await audience.incident.read()
    assert [event.because for event in journal.events(e.IncidentEscalated)] == ["the facts do not suffice"]
    assert [page.summary for page in audience.pager.pages] == ["service of inc-1: the facts do not suffice"]
    assert audience.said() == ["☎️ A person is needed: the facts do not suffice"]


async def test_the_same_words_for_something_else_are_another_call(audience: Audience) -> None:
    """Two actions may fail alike."""
    for subject in ("1-enable-fallback", "2-restart-deployment"):
        assert await escalate(audience.incident, failed(subject), "failed: the cluster refuses it")

    assert len(audience.pager.pages) == 2


async def test_an_escalation_is_shown_in_the_channel_too(audience: Audience) -> None:
    """A reply in a thread is seen by nobody who does not follow it."""
    await announce(audience.incident, State.INVESTIGATING)
    await escalate(audience.incident, FAILED, "the rollout failed")

    told, called = audience.slack.messages
    assert "subtype" not in told
    assert (called["thread_ts"], called["subtype"]) == (told["ts"], "thread_broadcast")


async def test_escalations_at_the_same_time_are_told_apart(audience: Audience) -> None:
    """Two processes that call a person at once make two calls: neither takes the other's for its own."""
    reasons = [f"reason {number}" for number in range(4)]
    await asyncio.gather(*(escalate(audience.incident, failed(because), because) for because in reasons))

    assert {page.summary for page in audience.pager.pages} == {f"service of inc-1: {why}" for why in reasons}


async def test_an_escalation_that_does_not_get_through_says_so_and_is_tried_again(audience: Audience) -> None:
    """The channel was told, the pager not: next time only the pager is."""
    pager = audience.incident.environment.pager
    assert pager is not None
    key = Pager(routing_key=SecretStr("x" * 32), base_url=pager.base_url)
    environment = dataclasses.replace(audience.incident.environment, pager=key)
    at_work = OpenIncident(id=audience.incident.id, environment=environment)
    assert not await escalate(at_work, FAILED, "it burns")
    assert audience.pager.pages == []

    assert await escalate(audience.incident, FAILED, "it burns")
    assert [page.summary for page in audience.pager.pages] == ["service of inc-1: it burns"]
    assert audience.said() == ["☎️ A person is needed: it burns"]


async def test_every_call_ends_with_the_incident(audience: Audience) -> None:
    """A severe incident calls someone when it is opened, then again when stuck; its end ends both calls."""
    await decide(audience.incident)
    await page_on_opening(audience.incident)
    await escalate(audience.incident, FAILED, "the rollout failed")
    await resolve_page(audience.incident)
    assert [call.state for call in audience.pager.pages] == ["resolved", "resolved"]

    await escalate(audience.incident, RUN_ENDED, "the runbook's own run ended as FAILED")
    await resolve_page(audience.incident)
    assert [call.state for call in audience.pager.pages] == ["resolved"] * 3
    events = [event["event_action"] for call in audience.pager.pages for event in call.events]
    assert events == ["trigger", "resolve"] * 3, "a call that has ended is not ended again"
    assert len((await audience.incident.read()).effects) == 8, "three calls, three ends, two messages"


async def test_a_call_about_what_is_unsettled_goes_on_after_the_end(audience: Audience) -> None:
    """A switch that could not be taken off had called and ended its call within half a second."""
    removal = FALLBACK.model_copy(update={"id": f"{FALLBACK.id}-off", "name": DISABLE_FALLBACK.name})
    await decide(audience.incident)
    await page_on_opening(audience.incident)
    await audience.incident.record(finished(ActionOutcome.RECOVERED))
    await audience.incident.record(e.WatchStarted(waiting_for=()))
    await audience.incident.record(finished(ActionOutcome.FAILED, removal))
    await escalate(audience.incident, FAILED, "Disable fallback: failed", about=removal.id)
    await audience.incident.record(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=()))
    await resolve_page(audience.incident)
    assert [call.state for call in audience.pager.pages] == ["resolved", "triggered"]

    off = e.SwitchChecked(action_id=FALLBACK.id, switch="POSTHOG_FALLBACK=true", on=False)
    await audience.incident.record(off)
    await resolve_page(audience.incident)
    assert [call.state for call in audience.pager.pages] == ["resolved", "resolved"]


async def test_a_call_of_an_earlier_version_ends_too(audience: Audience) -> None:
    """A call that was made under another deduplication key is ended under that key."""
    pager = audience.incident.environment.pager
    assert pager is not None
    await pager.trigger(audience.incident.id, "down", Severity.P1, "integration")
    call = Effect(
        id=f"{audience.incident.id}/pager/opened",
        kind="pager",
        target="pager",
        summary="down",
        authority=Authority.policy("page_from"),
        outcome=EffectOutcome.APPLIED,
        receipt={"dedup_key": audience.incident.id},
    )
    await audience.incident.record(e.EffectSettled(effect=call))

    await resolve_page(audience.incident)
    assert [call.state for call in audience.pager.pages] == ["resolved"]


async def test_nobody_is_paged_for_what_begins_in_maintenance_that_says_so(audience: Audience) -> None:
    """It is in the journal, and somebody is called all the same when the runbook cannot go on."""
    await decide(audience.incident)
    noted = e.MaintenanceNoted(source="configured", title="Upgrade", until=None, paging_suppressed=True)
    await audience.incident.record(noted)
    await page_on_opening(audience.incident)
    assert audience.pager.pages == []
    await escalate(audience.incident, NOT_OVER, "it does not end")
    assert len(audience.pager.pages) == 1


async def test_where_there_is_nobody_to_tell_the_journal_says_so_once(tmp_path: Path) -> None:
    """A timeline that said "a person was paged" would let everybody believe that somebody comes."""
    incident = await open_incident(tmp_path)
    for _ in range(2):
        assert not await escalate(incident, FAILED, "it burns")
    journal = await incident.read()
    told = [sentence(item.event) for item in journal.journal[-2:]]
    assert told == [
        "A person is needed: it burns",
        "Nobody could be told: no pager and no channel is configured (service of inc-1: it burns)",
    ]
    [each] = untold(journal)
    assert each.sentence == (
        "Nobody could be told: no pager and no channel is configured. A person is needed: it burns"
    )
    assert not any(effect.in_doubt for effect in journal.effects.values())


async def test_where_nobody_took_the_message_the_journal_says_so_until_somebody_does(
    audience: Audience,
) -> None:
    """A pager that refuses and a channel that is away are as good as none."""
    gone = "http://127.0.0.1:1"
    environment = audience.incident.environment
    assert environment.slack is not None
    assert environment.pager is not None
    away = dataclasses.replace(
        environment,
        slack=environment.slack.model_copy(update={"base_url": f"{gone}/api/"}),
        pager=environment.pager.model_copy(update={"base_url": gone}),
    )
    assert not await escalate(OpenIncident(id=audience.incident.id, environment=away), FAILED, "it burns")
    [each] = untold(await audience.incident.read())
    assert each.why == "the message was not taken by pager and slack"

    assert await escalate(audience.incident, FAILED, "it burns")
    assert untold(await audience.incident.read()) == ()
    assert len(audience.pager.pages) == 1


async def test_where_one_of_two_took_the_message_somebody_was_told(audience: Audience) -> None:
    """That is no reason to say that nobody knows."""
    environment = audience.incident.environment
    assert environment.pager is not None
    without = dataclasses.replace(
        environment, pager=environment.pager.model_copy(update={"base_url": "http://127.0.0.1:1"})
    )
    assert not await escalate(OpenIncident(id=audience.incident.id, environment=without), FAILED, "it burns")
    assert untold(await audience.incident.read()) == ()


async def test_a_rehearsal_without_a_channel_has_nobody_to_call(tmp_path: Path) -> None:
    """It is not tried again and again."""
    assert await escalate(await open_incident(tmp_path, dry_run=True), FAILED, "it burns")
    assert not await escalate(await open_incident(tmp_path, name="inc-2"), FAILED, "it burns")
