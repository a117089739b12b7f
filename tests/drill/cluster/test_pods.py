"""What the simulated node does with pods: environments, restarts, readiness and faults."""

import asyncio
import time

import pytest

from deployments.drill.cluster import Cluster
from deployments.drill.cluster.node.environment import byte_count
from tests.drill.cluster_bench import (
    APP,
    DEPLOYMENT,
    LABELS,
    SECRET,
    bench,
    container,
    deployment,
)

NEW_KEY = {"stringData": {"api-key": "phc_new"}}


async def test_a_pod_keeps_the_key_that_it_started_with() -> None:
    """A new value in the secret reaches a pod only through a restart, the trap in the runbook's rotation."""
    async with bench() as made:
        await made.patch(SECRET, NEW_KEY)
        assert {pod.env["POSTHOG_API_KEY"] for pod in made.cluster.pods(LABELS)} == {"phc_old"}
        template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
        await made.patch(DEPLOYMENT, {"spec": {"template": template}})
        await made.until(
            lambda: made.complete() and {pod.revision for pod in made.cluster.pods(LABELS)} == {2}
        )
        assert {pod.env["POSTHOG_API_KEY"] for pod in made.cluster.pods(LABELS)} == {"phc_new"}


async def test_a_container_that_restarts_in_place_reads_the_new_key() -> None:
    """The environment is resolved at each start of a container, not once for its pod."""
    async with bench() as made:
        await made.patch(SECRET, NEW_KEY)
        name = made.cluster.pods(LABELS)[0].name
        made.cluster.terminate(name, reason="Error", exit_code=1)
        await made.until(lambda: any(pod.name == name for pod in made.cluster.pods(LABELS)))
        found = next(pod for pod in made.cluster.pods(LABELS) if pod.name == name)
        assert (found.env["POSTHOG_API_KEY"], found.restarts) == ("phc_new", 1)


async def test_the_environment_follows_its_sources() -> None:
    """Values, secrets, config maps, fields, limits, whole maps and references between variables."""
    env = [
        {"name": "PLAIN", "value": "1"},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "posthog-secrets", "key": "api-key"}}},
        {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
        {"name": "ABSENT", "valueFrom": {"secretKeyRef": {"name": "none", "key": "x", "optional": True}}},
        {"name": "JOINED", "value": "$(PLAIN)-$(MODE)-$$(PLAIN)-$(UNKNOWN)"},
    ]
    source = {"prefix": "CFG_", "configMapRef": {"name": "settings"}}
    settings = {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"mode": "direct"}}
    manifest = deployment(container(env=env, envFrom=[source]), replicas=1)
    async with bench(None, settings, manifest) as made:
        await made.until(made.complete)
        pod = made.cluster.pods(LABELS)[0]
        assert dict(pod.env) == {
            "CFG_mode": "direct",
            "PLAIN": "1",
            "KEY": "phc_old",
            "MODE": "direct",
            "NAME": pod.name,
            "APP": APP,
            "MEMORY": str(256 * 2**20),
            "JOINED": "1-direct-$(PLAIN)-$(UNKNOWN)",
        }
        assert pod.memory_limit == 256 * 2**20
        assert "phc_old" not in repr(pod)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            {"name": "posthog-secrets", "key": "typo"},
            "couldn't find key typo in Secret default/posthog-secrets",
        ),
        ({"name": "nowhere", "key": "api-key"}, 'secret "nowhere" not found'),
    ],
)
async def test_a_missing_secret_key_keeps_the_container_from_starting(
    reference: dict[str, str], message: str
) -> None:
    """CreateContainerConfigError names what is missing; the pod starts once it is there."""
    env = [{"name": "POSTHOG_API_KEY", "valueFrom": {"secretKeyRef": reference}}]
    async with bench(None, deployment(container(env=env), replicas=1)) as made:
        await made.until(lambda: made.waiting_reasons() == {"CreateContainerConfigError"})
        status = made.cluster.objects("Pod")[0]["status"]
        assert status["containerStatuses"][0]["state"]["waiting"]["message"] == message
        assert status["phase"] == "Pending"
        data = {"stringData": {reference["key"]: "phc_there"}}
        made.cluster.apply({"kind": "Secret", "metadata": {"name": reference["name"]}, **data})
        await made.until(made.complete)
        assert made.cluster.pods(LABELS)[0].env["POSTHOG_API_KEY"] == "phc_there"


async def test_an_oom_kill_restarts_the_container_and_leaves_its_trace() -> None:
    """Restart count, last state and an event about the node tell what happened."""
    async with bench() as made:
        name = made.cluster.pods(LABELS)[0].name
        made.cluster.terminate(name, reason="OOMKilled", exit_code=137)
        assert name not in {pod.name for pod in made.cluster.pods(LABELS)}
        await made.until(lambda: any(pod.restarts and pod.ready for pod in made.cluster.pods(LABELS)))
        status = made.cluster.get("Pod", name)["status"]["containerStatuses"][0]
        assert status["restartCount"] == 1
        ended = status["lastState"]["terminated"]
        assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
        event = made.events("OOMKilling")[0]
        assert (event["involvedObject"]["kind"], event["type"]) == ("Node", "Warning")


