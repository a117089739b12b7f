"""How the simulated cluster is reached: TLS, kubeconfig, outages, and the words of its tables."""

import asyncio
import socket
import ssl
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import yaml

from deployments.drill.cluster import Cluster, ServedCluster, kubeconfig, serve
from deployments.drill.cluster.server.openapi import openapi_v2_protobuf
from deployments.drill.cluster.server.protobuf import decoded_review, fields, message, text
from deployments.drill.cluster.server.tables import human_duration, pod_reason, table
from tests.drill.cluster_bench import ADMIN_TOKEN, PODS, bench

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def test_only_its_own_authority_vouches_for_the_server() -> None:
    """A client that trusts the cluster's authority connects; one that does not refuses."""
    async with serve(Cluster()) as served:
        trust = ssl.create_default_context(cadata=served.ca_pem)
        async with httpx.AsyncClient(verify=trust) as client:
            assert (await client.get(f"{served.url}/healthz")).text == "ok"
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(f"{served.url}/healthz")


async def test_an_outage_ends_where_it_began() -> None:
    """Without a server connections are refused; served again, the cluster remembers everything."""
    cluster = Cluster()
    cluster.grant("admin", "t", [])
    async with serve(cluster) as first:
        port = first.port
    async with httpx.AsyncClient(verify=False) as client:  # noqa: S501 - nothing is there to be verified
        with pytest.raises(httpx.ConnectError):
            await client.get(f"https://127.0.0.1:{port}/version")
    async with serve(cluster, port=port) as again:
        assert again.url == f"https://127.0.0.1:{port}"
        assert cluster.get("Namespace", "default")["status"]["phase"] == "Active"


async def test_an_idle_connection_does_not_hold_up_the_end() -> None:
    """A client that keeps its connection open and never answers is cut off."""
    started = time.monotonic()
    async with serve(Cluster()) as served:
        idle = await asyncio.to_thread(_idle_connection, served)
    assert time.monotonic() - started < 3
    idle.close()


def _idle_connection(served: ServedCluster) -> ssl.SSLSocket:
    trust = ssl.create_default_context(cadata=served.ca_pem)
    plain = socket.create_connection(("127.0.0.1", served.port))
    connection = trust.wrap_socket(plain, server_hostname="127.0.0.1")
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: drill\r\n\r\n")
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def test_a_kubeconfig_has_one_context_with_the_token() -> None:
    """The file that kubectl and the Python client load."""
    loaded: dict[str, Any] = yaml.safe_load(kubeconfig("https://127.0.0.1:1", "PEM", "secret-token", "prod"))
    assert loaded["contexts"][0]["context"]["namespace"] == "prod"
    assert loaded["users"][0]["user"] == {"token": "secret-token"}
    assert loaded["clusters"][0]["cluster"]["certificate-authority-data"] == "UEVN"


async def test_a_namespace_of_its_own() -> None:
    """A cluster for another namespace keeps its objects there."""
    cluster = Cluster(namespace="production", pod_start_seconds=0.02)
    async with bench(cluster) as made:
        assert (await made.http.get(PODS)).json()["items"] == []
        items = (await made.http.get(PODS.replace("default", "production"))).json()["items"]
        assert {item["metadata"]["namespace"] for item in items} == {"production"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api", "APIVersions"),
        ("/api/v1", "APIResourceList"),
        ("/apis", "APIGroupList"),
        ("/apis/apps", "APIGroup"),
        ("/apis/apps/v1", "APIResourceList"),
        ("/apis/authorization.k8s.io/v1", "APIResourceList"),
    ],
)
async def test_discovery_describes_what_is_served(path: str, kind: str) -> None:
    """Each discovery document is of its kind; what is not served is not found."""
    async with bench() as made:
        assert (await made.http.get(path)).json()["kind"] == kind
        missing = await made.http.get("/apis/batch/v1")
        assert (missing.status_code, missing.text) == (404, "404 page not found\n")


