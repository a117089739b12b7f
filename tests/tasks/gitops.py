"""Whoever applies an object again and again: GitOps controllers, and operators that write a Secret."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.blocks.cluster_world import ClusterWorld

FLUX = "kustomize-controller"


@asynccontextmanager
async def applied_by(
    world: ClusterWorld, manifest: dict[str, Any], manager: str = FLUX
) -> AsyncIterator[None]:
    """The manifest is applied now and whenever the object differs from it, as server-side apply does it."""

    async def reconcile() -> None:
        while True:
            apply_now(world, manifest, manager)
            await asyncio.sleep(0.02)  # a real controller watches and waits, too

    apply_now(world, manifest, manager)
    running = asyncio.create_task(reconcile())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def apply_now(world: ClusterWorld, manifest: dict[str, Any], manager: str = FLUX) -> None:
    """The manifest is applied once; whoever owns a field that it names loses it."""
    world.imitation.apply_server_side(manifest, manager=manager)


def manifest_of(*env: dict[str, str], image: str = "", **container: Any) -> dict[str, Any]:
    """What stands in Git: these variables of the integration's container, and whatever else is given."""
    app = {"name": "app", "env": list(env), **({"image": image} if image else {}), **container}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "posthog-integration"},
        "spec": {"template": {"spec": {"containers": [app]}}},
    }
