"""Files in Slack at the wire: three steps, what each failure means, and nothing twice."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer

from blocks.channels.channel import FileChannel, Post, SharedFile
from blocks.channels.slack import Slack
from blocks.transport.errors import OutsideError, Refused, Unavailable
from deployments.drill.world.channels.slack import CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.faults import SlackFaults
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening
from runbook.incidents.effects import Authority, Effect
from runbook.outside_text.slack import SlackText

KEYS = Keys.generated(random.Random(11))  # noqa: S311 - repeatable on purpose
FILE = SharedFile("whole-diff-1.diff", "Whole diff", b"+ one\n+ two", alt="two lines", snippet="diff")
ADDRESS, UPLOAD, COMPLETE = (
    "/api/files.getUploadURLExternal",
    "/upload/t1cket",
    "/api/files.completeUploadExternal",
)


def post(ts: str = "1.0") -> Post:
    """A message of an incident whose first message has that timestamp."""
    first = Effect(
        id="inc-1/slack/investigating-1",
        kind="slack",
        target="slack",
        summary="",
        authority=Authority.policy("announce"),
        receipt={"ts": ts},
    )
    return Post(id="file", since=datetime.now(UTC) - timedelta(hours=1), earlier=(first,))


@pytest.fixture
async def channel() -> AsyncIterator[tuple[Workspace, Slack, Post]]:
    """An imitated workspace with a first message, and a block for its incident channel."""
    workspace = Workspace(KEYS)
    async with listening(workspace.app) as url:
        slack = Slack(token=KEYS.slack_token, channel=CHANNEL_ID, base_url=f"{url}/api")
        first = await slack.post(SlackText("down"), effect_id="one")
        yield workspace, slack, post(first.ts)


async def test_a_file_is_shared_in_the_thread_and_found_by_its_name(
    channel: tuple[Workspace, Slack, Post],
) -> None:
    """With its title, its alt text and every byte; its receipt has the address."""
    workspace, slack, place = channel
    assert isinstance(slack, FileChannel)
    assert await slack.find_shared(FILE.name, place) is None

    receipt = await slack.share(FILE, place)

    (shared,) = workspace.messages[-1]["files"]
    assert (shared["title"], shared["alt_txt"], shared["filetype"]) == ("Whole diff", "two lines", "diff")
    assert workspace.files.contents == {shared["id"]: FILE.content}
    assert workspace.messages[-1]["thread_ts"] == workspace.messages[0]["ts"]
    assert receipt == {"file": shared["id"], "link": shared["permalink"]}
    assert await slack.find_shared(FILE.name, place) == receipt
    assert await slack.find_shared("another.diff", place) is None


async def test_a_missing_scope_is_named(channel: tuple[Workspace, Slack, Post]) -> None:
    """As what is to be given to the app."""
    workspace, slack, place = channel
    workspace.faults = SlackFaults(missing_scopes=("files:write",))
    with pytest.raises(Refused, match=r"missing_scope.*scope files:write"):
        await slack.share(FILE, place)


def canned(httpserver: HTTPServer, **answers: tuple[int, object]) -> Slack:
    """A block whose Slack takes a file, but for the steps with another answer."""
    usual: dict[str, tuple[int, object]] = {
        "address": (200, {"ok": True, "upload_url": httpserver.url_for(UPLOAD), "file_id": "F1"}),
        "upload": (200, "OK"),
        "complete": (200, {"ok": True, "files": [{"id": "F1"}]}),
    }
    for step, path in (("address", ADDRESS), ("upload", UPLOAD), ("complete", COMPLETE)):
        status, body = (usual | answers)[step]
        expected = httpserver.expect_request(path, method="POST")
        headers = {"Retry-After": "70"} if status == 429 else {}
        if isinstance(body, str):
            expected.respond_with_data(body, status=status, headers=headers)
        else:
            expected.respond_with_json(body, status=status, headers=headers)
    return Slack(token=KEYS.slack_token, channel="C1", base_url=httpserver.url_for("/api/"))


async def test_an_answer_without_an_address_of_the_file_is_enough(httpserver: HTTPServer) -> None:
    """Slack's reference promises the id alone; the token is not sent with the bytes."""
    slack = canned(httpserver)
    assert await slack.share(FILE, post()) == {"file": "F1"}
    (upload,) = (request for request, _ in httpserver.log if request.path == UPLOAD)
    assert "Authorization" not in upload.headers
    assert upload.data == FILE.content


@pytest.mark.parametrize(
    ("answers", "kind", "may_have_landed"),
    [
        ({"address": (503, "busy")}, Unavailable, False),
        ({"address": (200, {"ok": True})}, Refused, False),
        (
            {"address": (200, {"ok": True, "upload_url": "file:///etc/passwd", "file_id": "F1"})},
            Refused,
            False,
        ),
        (
            {"address": (200, {"ok": False, "error": "missing_scope", "needed": "files:write"})},
            Refused,
            False,
        ),
        ({"address": (429, {"ok": False, "error": "ratelimited"})}, Unavailable, False),
        ({"upload": (500, "oops")}, Unavailable, False),
        ({"upload": (400, "12 bytes in place of 11")}, Refused, False),
        ({"upload": (429, "slow")}, Unavailable, False),
        ({"complete": (500, "oops")}, Unavailable, True),
        ({"complete": (200, "no JSON")}, Unavailable, True),
        ({"complete": (429, {"ok": False, "error": "ratelimited"})}, Unavailable, False),
        ({"complete": (200, {"ok": False, "error": "file_not_found"})}, Refused, False),
    ],
)
async def test_only_the_last_step_can_have_shared_it(
    httpserver: HTTPServer,
    answers: dict[str, tuple[int, object]],
    kind: type[OutsideError],
    may_have_landed: bool,
) -> None:
    """What fails before is seen by nobody, and nothing after it is asked; the address stays a secret."""
    slack = canned(httpserver, **answers)
    with pytest.raises(kind) as failed:
        await slack.share(FILE, post())
    error = failed.value
    assert getattr(error, "may_have_landed", False) is may_have_landed
    assert "t1cket" not in str(error)
    if any(status == 429 for status, _ in answers.values()):
        assert isinstance(error, Unavailable)
        assert error.retry_after_seconds == 70
    steps = [request.path for request, _ in httpserver.log]
    assert (COMPLETE in steps) is ("complete" in answers)