async def test_a_table_is_sent_only_to_those_who_ask() -> None:
    """`kubectl get` asks for a Table; a client that accepts no JSON at all is told what there is."""
    async with bench() as made:
        accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
        shown = (await made.http.get(PODS, headers={"accept": accept})).json()
        assert shown["kind"] == "Table"
        assert [row["cells"][1:4] for row in shown["rows"]] == [["1/1", "Running", "0"]] * 2
        assert {row["object"]["kind"] for row in shown["rows"]} == {"PartialObjectMetadata"}
        assert (await made.http.get(PODS)).json()["kind"] == "PodList"
        refused = await made.http.get(PODS, headers={"accept": "application/vnd.kubernetes.protobuf"})
        assert refused.status_code == 406
        assert ADMIN_TOKEN not in refused.text


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (192, "3m12s"),
        (3600, "60m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 300, "3h5m"),
        (9 * 3600, "9h"),
        (50 * 3600, "2d2h"),
        (10 * 86400, "10d"),
        (800 * 86400, "2y"),
    ],
)
def test_ages_read_as_in_kubectl(seconds: int, shown: str) -> None:
    """Two units at most, fewer as time passes."""
    assert human_duration(seconds) == shown


@pytest.mark.parametrize(
    ("state", "metadata", "shown"),
    [
        ({"running": {}}, {}, "Running"),
        ({"waiting": {"reason": "CrashLoopBackOff"}}, {}, "CrashLoopBackOff"),
        ({"terminated": {"reason": "OOMKilled", "exitCode": 137}}, {}, "OOMKilled"),
        ({"terminated": {"exitCode": 3}}, {}, "ExitCode:3"),
        ({"running": {}}, {"deletionTimestamp": "2026-11-22T12:00:00Z"}, "Terminating"),
    ],
)
def test_the_status_of_a_pod_is_its_containers_reason(
    state: dict[str, Any], metadata: dict[str, str], shown: str
) -> None:
    """What the STATUS column says."""
    pod = {"metadata": metadata, "status": {"phase": "Running", "containerStatuses": [{"state": state}]}}
    assert pod_reason(pod) == shown


def test_a_repeated_event_shows_its_count() -> None:
    """`kubectl get events` counts what repeats."""
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p"},
        "count": 4,
        "firstTimestamp": "2026-11-22T11:55:00Z",
        "lastTimestamp": "2026-11-22T11:59:50Z",
        "message": "m",
    }
    assert table("Event", [event], "1", NOW, "None")["rows"][0]["cells"][0] == "10s (x4 over 5m)"


def test_a_review_in_protobuf_is_read() -> None:
    """The form in which newer kubectls ask `auth can-i`."""
    asked = text(1, "default") + text(2, "patch") + text(3, "apps") + text(5, "deployments")
    body = b"k8s\x00" + message(2, message(2, message(1, asked)))
    assert decoded_review("SelfSubjectAccessReview", body) == {
        "spec": {
            "resourceAttributes": {
                "namespace": "default",
                "verb": "patch",
                "group": "apps",
                "resource": "deployments",
            }
        }
    }


def test_a_review_of_a_path_in_protobuf_is_read() -> None:
    """`kubectl auth can-i get /metrics` asks for a path instead of a resource."""
    body = b"k8s\x00" + message(2, message(2, message(2, text(1, "/metrics") + text(2, "get"))))
    assert decoded_review("SelfSubjectAccessReview", body) == {
        "spec": {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}}
    }


def test_the_protobuf_document_lists_a_patch_for_each_kind() -> None:
    """Top-level fields of the OpenAPI v2 document: version, info, paths."""
    found = fields(openapi_v2_protobuf())
    assert found[1] == b"2.0"
    assert b"/apis/apps/v1/namespaces/{namespace}/deployments/{name}" in found[8]
    assert b"dryRun" in found[8]
    assert b"x-kubernetes-group-version-kind" in found[8]
    assert b'{"group": "apps", "version": "v1", "kind": "Deployment"}' in found[8]
