"""The drill's workflows of Microsoft Teams answer as Power Automate's do."""

import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from deployments.drill.world.channels.teams import MOST_BYTES, TeamsWorkflow, workflows_app
from deployments.drill.world.faults import TeamsFaults
from deployments.drill.world.servers.door import Door
from deployments.drill.world.servers.record import Recorder
from deployments.drill.world.servers.wire import Authority, all_listening

SCHEMA = "TriggerInputSchemaMismatch"
CARD_TYPE = "application/vnd.microsoft.card.adaptive"


class Served:
    """Two workflows behind a door, and a client that trusts them."""

    def __init__(self, origin: str, workflows: list[TeamsWorkflow], authority: Authority) -> None:
        self.team, self.support = workflows
        self.origin = origin
        context = ssl.create_default_context(cadata=authority.pem)
        self.client = httpx.AsyncClient(verify=context, trust_env=False)


RECORDER = Recorder()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The team's and support's workflow by TLS."""
    workflows = [TeamsWorkflow("a" * 32, "sig-team"), TeamsWorkflow("b" * 32, "sig-support", "support")]
    door = Door("teams", workflows_app(workflows), RECORDER, credential_fields=("sig",))
    authority = Authority()
    async with all_listening([door], authority=authority) as (origin,):
        found = Served(origin, workflows, authority)
        async with found.client:
            yield found


def card(text: str, **more: Any) -> dict[str, Any]:
    """A message as Apprise sends it."""
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "text": text}],
        "msteams": {"width": "full"} | more,
    }
    return {"type": "message", "attachments": [{"contentType": CARD_TYPE, "content": content}]}


def of_card(**changed: Any) -> dict[str, Any]:
    """A message whose card has these fields instead."""
    made = card("hi")
    made["attachments"][0]["content"] |= changed
    return made


async def test_each_workflow_posts_into_its_channel(served: Served) -> None:
    """202, without a body: it says nothing of what becomes of the message."""
    for workflow, text in ((served.team, "all down"), (served.support, "tell users")):
        answer = await served.client.post(workflow.address(served.origin), json=card(text))
        assert (answer.status_code, answer.content) == (202, b"")
    assert (served.team.posted, served.support.posted) == (["all down"], ["tell users"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (card("x" * MOST_BYTES), 413, "RequestEntityTooLarge"),
        ({"text": "no card"}, 400, SCHEMA),
        (["no object"], 400, SCHEMA),
        (card("hi", entities=[{"type": "mention"}]), 400, SCHEMA),
        (card(""), 400, SCHEMA),
        (card("hi") | {"type": "note"}, 400, SCHEMA),
        ({**card("hi"), "attachments": [*card("a")["attachments"], *card("b")["attachments"]]}, 400, SCHEMA),
        (of_card(type="Card"), 400, SCHEMA),
        (of_card(version=1.2), 400, SCHEMA),
        (of_card(body=[{"type": "Image", "text": "hi"}]), 400, SCHEMA),
        (of_card(body=[{"type": "TextBlock", "text": 1}]), 400, SCHEMA),
    ],
)
async def test_what_teams_does_not_show_is_refused(body: Any, status: int, code: str, served: Served) -> None:
    """With Logic Apps' error, and nothing is posted."""
    answer = await served.client.post(served.team.address(served.origin), json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert served.team.posted == []


async def test_what_is_no_json_is_refused(served: Served) -> None:
    """By its content type, whatever it holds."""
    answer = await served.client.post(
        served.team.address(served.origin), content=b"{}", headers={"content-type": "text/plain"}
    )
    assert (answer.status_code, served.team.posted) == (400, [])


async def test_the_signature_is_the_credential(served: Served) -> None:
    """Of that very workflow; it is in no record."""
    address = served.team.address(served.origin)
    for wrong in (address.replace("sig-team", "sig-support"), address.replace("a" * 32, "c" * 32)):
        assert (await served.client.post(wrong, json=card("hi"))).status_code == 401
    await served.client.post(address, json=card("hi"))
    recorded = [each.as_json() for each in RECORDER.of("teams")]
    assert recorded[-1]["authenticated_as"] == "workflow of the team"
    assert "sig-" not in str([each["query"] for each in recorded])


async def test_too_many_requests_are_told_when_to_come_again(served: Served) -> None:
    """429 with Retry-After; nothing is posted meanwhile."""
    served.team.faults = TeamsFaults(throttled_seconds=7)
    answer = await served.client.post(served.team.address(served.origin), json=card("hi"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert served.team.posted == []


async def test_whoever_does_not_trust_the_authority_sends_nothing(served: Served) -> None:
    """As with a wrong certificate."""
    async with httpx.AsyncClient(trust_env=False) as stranger:
        with pytest.raises(httpx.ConnectError):
            await stranger.post(served.team.address(served.origin), json=card("hi"))
