"""Who may do what in the simulated cluster."""

from collections.abc import AsyncIterator

import pytest

from deployments.drill.cluster import Rule
from tests.drill.cluster_bench import ADMIN_TOKEN, APP, DEPLOYMENT, PODS, SECRET, Bench, bench

READER = "token-of-the-reader"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    async with bench() as made:
        made.cluster.grant(
            "oncall",
            READER,
            [
                Rule(verbs=("get", "list"), resources=("pods",)),
                Rule(verbs=("get",), resources=("secrets",), names=("posthog-secrets",)),
                Rule(verbs=("get", "patch"), groups=("apps",), resources=("deployments",)),
            ],
        )
        yield made


def _as(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}" if token else ""}


async def test_no_token_is_the_anonymous_user_and_forbidden(bench: Bench) -> None:
    """A request without a token gets 403 as system:anonymous, which is how a broken login plug-in shows."""
    answer = await bench.http.get(PODS, headers=_as(None))
    assert answer.status_code == 403
    assert answer.json()["message"] == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" '
        'in the namespace "default"'
    )


async def test_an_unknown_token_is_unauthorized(bench: Bench) -> None:
    """A token that the cluster does not know gets 401 and a Status that says no more than that."""
    answer = await bench.http.get(PODS, headers=_as("made-up"))
    assert answer.status_code == 401
    assert answer.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }


async def test_an_expired_token_is_unauthorized_from_then_on(bench: Bench) -> None:
    """Expiring a token turns its next request into 401 and leaves other tokens alone."""
    assert (await bench.http.get(PODS, headers=_as(READER))).status_code == 200
    bench.cluster.expire(READER)
    assert (await bench.http.get(PODS, headers=_as(READER))).status_code == 401
    assert (await bench.http.get(PODS)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", PODS, 200),
        ("GET", f"{PODS}?watch=1&timeoutSeconds=1", 403),
        ("DELETE", f"{PODS}/some-pod", 403),
        ("GET", f"{PODS}/some-pod/log", 403),
        ("GET", "/api/v1/pods", 403),
        ("GET", "/api/v1/namespaces/kube-system/pods", 403),
        ("GET", SECRET, 200),
        ("GET", SECRET.replace("posthog-secrets", "other"), 403),
        ("GET", "/api/v1/namespaces/default/secrets", 403),
        ("GET", DEPLOYMENT, 200),
        ("PUT", DEPLOYMENT, 403),
        ("GET", f"{DEPLOYMENT}/scale", 403),
        ("GET", "/api", 200),
        ("GET", "/version", 200),
        ("GET", "/metrics", 403),
    ],
)
async def test_a_role_allows_exactly_its_rules(bench: Bench, method: str, path: str, code: int) -> None:
    """Verb, group, resource, subresource, name and namespace each limit a role."""
    answer = await bench.http.request(method, path, headers=_as(READER))
    assert answer.status_code == code


async def test_a_refusal_names_the_missing_right(bench: Bench) -> None:
    """A 403 says who lacks which verb on which resource, so that a person can grant it."""
    body = (await bench.http.delete(DEPLOYMENT, headers=_as(READER))).json()
    assert body["reason"] == "Forbidden"
    assert body["details"] == {"name": APP, "group": "apps", "kind": "deployments"}
    assert body["message"] == (
        f'deployments.apps "{APP}" is forbidden: User "oncall" cannot delete resource "deployments" '
        'in API group "apps" in the namespace "default"'
    )


async def test_a_list_of_one_named_object_needs_only_its_own_right(bench: Bench) -> None:
    """A field selector on metadata.name counts as the name, as kubectl's watches of one object rely on."""
    bench.cluster.grant(
        "narrow", "t", [Rule(verbs=("list",), resources=("secrets",), names=("posthog-secrets",))]
    )
    one = await bench.http.get(
        "/api/v1/namespaces/default/secrets",
        params={"fieldSelector": "metadata.name=posthog-secrets"},
        headers=_as("t"),
    )
    assert [item["metadata"]["name"] for item in one.json()["items"]] == ["posthog-secrets"]
    every = await bench.http.get("/api/v1/namespaces/default/secrets", headers=_as("t"))
    assert every.status_code == 403


@pytest.mark.parametrize(
    ("attributes", "allowed"),
    [
        ({"verb": "list", "resource": "pods", "namespace": "default"}, True),
        ({"verb": "get", "resource": "pods", "subresource": "log", "namespace": "default"}, False),
        ({"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "default"}, True),
        ({"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "other"}, False),
        ({"verb": "get", "resource": "secrets", "name": "posthog-secrets", "namespace": "default"}, True),
        ({"verb": "get", "resource": "secrets", "namespace": "default"}, False),
    ],
)
async def test_an_access_review_answers_what_a_request_would_meet(
    bench: Bench, attributes: dict[str, str], allowed: bool
) -> None:
    """Everyone may ask what they may do, and gets the same answer as the request itself."""
    answer = await bench.http.post(
        REVIEWS, json={"spec": {"resourceAttributes": attributes}}, headers=_as(READER)
    )
    assert answer.status_code == 201
    assert answer.json()["status"]["allowed"] is allowed


async def test_requests_are_recorded_with_user_and_answer(bench: Bench) -> None:
    """The record holds who asked what and what came of it, and its repr holds no body."""
    await bench.patch(SECRET, {"stringData": {"api-key": "phc_canary"}})
    await bench.http.get(SECRET, headers=_as("made-up"))
    written, refused = bench.cluster.requests[-2:]
    assert (written.method, written.path, written.user, written.status) == ("PATCH", SECRET, "admin", 200)
    assert written.body == {"stringData": {"api-key": "phc_canary"}}
    assert (refused.user, refused.status) == ("", 401)
    assert "phc_canary" not in repr(written)
    assert ADMIN_TOKEN not in repr(bench.cluster.requests)
