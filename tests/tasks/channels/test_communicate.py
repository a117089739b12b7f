"""Stakeholders are told once, in one thread, and only what is true."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from blocks.channels.pager import Pager
from blocks.channels.status_page_publisher import StatusPagePublisher
from blocks.policy import RunbookPolicy
from deployments.drill.world.channels.incident_io import STATUS_PAGE_ID, IncidentIoApi
from deployments.drill.world.faults import SlackFaults
from deployments.drill.world.servers.wire import listening
from runbook.actions.catalogue import ActionOutcome, ActionResult
from runbook.actions.specs.fallback import DISABLE_FALLBACK
from runbook.channels.wording import REHEARSAL
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.state import Outcome, State
from runbook.outside_text.slack import SlackText
from runbook.policy.policy import Policy
from tasks.channels.communicate import (
    announce,
    escalate,
    page_on_opening,
    resolve_page,
    tell_of_new_verdict,
    update,
)
from tasks.channels.warn import ATTEMPTS, warn_of_answers
from tasks.incident import OpenIncident, now
from tests.runbook.journals import ALERT, FALLBACK, decision, finished
from tests.tasks.channels.audience import KEYS, Audience, audience
from tests.tasks.environments import open_incident

__all__ = ["audience"]


def failed(subject: str) -> Escalation:
    """A call about an action that failed."""
    return Escalation(kind=EscalationKind.ACTION, subject=subject)


FAILED = failed("1-enable-fallback")
NO_DECISION = Escalation(kind=EscalationKind.NO_DECISION)
NOT_OVER = Escalation(kind=EscalationKind.NOT_OVER)
RUN_ENDED = Escalation(kind=EscalationKind.RUN_ENDED, subject="FAILED")


async def decide(incident: OpenIncident) -> None:
    """The incident has a P1 decision."""
    await incident.record(e.DecisionMade(round=1, decision=decision()))


async def test_updates_go_into_one_thread(audience: Audience) -> None:
    """The first message opens the thread that the others are in."""
    await announce(audience.incident, State.INVESTIGATING)
    await decide(audience.incident)
    await announce(audience.incident, State.IDENTIFIED)

    first, second = audience.slack.messages
    assert second["thread_ts"] == first["ts"]
    assert "Status: IDENTIFIED" in second["text"]


async def test_a_state_that_was_passed_is_not_announced_again(audience: Audience) -> None:
    """A run that starts again from the top tells nobody anything twice, and does not go back."""
    await decide(audience.incident)
    await announce(audience.incident, State.IDENTIFIED)
    await announce(audience.incident, State.INVESTIGATING)
    await announce(audience.incident, State.IDENTIFIED)

    assert len(audience.slack.messages) == 1
    assert [item.channel for item in (await audience.incident.read()).announcements] == [
        "slack",
        "status-page",
    ]


async def test_an_interrupted_message_is_looked_for_before_it_is_sent(audience: Audience) -> None:
    """An intent without outcome whose message is in the channel is settled, not repeated."""
    await announce(audience.incident, State.INVESTIGATING)
    (sent,) = (await audience.incident.read()).effects.values()
    forgotten = sent.model_copy(update={"outcome": None, "receipt": {}})
    again = OpenIncident(id="inc-2", environment=audience.incident.environment)
    alert = (await audience.incident.read()).alert.model_copy(update={"service": "another"})
    await again.environment.store.open_incident(
        alert, incident_id="inc-2", at=now(), environment=again.environment.name
    )
    effect = forgotten.model_copy(update={"id": "inc-2/slack/investigating-1"})
    slack = audience.incident.environment.slack
    assert slack is not None
    await slack.post(SlackText("sent before the crash"), effect_id=effect.id)
    await again.record(e.EffectIntended(effect=effect))

    await announce(again, State.INVESTIGATING)

    assert audience.said()[1:] == ["sent before the crash"]
    assert (await again.read()).effects[effect.id].outcome is EffectOutcome.APPLIED


async def test_resolved_needs_a_verified_recovery(audience: Audience) -> None:
    """RESOLVED is refused while the journal holds no recovery, and nothing is sent."""
    await decide(audience.incident)
    with pytest.raises(ValueError, match="RESOLVED"):
        await announce(audience.incident, State.RESOLVED)
    assert audience.slack.messages == []


async def test_the_public_is_told_of_certain_impact_only(audience: Audience) -> None:
    """Before a decision nothing is public; after it the status page has the incident, then its end."""
    await announce(audience.incident, State.INVESTIGATING)
    assert audience.page.incidents == []

    await decide(audience.incident)
    await announce(audience.incident, State.IDENTIFIED)
    await audience.incident.record(e.IncidentResolved(outcome=Outcome.RECOVERED, because=("all ok",)))
    await announce(audience.incident, State.RESOLVED)

    (published,) = audience.page.incidents
    assert published["status"] == "resolved"
    assert "posthog-integration" not in str(published["incident_updates"])


async def die_while_publishing(incident: OpenIncident, *, landed: bool) -> Effect:
    """A run has ended between an intent and its outcome, after the request or before it."""
    await decide(incident)
    publishing = Effect(
        id=f"{incident.id}/status-page/identified",
        kind="status-page",
        target="status-page",
        summary="Down: IDENTIFIED",
        authority=Authority.policy("publish_from"),
    )
    await incident.record(e.EffectIntended(effect=publishing))
    publisher = incident.environment.status_page_publisher
    assert publisher is not None
    if landed:
        message = "Last updated: 10:00"
        await publisher.create_incident("Down", message, State.IDENTIFIED, effect_id=publishing.id)
    return publishing


@pytest.mark.parametrize("landed", [True, False])
async def test_a_public_incident_in_doubt_is_resolved_if_it_is_there(
    audience: Audience, landed: bool
) -> None:
    """A run died while it published, and all is well when the next one looks; none is made to say that."""
    await die_while_publishing(audience.incident, landed=landed)
    await audience.incident.record(e.IncidentResolved(outcome=Outcome.RECOVERED, because=("all ok",)))

    await announce(audience.incident, State.RESOLVED)

    assert [item["status"] for item in audience.page.incidents] == (["resolved"] if landed else [])


@asynccontextmanager
async def at_incident_io(audience: Audience) -> AsyncIterator[tuple[OpenIncident, IncidentIoApi]]:
    """The incident of a team whose page is hosted by incident.io, which shows no mark of ours."""
    provider = IncidentIoApi(KEYS)
    async with listening(provider.app) as url:
        publisher = StatusPagePublisher(
            provider="incident_io", api_key=KEYS.incident_io_key, page_id=STATUS_PAGE_ID, base_url=url
        )
        environment = dataclasses.replace(
            audience.incident.environment, status_page_publisher=publisher, slack=None
        )
        yield OpenIncident(id=audience.incident.id, environment=environment), provider


@pytest.mark.parametrize(
    ("landed", "state"),
    [(True, State.MONITORING), (True, State.RESOLVED), (False, State.MONITORING)],
)
async def test_a_public_incident_in_doubt_is_known_again_by_its_key(
    audience: Audience, landed: bool, state: State
) -> None:
    """Created as the same effect, it is the same incident; one of the same title is left alone."""
    async with at_incident_io(audience) as (incident, provider):
        publisher = incident.environment.status_page_publisher
        assert publisher is not None
        await publisher.create_incident("Down", "By hand.", State.IDENTIFIED, effect_id="by-hand")
        await die_while_publishing(incident, landed=landed)
        if state is State.RESOLVED:
            await incident.record(e.IncidentResolved(outcome=Outcome.RECOVERED, because=("all ok",)))
        await announce(incident, state)

        theirs, ours = provider.status_page_incidents
        assert theirs["incident_status"] == "identified"
        told = [update["incident_status"] for update in ours["updates"]]
        assert told == (["identified", state.lower()] if landed else [state.lower()])
        assert (await incident.read()).announcements[-1].reference == ours["id"]


@pytest.mark.parametrize("theirs", ["", "Maintenance of the shop"])
async def test_nothing_is_created_only_to_be_called_resolved(audience: Audience, theirs: str) -> None:
    """Nobody knows whether the incident was published, and the page shows none that could be it."""
    async with at_incident_io(audience) as (incident, provider):
        publisher = incident.environment.status_page_publisher
        assert publisher is not None
        if theirs:
            await publisher.create_incident(theirs, "By hand.", State.IDENTIFIED, effect_id="by-hand")
        await die_while_publishing(incident, landed=False)
        await incident.record(e.IncidentResolved(outcome=Outcome.RECOVERED, because=("all ok",)))
        await announce(incident, State.RESOLVED)

        shown = [(it["name"], it["incident_status"]) for it in provider.status_page_incidents]
        assert shown == ([(theirs, "identified")] if theirs else [])


async def test_what_a_person_has_resolved_on_the_page_is_not_opened_again(audience: Audience) -> None:
    """The next state is not published: the incident's own effect says why."""
    await decide(audience.incident)
    await announce(audience.incident, State.IDENTIFIED)
    (published,) = audience.page.incidents
    published["status"] = "resolved"
    await announce(audience.incident, State.MONITORING)

    assert published["status"] == "resolved"
    told = (await audience.incident.read()).effects[f"{audience.incident.id}/status-page/monitoring"]
    assert told.outcome is EffectOutcome.FAILED
    assert "somebody set the incident to resolved" in told.detail


