"""The integration's releases in the cluster: the good one, and one that breaks after it was rolled out."""

import asyncio
from typing import Any

from deployments.drill.cluster import Cluster
from deployments.drill.world.integration.manifests import BAD_IMAGE, DEPLOYMENT, GOOD_IMAGE, deployment
from deployments.drill.world.integration.pods import LABELS, POD_COUNT

_ROLLED_OUT_WITHIN_SECONDS = 20.0
_CHECK_SECONDS = 0.05


async def release(cluster: Cluster, posthog_url: str, image: str = GOOD_IMAGE) -> None:
    """Apply the deployment with ``image`` and wait until its pods, and no others, are ready.

    Raises ``TimeoutError`` if they are not within 20 s.
    """
    await apply_and_wait(cluster, deployment(posthog_url, image))


async def apply_and_wait(cluster: Cluster, manifest: dict[str, Any]) -> None:
    """Apply the deployment and wait until its pods, and no others, are ready.

    Raises ``TimeoutError`` if they are not within 20 s.
    """
    cluster.apply(manifest)
    async with asyncio.timeout(_ROLLED_OUT_WITHIN_SECONDS):
        while not _rolled_out(cluster):  # noqa: ASYNC110  the cluster has no signal, as a real one has none
            await asyncio.sleep(_CHECK_SECONDS)


async def break_newest_release(cluster: Cluster, posthog_url: str) -> None:
    """Roll out a release that gets ready once, then crashes, and crashes again at each start."""
    await release(cluster, posthog_url, BAD_IMAGE)
    cluster.image_faults[BAD_IMAGE] = "CrashLoopBackOff"
    for pod in cluster.pods(LABELS):
        cluster.terminate(pod.name, reason="Error", exit_code=1)


def mend_release(cluster: Cluster) -> None:
    """Let the broken release start normally at the next restart of its container."""
    cluster.image_faults.pop(BAD_IMAGE, None)


def _rolled_out(cluster: Cluster) -> bool:
    found = cluster.get("Deployment", DEPLOYMENT)
    status = found.get("status", {})
    return bool(
        status.get("observedGeneration", 0) >= found["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == POD_COUNT
        and status.get("replicas", 0) == POD_COUNT
        and status.get("availableReplicas", 0) == POD_COUNT
    )