async def test_repeated_deaths_meet_a_crash_loop_with_growing_waits() -> None:
    """The first restart comes at once; after the second death the container waits in CrashLoopBackOff."""
    async with bench() as made:
        name = made.cluster.pods(LABELS)[0].name
        for restarts in (0, 1, 2):
            await made.until(lambda: name in {pod.name for pod in made.cluster.pods(LABELS)})
            waited = made.cluster.get("Pod", name)["status"]["containerStatuses"][0]
            assert waited["restartCount"] == restarts
            made.cluster.terminate(name, reason="Error", exit_code=1)
        waiting = made.cluster.get("Pod", name)["status"]["containerStatuses"][0]["state"]["waiting"]
        assert waiting["reason"] == "CrashLoopBackOff"
        assert waiting["message"].startswith("back-off 0.4s restarting failed container=app")
        assert made.events("BackOff")


@pytest.mark.parametrize(
    ("fault", "reasons", "phase"),
    [
        ("ImagePullBackOff", {"ImagePullBackOff"}, "Pending"),
        ("CrashLoopBackOff", {"CrashLoopBackOff"}, "Running"),
    ],
)
async def test_a_faulty_image_never_gets_ready(fault: str, reasons: set[str], phase: str) -> None:
    """Both kinds of broken image show their reason; the deployment is not available."""
    cluster = Cluster(pod_start_seconds=0.02, crash_backoff_seconds=0.05)
    cluster.image_faults["integration:1"] = fault
    async with bench(cluster, deployment()) as made:
        await made.until(lambda: made.waiting_reasons() == reasons)
        assert {pod["status"]["phase"] for pod in made.cluster.objects("Pod")} == {phase}
        assert not any(pod.ready for pod in made.cluster.pods(LABELS))
        assert made.reason() != "NewReplicaSetAvailable"


async def test_a_mended_image_gets_ready_at_its_next_try() -> None:
    """Without the fault the back-off ends with a pod that starts."""
    cluster = Cluster(pod_start_seconds=0.02, crash_backoff_seconds=0.02)
    cluster.image_faults["integration:1"] = "CrashLoopBackOff"
    async with bench(cluster, deployment()) as made:
        await made.until(lambda: made.waiting_reasons() == {"CrashLoopBackOff"})
        cluster.image_faults.clear()
        await made.until(made.complete)


async def test_readiness_follows_the_probe() -> None:
    """An unready pod keeps running, drops out of the ready count, and comes back."""
    async with bench() as made:
        name = made.cluster.pods(LABELS)[0].name
        made.cluster.set_ready(name, False)
        await made.until(lambda: made.cluster.get("Deployment", APP)["status"].get("readyReplicas") == 1)
        assert {pod.name: pod.ready for pod in made.cluster.pods(LABELS)}[name] is False
        assert made.events("Unhealthy")
        made.cluster.set_ready(name, True)
        await made.until(made.complete)


async def test_what_does_not_exist_is_a_key_error() -> None:
    """Mistyped names do not pass in silence."""
    async with bench() as made:
        for call in (
            lambda: made.cluster.get("Deployment", "nope"),
            lambda: made.cluster.get("Gadget", "x"),
            lambda: made.cluster.terminate("nope", reason="Error", exit_code=1),
            lambda: made.cluster.set_ready("nope", True),
            lambda: made.cluster.write_log("nope", "line"),
        ):
            with pytest.raises(KeyError):
                call()


async def test_a_read_object_is_a_copy() -> None:
    """Whoever changes what `get` returned changes nothing in the cluster."""
    async with bench() as made:
        made.cluster.get("Deployment", APP)["spec"]["replicas"] = 99
        assert made.cluster.get("Deployment", APP)["spec"]["replicas"] == 2


async def test_apply_merges_into_what_is_there() -> None:
    """Applying a manifest with another image changes the image and keeps the rest."""
    async with bench() as made:
        made.cluster.apply(deployment(container(image="integration:2")))
        await made.until(lambda: {pod.image for pod in made.cluster.pods(LABELS)} == {"integration:2"})
        await made.until(made.complete)


@pytest.mark.parametrize(
    ("text", "amount"), [("128974848", 128974848), ("1k", 1000), ("256Mi", 268435456), ("1.5Gi", 1610612736)]
)
def test_memory_quantities_are_bytes(text: str, amount: int) -> None:
    """Decimal and binary units, with fractions."""
    assert byte_count(text) == amount


def test_a_broken_memory_quantity_is_refused() -> None:
    """A unit that does not exist is a mistake in a manifest."""
    with pytest.raises(ValueError, match="not a memory quantity"):
        byte_count("256MB")


async def test_a_cluster_at_rest_costs_no_work() -> None:
    """Controllers and node sleep until something changes: a drill shares its machine."""
    async with bench() as made:
        await made.until(lambda: len(made.cluster.objects("Pod")) == 2)
        before = time.process_time()
        await asyncio.sleep(0.4)
        assert time.process_time() - before < 0.1
