"""The public incident is published once, resolved if it is there, and a person's word on it stands."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import JsonValue

from blocks.channels.status_page_publisher import StatusPagePublisher
from deployments.drill.world.channels.incident_io import STATUS_PAGE_ID, IncidentIoApi
from deployments.drill.world.servers.wire import listening
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.state import IncidentOutcome, State
from tasks.channels.communicate import announce
from tasks.incident import OpenIncident
from tests.tasks.channels.audience import KEYS, Audience, audience
from tests.tasks.environments import decide

__all__ = ["audience"]  # a fixture, found here


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
    await audience.incident.record(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("all ok",)))

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
            await incident.record(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("all ok",)))
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
        await incident.record(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("all ok",)))
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


@pytest.mark.parametrize(
    "states",
    [(State.INVESTIGATING, State.IDENTIFIED), (State.IDENTIFIED, State.MONITORING), (State.MONITORING,)],
    ids="-".join,
)
async def test_a_run_that_died_once_it_had_published_publishes_no_second_incident(
    audience: Audience, states: tuple[State, ...]
) -> None:
    """The outcome was journalled, and the announcement was not: the same incident goes on."""
    publishing = await die_while_publishing(audience.incident, landed=True)
    (published,) = audience.page.incidents
    receipt: dict[str, JsonValue] = {"incident": published["id"]}
    settled = publishing.model_copy(update={"outcome": EffectOutcome.APPLIED, "receipt": receipt})
    await audience.incident.record(e.EffectSettled(effect=settled))

    for state in states:
        await announce(audience.incident, state)

    (incident,) = audience.page.incidents
    told = [update["status"] for update in incident["incident_updates"]]
    assert sorted(told) == sorted({"identified", states[-1].lower()})


@pytest.mark.parametrize(
    ("template", "title"),
    [
        ("{{ facts.state }} here\nSome users see errors.", "IDENTIFIED here"),
        ("{{ facts.no }}\nSome users see errors.", None),
    ],
)
async def test_the_public_reads_the_teams_own_words_where_they_can_be_used(
    audience: Audience, template: str, title: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """One that cannot be rendered gives way to the shipped text: the run's log says so, the page does not."""
    publisher = audience.incident.environment.status_page_publisher
    assert publisher is not None
    own = publisher.model_copy(update={"templates": {"external.txt.j2": template}})
    environment = dataclasses.replace(audience.incident.environment, status_page_publisher=own)
    incident = OpenIncident(id=audience.incident.id, environment=environment)
    await decide(incident)

    await announce(incident, State.IDENTIFIED)

    (published,) = audience.page.incidents
    assert published["name"] == (title or "PostHog Integration Issue")
    assert ("external.txt.j2 cannot be used, so the shipped one is" in caplog.text) is (title is None)


async def test_the_teams_own_words_are_not_published_where_they_name_what_is_internal(
    audience: Audience,
) -> None:
    """The rules for public texts read what would be published, whoever wrote it."""
    publisher = audience.incident.environment.status_page_publisher
    assert publisher is not None
    own = {"external.txt.j2": "Down\nSome users see errors of db-1.internal."}
    environment = dataclasses.replace(
        audience.incident.environment, status_page_publisher=publisher.model_copy(update={"templates": own})
    )
    incident = OpenIncident(id=audience.incident.id, environment=environment)
    await decide(incident)

    await announce(incident, State.IDENTIFIED)

    assert audience.page.incidents == []
    (refused,) = (await incident.read()).events(e.PublicTextRefused)
    assert "db-1.internal" in refused.because[0]
