"""Components on our own status page follow our incident, and stay as somebody else has set them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from blocks.channels.status_page_publisher import StatusPagePublisher
from deployments.drill.world.channels.statuspage import COMPONENTS, StatuspageApi
from runbook.incidents.state import State
from runbook.public.areas import ProductArea
from tests.blocks.published_page import MESSAGE, NAME, Published, page, published

__all__ = ["page"]  # a fixture, found here


async def test_components_follow_the_incident() -> None:
    """Statuspage's components turn red with the incident and green with its resolution."""
    async with published("statuspage") as page:
        assert isinstance(page.provider, StatuspageApi)
        (component,) = page.block.component_ids
        incident = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")
        broken = page.provider.component_statuses[component]
        await page.block.post_update(incident.id, "Over.", State.RESOLVED, effect_id="effect-2")

        assert broken == "degraded_performance"
        assert page.provider.component_statuses[component] == "operational"


async def publish_on_statuspage(page: Published) -> str:
    """Publish an incident that is about our component; returns the incident's id."""
    created = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")
    return created.id


@pytest.mark.parametrize("status", ["major_outage", "partial_outage", "under_maintenance"])
@pytest.mark.parametrize("when", ["before", "meanwhile", "after an update"])
async def test_a_component_that_somebody_else_has_set_stays_as_it_is(status: str, when: str) -> None:
    """It is their word: neither made milder with the incident nor operational with its end."""
    async with published("statuspage") as page:
        assert isinstance(page.provider, StatuspageApi)
        (component,) = page.block.component_ids
        if when == "before":
            page.provider.component_statuses[component] = status
        incident = await publish_on_statuspage(page)
        if when == "before":
            assert page.provider.component_statuses[component] == status
        if when == "meanwhile":
            page.provider.component_statuses[component] = status
        await page.block.post_update(incident, "Found.", State.IDENTIFIED, effect_id="effect-2")
        if when == "after an update":
            page.provider.component_statuses[component] = status
        await page.block.post_update(incident, "Over.", State.RESOLVED, effect_id="effect-3")

        assert page.provider.component_statuses[component] == status


async def test_a_component_of_another_open_incident_stays_as_it_is() -> None:
    """What our incident no longer says of it, the other one still does."""
    async with published("statuspage") as page:
        assert isinstance(page.provider, StatuspageApi)
        (component,) = page.block.component_ids
        incident = await publish_on_statuspage(page)
        await page.block.create_incident("By hand", MESSAGE, State.INVESTIGATING, effect_id="by-hand")
        await page.block.post_update(incident, "Over.", State.RESOLVED, effect_id="effect-2")

        assert page.provider.component_statuses[component] == "degraded_performance"


async def test_an_incident_of_an_earlier_release_takes_its_components_back() -> None:
    """It had set all of them and left no mark of it."""
    async with published("statuspage") as page:
        assert isinstance(page.provider, StatuspageApi)
        (component,) = page.block.component_ids
        incident = await publish_on_statuspage(page)
        del page.incidents[0]["metadata"]["runbook"]["components"]
        await page.block.post_update(incident, "Over.", State.RESOLVED, effect_id="effect-2")

        assert page.provider.component_statuses[component] == "operational"


async def test_a_component_that_the_page_does_not_have_keeps_nothing_from_being_published() -> None:
    """The settings name one that somebody has deleted."""
    async with published("statuspage") as page:
        block = page.block.model_copy(update={"component_ids": ["gone", *page.block.component_ids]})
        created = await block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")
        await block.post_update(created.id, "Over.", State.RESOLVED, effect_id="effect-2")

        assert page.updates[-1] == ("resolved", "Over.")


INGESTION, FLAGS = ProductArea.INGESTION, ProductArea.FEATURE_FLAGS


@asynccontextmanager
async def by_area() -> AsyncIterator[tuple[StatusPagePublisher, StatuspageApi]]:
    """A Statuspage with a component for each of two areas."""
    async with published("statuspage") as page:
        assert isinstance(page.provider, StatuspageApi)
        first, second = COMPONENTS
        settings = {"component_ids": [], "components": {INGESTION: first, FLAGS: second}}
        yield page.block.model_copy(update=settings), page.provider


async def test_components_follow_the_areas_that_are_affected() -> None:
    """What is affected later turns red later, and what is not any more is put back before the end."""
    async with by_area() as (block, page):
        first, second = COMPONENTS
        made = await block.create_incident(
            NAME, MESSAGE, State.INVESTIGATING, effect_id="e1", areas=(INGESTION,)
        )
        assert page.component_statuses == {first: "degraded_performance", second: "operational"}
        assert [it.model_dump() for it in made.components] == [
            {"id": first, "before": "operational", "set": "degraded_performance"}
        ]
        moved = await block.post_update(made.id, "Flags.", State.IDENTIFIED, effect_id="e2", areas=(FLAGS,))
        assert page.component_statuses == {first: "operational", second: "degraded_performance"}
        assert {(it.id, it.set) for it in moved.components} == set(page.component_statuses.items())
        await block.post_update(made.id, "Over.", State.RESOLVED, effect_id="e3")
        assert page.component_statuses == dict.fromkeys(COMPONENTS, "operational")


async def test_a_component_is_put_back_to_what_a_person_had_set_it_to() -> None:
    """Ours was worse for a while; afterwards their word stands again."""
    async with by_area() as (block, page):
        first = next(iter(COMPONENTS))
        page.component_statuses[first] = "degraded_performance"
        worse = block.model_copy(update={"component_status": "full_outage"})
        made = await worse.create_incident(
            NAME, MESSAGE, State.IDENTIFIED, effect_id="e1", areas=(INGESTION,)
        )
        assert page.component_statuses[first] == "major_outage"
        await worse.post_update(made.id, "Over.", State.RESOLVED, effect_id="e2")
        assert page.component_statuses[first] == "degraded_performance"


@pytest.mark.parametrize(
    ("theirs", "then"),
    [("full_outage", "full_outage"), ("operational", "operational"), (None, "degraded_performance")],
)
async def test_a_component_that_a_person_has_changed_in_our_incident_stays_so(
    theirs: str | None, then: str
) -> None:
    """At incident.io each incident has statuses of its own; what we had set there, the journal knows."""
    async with published("incident_io") as page:
        (component,) = page.block.component_ids
        made = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="e1")
        held = {it.id: it.set for it in made.components}
        assert held == {component: "degraded_performance"}
        if theirs:
            page.incidents[0]["component_statuses"][0]["component_status"] = theirs
        await page.block.post_update(made.id, "Found.", State.IDENTIFIED, effect_id="e2", held=held)
        shown = page.incidents[0]["component_statuses"]
        assert shown == [{"component_id": component, "component_status": then}]


async def test_what_is_not_affected_any_more_is_well_in_our_incident() -> None:
    """Its component is not taken from the incident, but called operational there."""
    async with published("incident_io") as page:
        (component,) = page.block.component_ids
        block = page.block.model_copy(update={"component_ids": [], "components": {INGESTION: component}})
        made = await block.create_incident(
            NAME, MESSAGE, State.INVESTIGATING, effect_id="e1", areas=(INGESTION,)
        )
        held = {it.id: it.set for it in made.components}
        await block.post_update(
            made.id, "Flags.", State.IDENTIFIED, effect_id="e2", areas=(FLAGS,), held=held
        )
        assert page.incidents[0]["component_statuses"][0]["component_status"] == "operational"
