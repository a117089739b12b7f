"""The real kubectl against the simulated cluster: the runbook's own commands, word for word."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deployments.drill.cluster import Fault, Rule
from tests.drill.cluster_bench import APP, LABELS, Bench, bench
from tests.drill.kubectl import Kubectl, kubectl_for

pytestmark = pytest.mark.real
TARGET = f"deployment/{APP}"


@pytest.fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


@pytest.fixture(name="kubectl")
async def _kubectl(bench: Bench, tmp_path: Path) -> Kubectl:
    return kubectl_for(bench, tmp_path)


async def test_get_shows_the_tables_that_people_know(bench: Bench, kubectl: Kubectl) -> None:
    """Columns and words come from the server."""
    answer = await kubectl("kubectl get deploy,rs,pods,secrets,events -o wide")
    assert answer.code == 0, answer.err
    rows = [line.split() for line in answer.out.splitlines() if line]
    assert rows[4][:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    for pod in bench.cluster.pods(LABELS):
        assert [f"pod/{pod.name}", "1/1", "Running", "0"] in [row[:4] for row in rows]
    assert ["secret/posthog-secrets", "Opaque", "1"] in [row[:3] for row in rows]


async def test_the_key_is_read_with_jsonpath(kubectl: Kubectl) -> None:
    """The runbook's look at the secret."""
    answer = await kubectl("kubectl get secret posthog-secrets -o jsonpath='{.data.api-key}' | base64 -d")
    assert answer.out == "phc_old"


async def test_the_runbooks_rotation_replaces_the_key(bench: Bench, kubectl: Kubectl) -> None:
    """Create, apply, restart, wait: word for word, and the pods then have the new key."""
    applied = await kubectl(
        "kubectl create secret generic posthog-secrets --from-literal=api-key=NEW_KEY "
        "--dry-run=client -o yaml | kubectl apply -f -"
    )
    assert applied.out == "secret/posthog-secrets configured\n", applied.err
    restarted = await kubectl(f"kubectl rollout restart {TARGET}")
    assert restarted.out == f"deployment.apps/{APP} restarted\n", restarted.err
    waited = await kubectl(f"kubectl rollout status {TARGET} --timeout=30s")
    assert waited.out.endswith(f'deployment "{APP}" successfully rolled out\n'), waited.err
    assert {pod.env["POSTHOG_API_KEY"] for pod in bench.cluster.pods(LABELS)} == {"NEW_KEY"}


async def test_set_env_sets_tries_and_removes(bench: Bench, kubectl: Kubectl) -> None:
    """The runbook's switches, a server-side dry run of one, and its inverse."""
    tried = await kubectl(f"kubectl set env {TARGET} RATE_LIMIT_MODE=queue --dry-run=server")
    assert tried.out == f"deployment.apps/{APP} env updated (server dry run)\n", tried.err
    assert bench.cluster.get("Deployment", APP)["metadata"]["generation"] == 1
    await kubectl(f"kubectl set env {TARGET} RATE_LIMIT_MODE=queue")
    listed = await kubectl(f"kubectl set env {TARGET} --list")
    assert "RATE_LIMIT_MODE=queue" in listed.out
    removed = await kubectl(f"kubectl set env {TARGET} RATE_LIMIT_MODE-")
    assert removed.code == 0, removed.err
    env = bench.cluster.get("Deployment", APP)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [each["name"] for each in env] == ["POSTHOG_API_KEY"]


async def test_undo_goes_back_and_history_tells(bench: Bench, kubectl: Kubectl) -> None:
    """The last change is undone by its revision."""
    await kubectl(f"kubectl set env {TARGET} POSTHOG_FALLBACK=true")
    await kubectl(f"kubectl rollout status {TARGET} --timeout=30s")
    undone = await kubectl(f"kubectl rollout undo {TARGET}")
    assert undone.out == f"deployment.apps/{APP} rolled back\n", undone.err
    await kubectl(f"kubectl rollout status {TARGET} --timeout=30s")
    history = await kubectl(f"kubectl rollout history {TARGET}")
    assert [line.split()[0] for line in history.out.splitlines()[2:] if line] == ["2", "3"]
    assert all("POSTHOG_FALLBACK" not in pod.env for pod in bench.cluster.pods(LABELS))


async def test_a_stuck_rollout_is_reported(bench: Bench, kubectl: Kubectl) -> None:
    """`rollout status` fails once the progress deadline has passed."""
    bench.cluster.image_faults["integration:broken"] = "ImagePullBackOff"
    await kubectl(f'kubectl patch {TARGET} -p \'{{"spec":{{"progressDeadlineSeconds":1}}}}\'')
    await kubectl(f"kubectl set image {TARGET} app=integration:broken")
    answer = await kubectl(f"kubectl rollout status {TARGET} --timeout=30s")
    assert answer.code == 1
    assert "exceeded its progress deadline" in answer.err
    pods = await kubectl("kubectl get pods")
    assert "ImagePull" in pods.out


async def test_logs_by_selector_take_ten_lines_of_each_pod(bench: Bench, kubectl: Kubectl) -> None:
    """The runbook's log command misses what is further up, unless --tail says otherwise."""
    for pod in bench.cluster.pods(LABELS):
        for number in range(15):
            bench.cluster.write_log(pod.name, f"ERROR {number}")
    short = await kubectl(f"kubectl logs -l app={APP} --since=5m | grep -i error")
    assert len(short.out.splitlines()) == 20
    full = await kubectl(f"kubectl logs -l app={APP} --since=5m --tail=-1")
    assert len(full.out.splitlines()) == 30


