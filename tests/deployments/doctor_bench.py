"""A served cluster for `runbook doctor`, and the rights that it grants."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from blocks.kubernetes.access.permissions import (
    AccessLevel,
    Permission,
    WorkloadKind,
    needed_permissions,
    up_to,
)
from deployments.cli import main
from deployments.drill.cluster import Cluster, Rule, kubeconfig, serve
from tests.blocks.cluster_world import SECRET, deployment, stateful_set

NOWHERE = "http://127.0.0.1:1"
TOKEN = "token-of-the-runbook"
UNCALLED = "Nobody can be paged: set [pager] or [slack].\n"
UNWATCHED = "The runbook itself is not monitored: set [self_watch].\n"


def rights(access: AccessLevel = "full", kind: WorkloadKind = "Deployment") -> list[Permission]:
    """What the runbook needs for this access."""
    table = needed_permissions(kind, "posthog-integration", "posthog-secrets")
    return [each for level in up_to(access) for each in table[level]]


def rule(permission: Permission) -> Rule:
    """A rule that grants this and no more."""
    names = (permission.name,) if permission.name else ()
    return Rule((permission.verb,), (permission.group,), (permission.resource,), names)


@dataclass
class World:
    """A served cluster, and a settings file that leads there."""

    cluster: Cluster
    settings: Path

    async def doctor(self, *options: str) -> int:
        """Run the command, beside the cluster."""
        return await asyncio.to_thread(main, ["doctor", "--config", str(self.settings), *options])


@asynccontextmanager
async def world(
    folder: Path, granted: Sequence[Permission], settings: str = "", *, url: str = ""
) -> AsyncIterator[World]:
    """A cluster that grants these rights; `settings` are more lines of `[cluster]`."""
    cluster = Cluster()
    for manifest in (deployment(), stateful_set(), SECRET):
        cluster.apply(manifest)
    cluster.grant("runbook", TOKEN, [rule(each) for each in granted])
    async with serve(cluster) as served:
        (folder / "kubeconfig").write_text(kubeconfig(url or served.url, served.ca_pem, TOKEN, "default"))
        sections = {
            "status_page": f'url = "{NOWHERE}"',
            "integration": f'health_url = "{NOWHERE}"',
            "prometheus": f'url = "{NOWHERE}"',
            "cluster": f'kubeconfig = "{folder / "kubeconfig"}"\ntimeout_seconds = 2\n{settings}',
        }
        file = folder / "runbook.toml"
        file.write_text("\n".join(f"[{name}]\n{lines}\n" for name, lines in sections.items()))
        yield World(cluster, file)


def rows(shown: str) -> list[str]:
    """The lines of the table, with single spaces."""
    return [" ".join(line.split()) for line in shown.split("\n\n")[1].splitlines()]
