"""The front door of every imitated system: what it records and how it fails."""

import random

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deployments.drill.world.faults import Reachability
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.door import Door
from deployments.drill.world.servers.pacing import Bucket, Share
from deployments.drill.world.servers.record import Recorder
from deployments.drill.world.servers.wire import listening


def echo() -> Starlette:
    """Return a system that takes anything from anyone."""

    async def answer(request: Request) -> Response:
        request.state.authenticated_as = "tester"
        return JSONResponse({"ok": True}, 201)

    return Starlette(routes=[Route("/echo", answer, methods=["POST"])])


async def test_a_request_is_recorded_without_its_credentials() -> None:
    """The record tells who called with what, and holds neither the header's nor the body's credential."""
    recorder = Recorder()
    async with (
        listening(Door("echo", echo(), recorder, credential_fields=["api_key"])) as url,
        httpx.AsyncClient() as client,
    ):
        await client.post(
            f"{url}/echo?x=1",
            json={"api_key": "canary-body", "n": 2},
            headers={"Authorization": "canary-header"},
        )
    (received,) = recorder.of("echo")
    assert (received.method, received.path, received.query, received.status) == (
        "POST",
        "/echo",
        {"x": "1"},
        201,
    )
    assert received.authenticated_as == "tester"
    assert received.body == {"api_key": "<tester>", "n": 2}
    assert "canary" not in repr(received)


@pytest.mark.parametrize(
    ("mode", "error"), [("closed", httpx.RemoteProtocolError), ("hanging", httpx.ReadTimeout)]
)
async def test_a_dead_system_gives_no_answer_and_still_records(
    mode: Reachability, error: type[Exception]
) -> None:
    """Closed drops the connection and hanging never answers; the request is recorded with no status."""
    recorder = Recorder()
    door = Door("echo", echo(), recorder)
    door.mode = mode
    async with listening(door) as url, httpx.AsyncClient(timeout=0.5) as client:
        with pytest.raises((error, httpx.ReadError) if mode == "closed" else error):
            await client.post(f"{url}/echo")
        door.mode = "ok"
        assert (await client.post(f"{url}/echo")).status_code == 201
    assert [received.status for received in recorder.of("echo")] == [None, 201]


@pytest.mark.parametrize(("mode", "status"), [("unavailable", 503), ("html", 200)])
async def test_an_edge_answers_html_in_place_of_the_system(mode: Reachability, status: int) -> None:
    """A broken edge answers a web page, with 503 or even with 200."""
    door = Door("echo", echo(), Recorder())
    door.mode = mode
    async with listening(door) as url, httpx.AsyncClient() as client:
        answer = await client.post(f"{url}/echo")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


def test_a_bucket_lets_its_rate_through_and_names_the_wait() -> None:
    """A bucket of two a second passes its burst, then tells the wait until the next token."""
    bucket = Bucket(rate=2, burst=2)
    assert [bucket.take(10.0) for _ in range(3)] == [0, 0, 0.5]
    assert bucket.take(10.5) == 0


@pytest.mark.parametrize(("share", "picked"), [(0.0, 0), (0.3, 3), (0.6, 6), (1.0, 10)])
def test_a_share_picks_exactly_its_part(share: float, picked: int) -> None:
    """Of ten calls a share picks exactly its tenth parts, so error rates do not depend on luck."""
    chooser = Share()
    assert sum(chooser.picks(share) for _ in range(10)) == picked


def test_keys_are_new_in_each_world_and_masked() -> None:
    """Two worlds share no key, and the keys' repr shows none."""
    source = random.Random(1)  # noqa: S311  repeatable on purpose
    one, two = Keys.generated(source), Keys.generated(source)
    values = [{getattr(k, name).get_secret_value() for name in Keys.model_fields} for k in (one, two)]
    assert not values[0] & values[1]
    assert not [value for value in values[0] if value in repr(one)]
