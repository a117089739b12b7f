"""Watches, lists and selectors of the simulated API."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from deployments.drill.cluster.server.errors import ApiError
from deployments.drill.cluster.server.selectors import label_selector, matches_selector
from tests.drill.cluster_bench import APP, DEPLOYMENT, LABELS, MERGE, PODS, SECRETS, Bench, bench, env_patch


@pytest.fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


async def _watched(made: Bench, path: str, count: int, **query: str) -> list[dict[str, Any]]:
    """The first so many events of a watch."""
    found: list[dict[str, Any]] = []
    params = {"watch": "true", "timeoutSeconds": "10", **query}
    async with made.http.stream("GET", path, params=params) as answer:
        async for line in answer.aiter_lines():
            found.append(json.loads(line))
            if len(found) == count:
                break
    return found


async def test_a_watch_continues_a_list_without_a_gap(bench: Bench) -> None:
    """Every change after the list's resourceVersion arrives once, those before the watch began included."""
    version = (await bench.http.get(SECRETS)).json()["metadata"]["resourceVersion"]
    for name in ("a", "b"):
        bench.cluster.apply({"kind": "Secret", "metadata": {"name": name}})
    watching = asyncio.create_task(_watched(bench, SECRETS, 4, resourceVersion=version))
    await bench.until_watched()
    bench.cluster.apply({"kind": "Secret", "metadata": {"name": "a"}, "stringData": {"k": "v"}})
    await bench.http.delete(f"{SECRETS}/b")
    events = await watching
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("MODIFIED", "a"),
        ("DELETED", "b"),
    ]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))


async def test_a_watch_without_a_version_begins_with_what_there_is(bench: Bench) -> None:
    """The current objects come first, as ADDED."""
    events = await _watched(bench, PODS, 2)
    assert {event["type"] for event in events} == {"ADDED"}


async def test_a_watch_from_too_long_ago_is_told_to_list_again(bench: Bench) -> None:
    """A version older than the kept history gives one ERROR event with 410, and the stream ends."""
    for number in range(1100):
        bench.cluster.apply({"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"n": str(number)}})
        bench.cluster.apply({"kind": "ConfigMap", "metadata": {"name": "d"}, "data": {"n": str(number)}})
    events = await _watched(bench, PODS, 2, resourceVersion="1001")
    assert [(event["type"], event["object"]["code"]) for event in events] == [("ERROR", 410)]


async def test_a_watch_ends_when_its_time_is_up(bench: Bench) -> None:
    """timeoutSeconds is honoured; an idle watch ends clean."""
    version = (await bench.http.get(SECRETS)).json()["metadata"]["resourceVersion"]
    params = {"watch": "1", "timeoutSeconds": "1", "resourceVersion": version}
    answer = await bench.http.get(SECRETS, params=params)
    assert (answer.status_code, answer.text) == (200, "")


async def test_an_object_that_leaves_a_selector_is_deleted_for_its_watch(bench: Bench) -> None:
    """Selectors apply before and after a change."""
    apps = DEPLOYMENT.rpartition("/")[0]
    version = (await bench.http.get(apps)).json()["metadata"]["resourceVersion"]
    watching = asyncio.create_task(
        _watched(bench, apps, 2, labelSelector="team=red", resourceVersion=version)
    )
    await bench.until_watched()
    await bench.patch(DEPLOYMENT, {"metadata": {"labels": {"team": "red"}}}, MERGE)
    await bench.patch(DEPLOYMENT, {"metadata": {"labels": {"team": "blue"}}}, MERGE)
    assert [event["type"] for event in await watching] == ["ADDED", "DELETED"]


async def test_open_watches_do_not_hold_up_the_end() -> None:
    """A cluster that stops ends its watches with a complete answer."""
    async with bench() as made:
        trust = ssl.create_default_context(cadata=made.served.ca_pem)
        client = httpx.AsyncClient(base_url=made.served.url, verify=trust, headers=made.http.headers)
        watching = asyncio.create_task(client.get(SECRETS, params={"watch": "true"}))
        await made.until_watched()
    async with aclosing(client):
        lines = (await asyncio.wait_for(watching, 2)).text.splitlines()
    assert [json.loads(line)["object"]["metadata"]["name"] for line in lines] == ["posthog-secrets"]


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("", {"x", "y", "z"}),
        ("app=a", {"x", "y"}),
        ("app==a,tier!=web", {"y"}),
        ("tier!=web", {"y", "z"}),
        ("app in (a, b)", {"x", "y", "z"}),
        ("app notin (a)", {"z"}),
        ("tier", {"x", "y"}),
        ("!tier", {"z"}),
        ("app in (a),tier in (web,db)", {"x", "y"}),
        ("app=", set()),
    ],
)
def test_label_selectors_follow_the_grammar(selector: str, selected: set[str]) -> None:
    """Equality, sets and existence, joined by commas."""
    objects = {"x": {"app": "a", "tier": "web"}, "y": {"app": "a", "tier": "db"}, "z": {"app": "b"}}
    holds = label_selector(selector)
    assert {name for name, labels in objects.items() if holds(labels)} == selected


@pytest.mark.parametrize("selector", ["app=a=b", "app in a", "=x", "a b", "app,"])
def test_a_broken_label_selector_is_refused(selector: str) -> None:
    """It selects nothing by accident."""
    with pytest.raises(ApiError, match="unable to parse requirement"):
        label_selector(selector)


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ({"key": "app", "operator": "In", "values": ["a"]}, True),
        ({"key": "app", "operator": "NotIn", "values": ["a"]}, False),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "app", "operator": "DoesNotExist"}, False),
        ({"key": "tier", "operator": "NotIn", "values": ["web"]}, True),
    ],
)
def test_selector_objects_understand_expressions(expression: dict[str, Any], matches: bool) -> None:
    """matchExpressions of a Deployment's selector."""
    assert matches_selector({"matchExpressions": [expression]}, {"app": "a"}) is matches


@pytest.mark.parametrize(
    ("path", "fields", "count"),
    [
        (PODS, "status.phase=Running", 2),
        (PODS, "status.phase!=Running", 0),
        (SECRETS, "metadata.name=posthog-secrets", 1),
        (SECRETS, "type=Opaque,metadata.name!=posthog-secrets", 0),
        ("/api/v1/namespaces/default/events", f"involvedObject.name={APP},reason=ScalingReplicaSet", 1),
    ],
)
async def test_field_selectors_pick_by_the_fields_of_the_kind(
    bench: Bench, path: str, fields: str, count: int
) -> None:
    """The fields that kubectl's own commands select by."""
    answer = await bench.http.get(path, params={"fieldSelector": fields})
    assert len(answer.json()["items"]) == count


async def test_a_field_that_cannot_be_selected_is_refused(bench: Bench) -> None:
    """As in the real server, only some fields of a kind can be selected by."""
    answer = await bench.http.get(PODS, params={"fieldSelector": "spec.hostname=x"})
    assert answer.status_code == 400
    assert answer.json()["message"] == "field label not supported: spec.hostname"


async def test_a_label_selector_limits_a_list(bench: Bench) -> None:
    """During a rollout the template hash tells old pods from new ones."""
    await bench.patch(DEPLOYMENT, env_patch("A", "b"))
    await bench.until(bench.complete)
    new = bench.cluster.pods(LABELS)[0].template_hash
    answer = await bench.http.get(PODS, params={"labelSelector": f"app={APP},pod-template-hash={new}"})
    assert len(answer.json()["items"]) == 2