async def test_a_run_that_died_while_it_published_does_not_go_back(audience: Audience) -> None:
    """The next run starts from the top, in another minute: the page hears its state once, none before it."""
    publishing = await die_while_publishing(audience.incident, landed=True)

    for state in (State.INVESTIGATING, State.IDENTIFIED):
        await announce(audience.incident, state)

    (published,) = audience.page.incidents
    assert [update["status"] for update in published["incident_updates"]] == ["identified"]
    assert (await audience.incident.read()).effects[publishing.id].outcome is EffectOutcome.APPLIED


async def test_a_promised_update_is_kept(audience: Audience) -> None:
    """Nothing is said before the promised time; at that time people hear where things stand."""
    await announce(audience.incident, State.INVESTIGATING)
    await update(audience.incident)
    assert len(audience.slack.messages) == 1

    promised = e.StatusAnnounced(channel="slack", state="INVESTIGATING", next_update_at=now())
    await audience.incident.record(promised)
    await update(audience.incident)
    assert len(audience.slack.messages) == 2


@pytest.mark.parametrize(("claimed", "minutes"), [(Severity.P1, 15), (Severity.P3, 120), (None, 30)])
async def test_the_next_update_is_promised_by_the_severity_that_is_shown(
    audience: Audience, claimed: Severity | None, minutes: int
) -> None:
    """Before there is a decision that is the alert's own; P2 stands in where it has none."""
    alert = ALERT.model_copy(update={"service": "another", "severity": claimed})
    at_work = audience.incident.environment
    await at_work.store.open_incident(alert, incident_id="inc-2", at=now(), environment=at_work.name)
    other = dataclasses.replace(audience.incident, id="inc-2")
    await announce(other, State.INVESTIGATING)
    [announced] = (await other.read()).events(e.StatusAnnounced)
    assert announced.next_update_at is not None
    assert announced.next_update_at - now() == pytest.approx(
        timedelta(minutes=minutes), abs=timedelta(seconds=20)
    )


