"""A reopened incident goes on where people know it: in its thread, and in its public incident."""

import pytest

from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.state import State
from tasks.channels.communicate import announce, resolve_absorbed, update
from tasks.incident import OpenIncident
from tests.runbook.journals import decision
from tests.tasks.channels.audience import Audience, audience
from tests.tasks.environments import ALERT, AT

__all__ = ["audience"]  # a fixture, found here

LIFE = (State.INVESTIGATING, State.IDENTIFIED, State.MONITORING, State.RESOLVED)


async def live(incident: OpenIncident, number: int) -> None:
    """The incident is announced from its beginning, or reopening, to its end; each step is repeated."""
    for state in LIFE:
        if state is State.IDENTIFIED:
            await incident.record(e.DecisionMade(round=number + 1, decision=decision()))
        if state is State.RESOLVED:
            resolved = e.IncidentResolved(outcome="recovered", because=("well",), reopened=number)
            await incident.record(resolved)
        for _ in range(2):
            await announce(incident, state)
            await update(incident)
    await incident.record(e.IncidentClosed(outcome="recovered", reopened=number))
    await incident.record(e.IncidentReopened(because="again", by="ana", reopened=number + 1))


@pytest.mark.proof
async def test_a_reopened_incident_goes_on_in_its_thread_and_on_the_status_page(audience: Audience) -> None:
    """Each state is told once in each life, everything gets through, and there is no second thread."""
    for number in range(3):
        await live(audience.incident, number)
    journal = await audience.incident.read()
    assert {effect.outcome for effect in journal.effects.values()} == {EffectOutcome.APPLIED}
    told = [it.state for it in journal.announcements if it.channel == "slack"]
    assert told == [str(state) for state in LIFE] * 3
    first, *others = audience.slack.messages
    assert {message.get("thread_ts") for message in others} == {first["ts"]}
    public = [it.state for it in journal.announcements if it.channel == "status-page"]
    assert public == [str(state) for state in LIFE[1:]] * 3, "the decision comes first in each life"
    assert [entry["status"] for entry in audience.page.incidents] == ["resolved"] * 3


async def test_a_public_incident_that_was_left_open_goes_on(audience: Audience) -> None:
    """A merger does not resolve it: the outage is not over for whoever reads the page."""
    incident = audience.incident
    await incident.record(e.DecisionMade(round=1, decision=decision()))
    await announce(incident, State.IDENTIFIED)
    await incident.record(e.IncidentMerged(into="inc-2", by="ana"))
    await incident.record(e.IncidentClosed(outcome="merged"))
    await incident.record(e.IncidentReopened(because="it is another", by="ana"))
    await announce(incident, State.MONITORING)
    [entry] = audience.page.incidents
    assert entry["status"] == "monitoring"


async def test_the_public_incidents_that_are_merged_into_one_end_with_it(audience: Audience) -> None:
    """Also of what was merged into those; one that was reopened has its own end. Each is told once."""
    last = audience.incident
    others = []
    for name in ("inc-2", "inc-3", "inc-4"):
        alert = ALERT.model_copy(update={"service": f"service of {name}"})
        await last.environment.store.open_incident(alert, incident_id=name, at=AT, environment="test")
        others.append(OpenIncident(id=name, environment=last.environment))
    for incident in (last, *others):
        await incident.record(e.DecisionMade(round=1, decision=decision()))
        await announce(incident, State.IDENTIFIED)
    for merged, into in ((others[0], others[1]), (others[1], last), (others[2], last)):
        await merged.record(e.IncidentMerged(into=into.id, by="ana"))
        await into.record(e.IncidentAbsorbed(incident=merged.id, service="s", by="ana"))
        await merged.record(e.IncidentClosed(outcome="merged"))
    await others[2].record(e.IncidentReopened(because="it is another", by="ana"))
    await last.record(e.IncidentResolved(outcome="recovered", because=("well",)))
    for _ in range(2):
        await announce(last, State.RESOLVED)
        await resolve_absorbed(last)
    assert [entry["status"] for entry in audience.page.incidents] == [
        "resolved",
        "resolved",
        "resolved",
        "identified",
    ]
    assert [len(entry["incident_updates"]) for entry in audience.page.incidents] == [2, 2, 2, 1]
    journal = await others[0].read()
    assert [told.state for told in journal.announcements if told.channel == "status-page"][-1] == "RESOLVED"


async def test_what_was_merged_elsewhere_meanwhile_does_not_end_with_the_first(audience: Audience) -> None:
    """An incident that was reopened and then merged into another one ends with that one."""
    first = audience.incident
    others = []
    for name in ("inc-2", "inc-3"):
        alert = ALERT.model_copy(update={"service": f"service of {name}"})
        await first.environment.store.open_incident(alert, incident_id=name, at=AT, environment="test")
        others.append(OpenIncident(id=name, environment=first.environment))
    moved, second = others
    await moved.record(e.DecisionMade(round=1, decision=decision()))
    await announce(moved, State.IDENTIFIED)
    for into in (first, second):
        reopened = (await moved.read()).reopened
        await moved.record(e.IncidentMerged(into=into.id, by="ana", reopened=reopened))
        await into.record(e.IncidentAbsorbed(incident=moved.id, service="s", by="ana"))
        await moved.record(e.IncidentClosed(outcome="merged", reopened=reopened))
        if into is first:
            await moved.record(e.IncidentReopened(because="it is another", by="ana", reopened=1))
    for ended, status in ((first, "identified"), (second, "resolved")):
        await ended.record(e.DecisionMade(round=1, decision=decision()))
        await ended.record(e.IncidentResolved(outcome="recovered", because=("well",)))
        await resolve_absorbed(ended)
        assert [entry["status"] for entry in audience.page.incidents] == [status]