async def test_previous_logs_need_a_previous_container(bench: Bench, kubectl: Kubectl) -> None:
    """--previous is refused until there was one."""
    name = bench.cluster.pods(LABELS)[0].name
    refused = await kubectl(f"kubectl logs {name} --previous")
    assert f'previous terminated container "app" in pod "{name}" not found' in refused.err
    bench.cluster.write_log(name, "last words")
    bench.cluster.terminate(name, reason="OOMKilled", exit_code=137)
    await bench.until(lambda: name in {pod.name for pod in bench.cluster.pods(LABELS)})
    assert (await kubectl(f"kubectl logs {name} --previous")).out == "last words\n"
    described = await kubectl(f"kubectl describe pod {name}")
    assert "OOMKilled" in described.out
    assert "Restart Count:  1" in described.out


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("kubectl get deploy nope", 'Error from server (NotFound): deployments.apps "nope" not found'),
        (f"kubectl scale {TARGET} --replicas=-1", "--replicas=COUNT"),
        (
            f'kubectl patch {TARGET} -p \'{{"spec":{{"replicas":-1}}}}\'',
            f'The Deployment "{APP}" is invalid: spec.replicas: Invalid value: -1',
        ),
        (
            "kubectl create configmap x --dry-run=client -o yaml | kubectl apply -n nowhere -f -",
            'namespaces "nowhere" not found',
        ),
    ],
)
async def test_refusals_read_as_they_do_everywhere(kubectl: Kubectl, line: str, text: str) -> None:
    """kubectl understands the Status bodies."""
    answer = await kubectl(line)
    assert answer.code != 0
    assert text in answer.err


async def test_scale_and_delete_pod(bench: Bench, kubectl: Kubectl) -> None:
    """Both finish: scale at once, delete once the pod has gone."""
    assert (await kubectl(f"kubectl scale {TARGET} --replicas=3")).code == 0
    await bench.until(lambda: bench.complete() and len(bench.cluster.pods(LABELS)) == 3)
    name = bench.cluster.pods(LABELS)[0].name
    deleted = await kubectl(f"kubectl delete pod {name}")
    assert (deleted.code, name in deleted.out) == (0, True), deleted.err
    assert name not in {pod["metadata"]["name"] for pod in bench.cluster.objects("Pod")}


async def test_a_paused_deployment_cannot_be_restarted(kubectl: Kubectl) -> None:
    """kubectl itself refuses, from what the object says."""
    await kubectl(f"kubectl rollout pause {TARGET}")
    answer = await kubectl(f"kubectl rollout restart {TARGET}")
    assert "can't restart paused deployment" in answer.err


async def test_can_i_asks_the_cluster(bench: Bench, kubectl: Kubectl) -> None:
    """Single questions and the list of rights, for a narrow role."""
    bench.cluster.grant(
        "admin", "token-of-the-administrator", [Rule(verbs=("get", "list"), resources=("pods",))]
    )
    assert (await kubectl("kubectl auth can-i list pods")).out == "yes\n"
    refused = await kubectl("kubectl auth can-i delete pods")
    assert (refused.code, refused.out.strip()) == (1, "no")
    assert "pods" in (await kubectl("kubectl auth can-i --list")).out
    forbidden = await kubectl("kubectl get secrets")
    assert 'secrets is forbidden: User "admin" cannot list resource "secrets"' in forbidden.err


async def test_describe_shows_events_and_conditions(kubectl: Kubectl) -> None:
    """What people read first in an incident."""
    answer = await kubectl(f"kubectl describe {TARGET}")
    assert "MinimumReplicasAvailable" in answer.out
    assert "ScalingReplicaSet" in answer.out


async def test_yaml_and_json_read_back_the_object(bench: Bench, kubectl: Kubectl) -> None:
    """-o json gives the stored object."""
    answer = await kubectl(f"kubectl get {TARGET} -o json")
    shown, stored = json.loads(answer.out), bench.cluster.get("Deployment", APP)
    assert shown["spec"] == stored["spec"]
    assert (await kubectl(f"kubectl get {TARGET} -o yaml")).out.startswith(
        "apiVersion: apps/v1\nkind: Deployment\n"
    )


async def test_an_older_kubectl_finds_what_it_looks_for(bench: Bench, kubectl: Kubectl) -> None:
    """Without OpenAPI v3, as kubectl 1.20 works, the v2 document in protobuf tells what a PATCH takes."""
    text = "the server could not find the requested resource"
    bench.cluster.faults.append(
        Fault(path="^/openapi/v3", times=None, status=404, reason="NotFound", message=text)
    )
    answer = await kubectl(f"kubectl set env {TARGET} A=b --dry-run=server")
    assert answer.out == f"deployment.apps/{APP} env updated (server dry run)\n", answer.err
    applied = await kubectl(
        "kubectl create secret generic posthog-secrets --from-literal=api-key=X --dry-run=client -o yaml "
        "| kubectl apply --dry-run=server -f -"
    )
    assert applied.out == "secret/posthog-secrets configured (server dry run)\n", applied.err
    assert "/openapi/v2" in {request.path for request in bench.cluster.requests}
