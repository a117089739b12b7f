"""PostHog's API in its real answers, good and bad."""

import random
from collections.abc import AsyncIterator

import httpx
import pytest

from deployments.drill.world.faults import Outage, PostHogFaults
from deployments.drill.world.keys import Keys
from deployments.drill.world.posthog.api import PostHogApi
from deployments.drill.world.servers.door import Door
from deployments.drill.world.servers.record import Recorder
from deployments.drill.world.servers.wire import listening

KEYS = Keys.generated(random.Random(7))  # noqa: S311  repeatable on purpose
PROJECT = KEYS.project_key.get_secret_value()
REPLACEMENT = KEYS.replacement_project_key.get_secret_value()
PERSONAL = KEYS.personal_key.get_secret_value()


@pytest.fixture
async def posthog() -> AsyncIterator[tuple[PostHogApi, httpx.AsyncClient]]:
    """Serve PostHog and give a client of it."""
    api = PostHogApi(KEYS)
    door = Door("posthog", api.app, Recorder())
    async with listening(door) as url, httpx.AsyncClient(base_url=url) as client:
        yield api, client


async def flags(client: httpx.AsyncClient, key: str) -> httpx.Response:
    """Ask for feature flags with a project key."""
    return await client.post("/flags?v=2", json={"api_key": key, "distinct_id": "probe"})


async def me(client: httpx.AsyncClient, key: str) -> httpx.Response:
    """Ask whose personal key it is."""
    return await client.get("/api/users/@me/", headers={"Authorization": f"Bearer {key}"})


async def test_flags_prove_a_project_key(posthog: tuple[PostHogApi, httpx.AsyncClient]) -> None:
    """A valid key gets JSON, an expired one 401 in plain text, and its replacement works."""
    api, client = posthog
    assert (await flags(client, PROJECT)).json()["flags"] == {}
    api.faults = PostHogFaults(project_key="expired")
    refused = await flags(client, PROJECT)
    assert (refused.status_code, refused.headers["content-type"]) == (401, "text/plain; charset=utf-8")
    assert (await flags(client, REPLACEMENT)).status_code == 200


@pytest.mark.parametrize("path", ["/i/v0/e/", "/batch/"])
async def test_capture_looks_at_a_keys_shape_only(
    posthog: tuple[PostHogApi, httpx.AsyncClient], path: str
) -> None:
    """Capture says Ok to a key that does not exist, so it is no probe."""
    _, client = posthog
    answer = await client.post(
        path, json={"api_key": "phc_doesnotexist123", "event": "e", "distinct_id": "d"}
    )
    assert (answer.status_code, answer.json()) == (200, {"status": "Ok"})
    assert (await client.post(path, json={"event": "e"})).status_code == 401


@pytest.mark.parametrize(
    ("faults", "key", "status", "code"),
    [
        (PostHogFaults(), PERSONAL, 200, None),
        (PostHogFaults(), "phx_wrong", 401, "authentication_failed"),
        (PostHogFaults(), "", 401, "not_authenticated"),
        (PostHogFaults(personal_key="expired"), PERSONAL, 401, "authentication_failed"),
        (PostHogFaults(missing_scopes=("user:read",)), PERSONAL, 403, "permission_denied"),
    ],
)
async def test_the_app_api_names_what_is_wrong_with_a_personal_key(
    posthog: tuple[PostHogApi, httpx.AsyncClient],
    faults: PostHogFaults,
    key: str,
    status: int,
    code: str | None,
) -> None:
    """Error bodies carry PostHog's type, code, detail and attr."""
    api, client = posthog
    api.faults = faults
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = await client.get("/api/users/@me/", headers=headers)
    assert answer.status_code == status
    if code is not None:
        assert answer.json()["code"] == code
        assert set(answer.json()) == {"type", "code", "detail", "attr"}


async def test_a_missing_scope_fails_its_own_resource_only(
    posthog: tuple[PostHogApi, httpx.AsyncClient],
) -> None:
    """A key without feature_flag:read still authenticates elsewhere; the admin's scope cures it."""
    api, client = posthog
    headers = {"Authorization": f"Bearer {PERSONAL}"}
    api.faults = PostHogFaults(missing_scopes=("feature_flag:read",))
    refused = await client.get("/api/projects/1/feature_flags/", headers=headers)
    assert refused.status_code == 403
    assert "feature_flag:read" in refused.json()["detail"]
    assert (await me(client, PERSONAL)).status_code == 200
    api.faults = PostHogFaults()
    assert (await client.get("/api/projects/1/feature_flags/", headers=headers)).status_code == 200


async def test_each_endpoint_throttles_in_its_own_way(posthog: tuple[PostHogApi, httpx.AsyncClient]) -> None:
    """The app API sends Retry-After with its 429, flags send a validation error and capture plain text."""
    api, client = posthog
    api.faults = PostHogFaults(limit_per_second=0.05)
    throttled = [await me(client, PERSONAL) for _ in range(3)][-1]
    assert throttled.status_code == 429
    assert throttled.json()["type"] == "throttled_error"
    assert int(throttled.headers["Retry-After"]) >= 1
    limited = [await flags(client, PROJECT) for _ in range(3)][-1]
    assert (limited.status_code, limited.json()["code"]) == (429, "rate_limit_exceeded")
    assert "Retry-After" not in limited.headers
    captured = await client.post("/i/v0/e/", json={"api_key": PROJECT, "event": "e", "distinct_id": "d"})
    assert (captured.status_code, captured.text) == (429, "rate limited")


async def test_a_billing_limit_differs_from_a_rate_limit(
    posthog: tuple[PostHogApi, httpx.AsyncClient],
) -> None:
    """Capture over the billing limit says so; no queue cures that."""
    api, client = posthog
    api.faults = PostHogFaults(billing_limit=True)
    answer = await client.post("/i/v0/e/", json={"api_key": PROJECT, "event": "e", "distinct_id": "d"})
    assert (answer.status_code, answer.text) == (429, "billing limit reached")


@pytest.mark.parametrize(("html", "kind"), [(False, "application/json"), (True, "text/html; charset=utf-8")])
async def test_an_outage_fails_its_share_of_calls(
    posthog: tuple[PostHogApi, httpx.AsyncClient], html: bool, kind: str
) -> None:
    """Six of ten calls fail with the given status, as JSON or as the edge's HTML; liveness stays good."""
    api, client = posthog
    api.faults = PostHogFaults(outage=Outage(share=0.6, status=503, html=html))
    answers = [await flags(client, PROJECT) for _ in range(10)]
    failed = [answer for answer in answers if answer.status_code == 503]
    assert len(failed) == 6
    assert {answer.headers["content-type"] for answer in failed} == {kind}
    assert (await client.get("/_livez")).json() == {"http": True}
    assert (await client.get("/_readyz")).status_code == 503
