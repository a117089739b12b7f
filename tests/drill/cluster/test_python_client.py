"""The official Python client against the simulated cluster, as the product uses it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from tests.drill.cluster_bench import APP, LABELS, Bench, bench, env_patch

NAMESPACE = "default"


@pytest.fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


@pytest.fixture(name="api")
async def _api(bench: Bench, tmp_path: Path) -> Any:
    path = bench.kubeconfig(tmp_path)
    return await asyncio.to_thread(config.new_client_from_config, str(path))


async def _call(function: Any, *args: Any, **options: Any) -> Any:
    """Call the blocking client beside the event loop."""
    return await asyncio.to_thread(function, *args, **options)


async def test_reads_come_back_as_models(bench: Bench, api: Any) -> None:
    """Deployments, pods, ReplicaSets, secrets and events pass the client's own checks of required fields."""
    apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
    found = await _call(apps.read_namespaced_deployment, APP, NAMESPACE)
    assert found.status.available_replicas == 2
    pods = await _call(core.list_namespaced_pod, NAMESPACE, label_selector=f"app={APP}")
    assert {pod.metadata.name for pod in pods.items} == {pod.name for pod in bench.cluster.pods(LABELS)}
    sets = await _call(apps.list_namespaced_replica_set, NAMESPACE)
    assert sets.items[0].metadata.annotations["deployment.kubernetes.io/revision"] == "1"
    events = await _call(core.list_namespaced_event, NAMESPACE)
    assert "ScalingReplicaSet" in {event.reason for event in events.items}
    nodes = await _call(core.list_node)
    assert nodes.items[0].status.conditions[0].type == "Ready"


async def test_a_dict_is_a_strategic_merge_patch_and_a_list_a_json_patch(bench: Bench, api: Any) -> None:
    """The client chooses the kind of patch by the body's type; both work, and a dry run changes nothing."""
    apps = client.AppsV1Api(api)
    body = env_patch("RATE_LIMIT_MODE", "queue")
    await _call(apps.patch_namespaced_deployment, APP, NAMESPACE, body, dry_run="All")
    assert bench.cluster.get("Deployment", APP)["metadata"]["generation"] == 1
    await _call(apps.patch_namespaced_deployment, APP, NAMESPACE, body)
    operations = [{"op": "replace", "path": "/spec/replicas", "value": 3}]
    scaled = await _call(apps.patch_namespaced_deployment, APP, NAMESPACE, operations)
    assert (scaled.spec.replicas, len(scaled.spec.template.spec.containers[0].env)) == (3, 2)


async def test_a_conflict_reaches_the_caller_as_409(api: Any) -> None:
    """A write with a stale resourceVersion is refused with the Status in the exception's body."""
    core = client.CoreV1Api(api)
    body = {"metadata": {"resourceVersion": "1"}, "stringData": {"api-key": "phc_new"}}
    with pytest.raises(ApiException) as refused:
        await _call(core.patch_namespaced_secret, "posthog-secrets", NAMESPACE, body)
    assert refused.value.status == 409
    assert '"reason":"Conflict"' in str(refused.value.body)


async def test_logs_stream_without_decoding(bench: Bench, api: Any) -> None:
    """Bytes that are no UTF-8 pass through where the response is not preloaded."""
    core = client.CoreV1Api(api)
    name = bench.cluster.pods(LABELS)[0].name
    bench.cluster.write_log(name, "caf\udce9 at the end")
    answer = await _call(core.read_namespaced_pod_log, name, NAMESPACE, tail_lines=1, _preload_content=False)
    assert answer.data == b"caf\xe9 at the end\n"


async def test_a_watch_sees_a_rollout(bench: Bench, api: Any) -> None:
    """The client's own watch reads the stream until the new generation was observed."""
    apps = client.AppsV1Api(api)

    def observed() -> int:
        watching: Any = watch.Watch()
        for event in watching.stream(apps.list_namespaced_deployment, NAMESPACE, timeout_seconds=10):
            status, metadata = event["object"].status, event["object"].metadata
            if metadata.generation == 2 and status.observed_generation == 2:
                watching.stop()
                return 2
        return 0

    seen = asyncio.create_task(asyncio.to_thread(observed))
    await bench.until_watched()
    bench.cluster.apply({"kind": "Deployment", "metadata": {"name": APP}, **env_patch("A", "b")})
    assert await seen == 2


async def test_an_access_review_answers_the_preflight(api: Any) -> None:
    """What may this token do: asked with the client's own model."""
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(
                verb="patch", group="apps", resource="deployments"
            )
        )
    )
    authorization = client.AuthorizationV1Api(api)
    answer = await _call(authorization.create_self_subject_access_review, review)
    assert answer.status.allowed is True