async def test_the_channel_is_told_that_the_verdict_is_taken_anew(audience: Audience) -> None:
    """Why the plan that it was told holds no more: once, also where the run starts again."""
    reason = "revision 3 is being rolled out, which may be a fix: the runbook decides again"
    ended = ActionResult(action=FALLBACK, outcome=ActionOutcome.BLOCKED, detail=reason, outdated=True)
    await tell_of_new_verdict(audience.incident, round=2)
    assert audience.said() == []
    await audience.incident.record(e.ActionFinished(result=ended))
    await tell_of_new_verdict(audience.incident, round=2)
    await tell_of_new_verdict(audience.incident, round=2)
    (said,) = audience.said()
    assert said == f"🔁 Not done: {FALLBACK.spec.title}. R{reason[1:]}"


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
        "By hand:\n```\nkubectl get pods\n```"
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
    await audience.incident.record(e.IncidentResolved(outcome=Outcome.RECOVERED, because=()))
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


async def test_a_rehearsal_is_told_in_the_channel_and_nowhere_else(
    tmp_path: Path, audience: Audience
) -> None:
    """Each message says that it is one; nobody is paged, and the public hears nothing."""
    opened = await open_incident(tmp_path, name="rehearsal", dry_run=True)
    rehearsal = OpenIncident(id=opened.id, environment=audience.incident.environment)
    await decide(rehearsal)
    await announce(rehearsal, State.IDENTIFIED)
    await page_on_opening(rehearsal)
    assert await escalate(rehearsal, FAILED, "it burns")
    assert await escalate(rehearsal, FAILED, "it burns")
    await resolve_page(rehearsal)

    assert audience.said() == [REHEARSAL] * 2
    assert (audience.page.incidents, audience.pager.pages) == ([], [])
    journal = await rehearsal.read()
    assert journal.events(e.IncidentEscalated) == [
        e.IncidentEscalated(because="it burns", rehearsed=True, what=FAILED)
    ]
    assert {effect.kind for effect in journal.effects.values()} == {"slack"}
    assert not any(effect.summary == REHEARSAL for effect in journal.effects.values())


