"""Files of the imitated Slack: three steps in their order, each once, as announced; and on its page."""

import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from deployments.drill.world.channels.slack import CHANNEL_ID, Slack
from deployments.drill.world.channels.slack_page import channel_page
from deployments.drill.world.faults import SlackFaults
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening

KEYS = Keys.generated(random.Random(7))  # noqa: S311  repeatable on purpose
TOKEN = KEYS.slack_token.get_secret_value()
World = tuple[Slack, httpx.AsyncClient]


@pytest.fixture
async def slack() -> AsyncIterator[World]:
    """Serve the workspace and give a client with the bot's token."""
    workspace = Slack(KEYS)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with listening(workspace.app) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        yield workspace, client


async def call(client: httpx.AsyncClient, method: str, **args: Any) -> dict[str, Any]:
    """The answer of a method, whatever it says."""
    answer = await client.post(f"/api/files.{method}", json=args)
    found: dict[str, Any] = answer.json()
    return found


async def address(client: httpx.AsyncClient, **args: Any) -> dict[str, Any]:
    """An address for a file of three bytes."""
    return await call(client, "getUploadURLExternal", **{"filename": "a.diff", "length": 3, **args})


async def complete(client: httpx.AsyncClient, file_id: str, **args: Any) -> dict[str, Any]:
    """Share it."""
    files = [{"id": file_id, "title": "A"}]
    return await call(client, "completeUploadExternal", files=files, channel_id=CHANNEL_ID, **args)


async def test_an_address_takes_one_upload_of_the_announced_length(slack: World) -> None:
    """A second one finds nothing; one of another length is refused, and cannot be shared."""
    _, client = slack
    made, wrong = await address(client), await address(client)
    assert (await client.post(made["upload_url"], content=b"abc")).status_code == 200
    assert (await client.post(made["upload_url"], content=b"abc")).status_code == 404
    assert (await client.post(wrong["upload_url"], content=b"abcd")).status_code == 400
    assert (await complete(client, made["file_id"]))["ok"]
    assert (await complete(client, wrong["file_id"]))["error"] == "file_not_found"


async def test_what_is_not_uploaded_or_is_shared_already_is_not_shared(slack: World) -> None:
    """The steps have an order, and an end."""
    workspace, client = slack
    made = await address(client)
    assert (await complete(client, made["file_id"]))["error"] == "file_not_found"
    await client.post(made["upload_url"], content=b"abc")
    assert workspace.messages == []
    assert (await complete(client, made["file_id"]))["ok"]
    assert (await complete(client, made["file_id"]))["error"] == "file_not_found"
    assert len(workspace.messages) == 1


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"length": 0}, "invalid_arguments"),
        ({"filename": ""}, "invalid_arguments"),
        ({"alt_txt": "x" * 1_001}, "alt_txt_too_large"),
        ({"snippet_type": "klingon"}, "unknown_snippet_type"),
        ({"snippet_type": "diff", "length": 1_000_001}, "snippet_too_large"),
    ],
)
async def test_what_slack_does_not_take_has_no_address(
    slack: World, args: dict[str, Any], error: str
) -> None:
    """Slack's own words for it."""
    _, client = slack
    assert (await address(client, **args))["error"] == error


async def test_a_file_goes_only_where_the_bot_is(slack: World) -> None:
    """A thread that is not there, a channel that is not there; the file can be shared after that."""
    _, client = slack
    made = await address(client)
    await client.post(made["upload_url"], content=b"abc")
    assert (await complete(client, made["file_id"], thread_ts="1.0"))["error"] == "thread_not_found"
    assert (await complete(client, made["file_id"]))["ok"]


async def test_a_token_without_the_scope_is_told_which_it_needs(slack: World) -> None:
    """For both methods."""
    workspace, client = slack
    workspace.faults = SlackFaults(missing_scopes=("files:write",))
    for answer in (await address(client), await complete(client, "F1")):
        assert (answer["error"], answer["needed"]) == ("missing_scope", "files:write")


async def test_the_page_shows_picture_and_snippet(slack: World) -> None:
    """The picture with its words, the text as text; nothing in either is markup."""
    workspace, client = slack
    for name, alt in (("a.diff", ""), ("b.png", 'a "chart"')):
        made = await address(client, filename=name, alt_txt=alt)
        await client.post(made["upload_url"], content=b"<b>")
        await complete(client, made["file_id"])
    page = channel_page("incidents", workspace.messages, workspace.files.contents)
    assert '<pre class="file">&lt;b&gt;</pre>' in page
    assert 'alt="a &quot;chart&quot;"' in page
    assert "data:image/png;base64,PGI+" in page
