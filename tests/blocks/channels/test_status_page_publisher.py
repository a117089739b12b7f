"""Publishing on our own status page: at both providers, and never twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from blocks.channels.status_page_publisher import StatusPagePublisher
from blocks.transport.errors import NotFound, OutsideError, Refused, Unauthenticated, Unavailable
from runbook.incidents.state import State
from tests.blocks.published_page import MESSAGE, NAME, Published, page, published

__all__ = ["page"]  # a fixture, found here


async def test_an_incident_is_published_and_known_again(page: Published) -> None:
    """What was created as an effect is found as that effect, or given back where it is created again."""
    assert await page.block.find_incident("effect-1") is None

    created = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")

    assert page.updates == [("investigating", MESSAGE)]
    again = (
        await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")
        if page.block.creates_once
        else await page.block.find_incident("effect-1")
    )
    assert again == created
    assert created.url
    assert len(page.incidents) == 1


async def test_an_incident_of_the_same_name_is_somebody_else_s(page: Published) -> None:
    """A person, or another tool, has published it: only what carries our mark is ours."""
    await page.block.create_incident(NAME, "By hand.", State.INVESTIGATING, effect_id="by-hand")
    for incident in page.incidents:
        incident["metadata"] = {"team": {"effect_id": "effect-1"}}

    assert await page.block.find_incident("effect-1") is None
    await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")
    assert len(page.incidents) == 2


async def test_an_update_is_posted_and_found_again(page: Published) -> None:
    """An update is looked for by its effect or its state, and found only after it was posted."""
    incident = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")

    async def find() -> Any:
        return await page.block.find_update(incident.id, effect_id="effect-2", state=State.IDENTIFIED)

    assert await find() is None

    await page.block.post_update(incident.id, "Found.", State.IDENTIFIED, effect_id="effect-2")

    assert page.updates == [("investigating", MESSAGE), ("identified", "Found.")]
    found = await find()
    assert found is not None
    assert found.incident_id == incident.id


async def test_what_created_the_incident_is_found_as_its_first_update(page: Published) -> None:
    """A run that died after publishing does not say the same again, in words of a later minute."""
    incident = await page.block.create_incident(NAME, MESSAGE, State.IDENTIFIED, effect_id="effect-1")

    assert await page.block.find_update(incident.id, effect_id="effect-1", state=State.IDENTIFIED)
    assert not await page.block.find_update(incident.id, effect_id="effect-2", state=State.MONITORING)


async def test_an_incident_that_a_person_has_resolved_stays_so(page: Published) -> None:
    """An update of ours would open it again, and tell its subscribers."""
    incident = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")
    await page.block.post_update(incident.id, "Over.", State.RESOLVED, effect_id="by-hand")

    with pytest.raises(Refused, match="somebody set the incident to resolved"):
        await page.block.post_update(incident.id, "Found.", State.IDENTIFIED, effect_id="effect-2")
    assert page.updates[-1] == ("resolved", "Over.")


async def test_an_open_incident_of_a_name_may_be_ours(page: Published) -> None:
    """As long as it is open; at incident.io also by when it was published."""
    before, after = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))
    assert not await page.block.may_be_open(NAME, since=before)
    incident = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")
    assert await page.block.may_be_open(NAME, since=before)
    assert not await page.block.may_be_open("another", since=before)
    assert await page.block.may_be_open(NAME, since=after) is not page.block.creates_once
    await page.block.post_update(incident.id, "Over.", State.RESOLVED, effect_id="effect-2")
    assert not await page.block.may_be_open(NAME, since=before)


async def test_a_resolved_incident_is_over(page: Published) -> None:
    """After the resolution the incident is not found as unresolved any more."""
    incident = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")

    await page.block.post_update(incident.id, "Over.", State.RESOLVED, effect_id="effect-2")

    assert page.updates[-1] == ("resolved", "Over.")
    assert await page.block.find_incident("effect-1") is None


async def test_creating_twice_is_creating_once_at_incident_io() -> None:
    """The effect's id is the idempotency key."""
    async with published("incident_io") as page:
        first = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")
        second = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")

        assert first == second
        assert len(page.incidents) == 1


async def test_statuspage_remembers_every_effect() -> None:
    """Each update adds its effect to those that the incident's metadata holds already."""
    async with published("statuspage") as page:
        incident = await page.block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1")
        await page.block.post_update(incident.id, "Same words.", State.IDENTIFIED, effect_id="effect-2")
        await page.block.post_update(incident.id, "Other words.", State.MONITORING, effect_id="effect-3")

        assert page.incidents[0]["metadata"] == {
            "runbook": {
                "effect_id": "effect-1",
                "updates": ["effect-2", "effect-3"],
                "components": {page.block.component_ids[0]: "degraded_performance"},
            }
        }


async def test_subscribers_are_notified_only_if_wanted(page: Published, httpserver: HTTPServer) -> None:
    """Notifications are off unless the block turns them on."""
    field = "deliver_notifications" if page.block.provider == "statuspage" else "notify_subscribers"
    httpserver.expect_request(method="POST", uri="/pages/p/incidents").respond_with_json(
        {"id": "1"}, status=201
    )
    httpserver.expect_request(method="POST", uri="/v2/status_page_incidents").respond_with_json(
        {"status_page_incident": {"id": "1"}}, status=201
    )
    for wanted in (False, True):
        block = StatusPagePublisher(
            provider=page.block.provider,
            api_key=SecretStr("k"),
            page_id="p",
            base_url=httpserver.url_for("/"),
            notify_subscribers=wanted,
        )
        await block.create_incident(NAME, MESSAGE, State.INVESTIGATING, effect_id="e")

    bodies = [request.json for request, _ in httpserver.log]
    assert [body.get("incident", body)[field] for body in bodies] == [False, True]


async def test_a_wrong_key_is_refused(page: Published) -> None:
    """The provider's 401 is an error of the credentials."""
    with pytest.raises(Unauthenticated):
        await page.block.model_copy(update={"api_key": SecretStr("wrong")}).create_incident(
            NAME, MESSAGE, State.INVESTIGATING, effect_id="effect-1"
        )


async def test_an_unknown_incident_is_refused(page: Published) -> None:
    """An update of an incident that is not there will not heal."""
    with pytest.raises((NotFound, Refused)):
        await page.block.post_update("nowhere", MESSAGE, State.IDENTIFIED, effect_id="effect-1")


@pytest.mark.parametrize("status", [420, 429, 503])
async def test_a_busy_provider_may_heal(httpserver: HTTPServer, status: int) -> None:
    """Statuspage's own 420 is a rate limit as well."""
    httpserver.expect_request("/pages/p/incidents/unresolved").respond_with_data("", status=status)
    block = StatusPagePublisher(
        provider="statuspage", api_key=SecretStr("k"), page_id="p", base_url=httpserver.url_for("/")
    )

    with pytest.raises(OutsideError) as caught:
        await block.find_incident("effect-1")

    assert type(caught.value) is Unavailable