async def test_a_rehearsal_without_a_channel_has_nobody_to_call(tmp_path: Path) -> None:
    """It is not tried again and again."""
    assert await escalate(await open_incident(tmp_path, dry_run=True), FAILED, "it burns")
    assert not await escalate(await open_incident(tmp_path, name="inc-2"), FAILED, "it burns")


@pytest.mark.parametrize(
    ("opening", "present"),
    [
        ({}, {"announce": False, "publish_from": None, "page_from": None}),
        ({"announce": False, "publish_from": None, "page_from": None}, {}),
    ],
    ids=["tightened", "loosened"],
)
async def test_nobody_is_told_whom_the_policy_in_force_leaves_out(
    tmp_path: Path, audience: Audience, opening: dict[str, Any], present: dict[str, Any]
) -> None:
    """Tightening applies at once; loosening does not apply to an incident that is open."""
    opened = await open_incident(tmp_path, name="edited", **opening)
    policy = RunbookPolicy(policy=Policy(**present))
    environment = dataclasses.replace(audience.incident.environment, runbook_policy=policy)
    incident = OpenIncident(id=opened.id, environment=environment)
    await decide(incident)
    await announce(incident, State.IDENTIFIED)
    await page_on_opening(incident)
    assert audience.said() == []
    assert (audience.page.incidents, audience.pager.pages) == ([], [])


async def test_a_refused_answer_is_told_once(audience: Audience) -> None:
    """A channel that is away is not tried at each of a flood of them."""
    audience.slack.faults = SlackFaults(error="fatal_error")
    for _ in range(ATTEMPTS + 2):
        await warn_of_answers(audience.incident)
    tried = [
        item for item in (await audience.incident.read()).journal if isinstance(item.event, e.EffectSettled)
    ]
    assert len(tried) == ATTEMPTS


async def test_a_refused_answer_is_told_in_the_channel(audience: Audience) -> None:
    """Once for an incident, however many there are."""
    for _ in range(3):
        await warn_of_answers(audience.incident)
    [said] = audience.said()
    assert said.startswith("🚫 An answer in Prefect was rejected")
