"""Credentials are loaded within a deadline, once for all that wait for them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from blocks.kubernetes.cluster import Cluster
from blocks.transport.errors import Unauthenticated
from deployments.drill.cluster import kubeconfig
from tests.blocks.cluster_world import TOKEN, ClusterWorld, cluster_world


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """The integration, rolled out."""
    async with cluster_world() as running:
        yield running


def with_plugin(world: ClusterWorld, script: str, **settings: Any) -> Cluster:
    """A block whose credentials a shell script makes."""
    config = yaml.safe_load(kubeconfig(world.url, world.ca_pem, TOKEN, "default"))
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", script],
        "interactiveMode": "Never",
    }
    config["users"][0]["user"] = {"exec": plugin}
    return world.block_of(kubeconfig_yaml=SecretStr(yaml.safe_dump(config)), **settings)


def runs(pid: str) -> bool:
    """Whether a process is there and has not ended; nobody may have asked for its exit code yet."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


async def test_a_plugin_that_hangs_is_ended(world: ClusterWorld, tmp_path: Path) -> None:
    """All that wait for it are told at once, it runs once for them, and nothing of it is left running."""
    ran = tmp_path / "ran"
    script = f"echo x >> {ran}; sleep 600 & echo $! > {tmp_path}/child; wait"
    block = with_plugin(world, script, timeout_seconds=2)
    began = time.monotonic()

    answers = await asyncio.gather(*(block.workload.pods() for _ in range(6)), return_exceptions=True)

    assert time.monotonic() - began < 8  # six after one another would take longer
    assert {str(answer) for answer in answers} == {str(answers[0])}
    assert isinstance(answers[0], Unauthenticated)
    assert "no answer within 1.6 s" in str(answers[0])
    assert ran.read_text() == "x\n"
    assert not runs((tmp_path / "child").read_text().strip())


async def test_a_plugin_that_failed_is_asked_again_later(world: ClusterWorld, tmp_path: Path) -> None:
    """A failure is shared by those that waited for it, not by who asks afterwards."""
    ready = tmp_path / "ready"
    made = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": TOKEN},
    }
    script = f"test -e {ready} || exit 1; echo '{json.dumps(made)}'"
    block = with_plugin(world, script)
    with pytest.raises(Unauthenticated):
        await block.workload.pods()
    ready.touch()

    assert await block.workload.pods()


async def test_without_a_kubeconfig_the_key_that_names_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can authenticate again who has not been given an access yet."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(Unauthenticated) as refused:
        await Cluster().workload.pods()
    assert "there is no kubeconfig at" in refused.value.detail
    assert refused.value.next_step == "Name one in `kubeconfig` of [cluster], or set KUBECONFIG"
