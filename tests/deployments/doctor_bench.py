"""A served cluster for `runbook doctor`, and the rights that it grants."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from blocks.kubernetes.access.permissions import (
    AccessLevel,
    Permission,
    WorkloadKind,
    needed_permissions,
    up_to,
)
from deployments.cli import main
from deployments.drill.cluster import Cluster, Rule, kubeconfig, serve
from deployments.drill.world.servers.wire import listening
from tests.blocks.cluster_world import SECRET, deployment, stateful_set

NOWHERE = "http://127.0.0.1:1"
HERE = "http://here"
"""In more sections of the settings: stands for the address of `Outside`."""

PAGER = f'[pager]\nrouting_key = {{ file = "token" }}\nbase_url = "{HERE}"'
SLACK = f'''[slack]
token = {{ file = "token" }}
channel = "C0123456789"
base_url = "{HERE}/api/"'''
PUBLISHER = f'''[status_page_publisher]
provider = "statuspage"
api_key = {{ file = "token" }}
page_id = "ours"
component_ids = ["one"]
base_url = "{HERE}/v1"'''

SYSTEMS = "\nSystems\n"
"""What parts the table of systems from what is told before."""

TOKEN = "token-of-the-runbook"
UNCALLED = "Nobody can be paged: set [pager], [slack], [email] or [teams].\n"
UNWATCHED = "The runbook itself is not monitored: set [self_watch].\n"


def rights(access: AccessLevel = "full", kind: WorkloadKind = "Deployment") -> list[Permission]:
    """What the runbook needs for this access."""
    table = needed_permissions(kind, "posthog-integration", "posthog-secrets")
    return [each for level in up_to(access) for each in table[level]]


def rule(permission: Permission) -> Rule:
    """A rule that grants this and no more."""
    names = (permission.name,) if permission.name else ()
    return Rule((permission.verb,), (permission.group,), (permission.resource,), names)


class Outside:
    """Everything outside of the cluster, imitated as far as a check asks. `answers` may be changed."""

    def __init__(self) -> None:
        now = datetime.now(UTC).timestamp()
        rate = {"metric": {"status": "503"}, "value": [now, "0.5"]}
        self.answers: dict[str, tuple[int, Any]] = {
            "/api/v1/summary": (200, {key: [] for key in _WIDGET}),
            "/health": (200, {"status": "healthy", "services": {"posthog": {"status": "healthy"}}}),
            "/api/v1/query": (200, {"status": "success", "data": {"resultType": "vector", "result": [rate]}}),
            "/ingest/flags": (200, {"flags": {}}),
            "/readyz": (200, {"status": "ready"}),
            "/v2/enqueue": (202, {"status": "success", "message": "Event processed", "dedup_key": "k"}),
            "/api/auth.test": (200, {"ok": True, "team": "Ours", "user": "runbook"}),
            "/api/conversations.history": (200, {"ok": True, "messages": []}),
            "/api/chat.postMessage": (
                200,
                {"ok": True, "channel": "C0123456789", "ts": "1.1", "message": {}},
            ),
            "/v1/pages/ours/components": (200, [{"id": "one"}, {"id": "two"}]),
        }
        self.bodies: list[tuple[str, bytes]] = []
        self.scopes = "chat:write,channels:history,files:write"

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is asked."""
        request = Request(scope, receive)
        self.bodies.append((request.url.path, await request.body()))
        status, body = self.answers.get(request.url.path, (404, {"detail": "Not found."}))
        await JSONResponse(body, status, {"x-oauth-scopes": self.scopes})(scope, receive, send)


_WIDGET = ("ongoing_incidents", "in_progress_maintenances", "scheduled_maintenances")


@dataclass
class World:
    """A served cluster, everything else, and a settings file that leads there."""

    cluster: Cluster
    settings: Path
    outside: Outside
    url: str

    def add(self, lines: str) -> None:
        """Add sections to the settings; `HERE` in them is the address of everything else."""
        self.settings.write_text(f"{self.settings.read_text()}\n{lines.replace(HERE, self.url)}\n")

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
    outside = Outside()
    async with serve(cluster) as served, listening(outside.app) as here:
        (folder / "kubeconfig").write_text(kubeconfig(url or served.url, served.ca_pem, TOKEN, "default"))
        sections = {
            "status_page": f'url = "{here}"',
            "posthog": f'app_url = "{here}"\ningest_url = "{here}/ingest"',
            "integration": f'health_url = "{here}/health"',
            "prometheus": f'url = "{here}"',
            "cluster": f'kubeconfig = "{folder / "kubeconfig"}"\ntimeout_seconds = 2\n{settings}',
        }
        file = folder / "runbook.toml"
        file.write_text("\n".join(f"[{name}]\n{lines}\n" for name, lines in sections.items()))
        yield World(cluster, file, outside, here)


def rows(shown: str) -> list[str]:
    """The lines of the table, with single spaces."""
    return [" ".join(line.split()) for line in shown.split("\n\n")[1].splitlines()]


def before_systems(shown: str) -> str:
    """What is told before the table of systems."""
    return shown.partition(SYSTEMS)[0]


def system_rows(shown: str) -> dict[str, str]:
    """The state and the details of each system in the table, with single spaces."""
    table = shown.partition(SYSTEMS)[2].partition("\n\n")[0]
    found: dict[str, str] = {}
    name = ""
    for line in table.splitlines()[1:]:
        if line[0] != " ":
            name, _, rest = line.partition("  ")
            found[name] = " ".join(rest.split())
        else:
            found[name] += " " + " ".join(line.split())
    return found
