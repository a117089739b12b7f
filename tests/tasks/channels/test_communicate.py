"""Stakeholders are told once, in one thread, and only what is true."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from blocks.policy import RunbookPolicy
from runbook.actions.catalogue import ActionOutcome, ActionResult
from runbook.channels.wording import REHEARSAL
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.state import IncidentOutcome, State
from runbook.outside_text.slack import SlackText
from runbook.policy.policy import Policy
from tasks.channels.communicate import announce, tell_of_new_verdict, update
from tasks.channels.page import escalate, page_on_opening, resolve_page
from tasks.incident import OpenIncident, now
from tests.runbook.journals import ALERT, FALLBACK
from tests.tasks.channels.audience import FAILED, Audience, audience
from tests.tasks.environments import decide, open_incident

__all__ = ["audience"]  # a fixture, found here


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

    assert len(audience.slack.messages) == 2
    assert audience.said()[1] == "⚪ INCIDENT: Another"  # it is found, and then kept true
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
    await audience.incident.record(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("all ok",)))
    await announce(audience.incident, State.RESOLVED)

    (published,) = audience.page.incidents
    assert published["status"] == "resolved"
    assert "posthog-integration" not in str(published["incident_updates"])


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
