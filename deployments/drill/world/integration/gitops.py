"""A GitOps controller: it applies the integration's deployment from Git, again and again, as Flux does."""

import asyncio

from deployments.drill.cluster import Cluster
from deployments.drill.world.integration.manifests import in_git
from deployments.drill.world.integration.release import apply_and_wait

MANAGER = "kustomize-controller"
_EVERY_SECONDS = 0.5
"""A real one takes from seconds to minutes; the drill's clocks are as much shorter."""


class GitOps:
    """Restores what Git has after any other change. `mode` is what Git has, None if nothing is applied."""

    def __init__(self, cluster: Cluster) -> None:
        self.mode: str | None = None
        self._cluster = cluster

    async def begin(self, posthog_url: str, mode: str) -> None:
        """Bring the cluster to what Git has, before anything goes wrong.

        Raises ``TimeoutError`` where its pods do not get ready.
        """
        manifest = in_git(posthog_url, mode)
        await apply_and_wait(self._cluster, manifest)
        self._cluster.apply_server_side(manifest, manager=MANAGER)

    async def run(self, posthog_url: str) -> None:
        """Apply what Git has until cancelled. If nothing differs, nothing is changed."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            if self.mode is not None:
                self._cluster.apply_server_side(in_git(posthog_url, self.mode), manager=MANAGER)
