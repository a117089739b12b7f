"""Components on our own status page follow our incident, and stay as somebody else has set them."""

import pytest

from deployments.drill.world.channels.statuspage import StatuspageApi
from runbook.incidents.state import State
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
