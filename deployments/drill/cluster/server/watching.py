"""Watches: a stream of JSON lines, one a change, from a resourceVersion on.

Source: k8s.io/apiserver/pkg/storage/cacher and pkg/endpoints/handlers/watch.go.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from deployments.drill.cluster.kinds import Kind
from deployments.drill.cluster.objects import JsonObject, namespace_of
from deployments.drill.cluster.server.errors import ApiError, bad_request, gone
from deployments.drill.cluster.store import Change, Store

_LONGEST_SECONDS = 1800.0


@dataclass(frozen=True)
class Watch:
    """One watch: which objects, since when, for how long, and in which form they are shown."""

    store: Store
    kind: Kind
    namespace: str
    selects: Callable[[JsonObject], bool]
    shown: Callable[[JsonObject], JsonObject]
    since: str
    seconds: float

    @classmethod
    def of(
        cls, store: Store, kind: Kind, namespace: str, query: Mapping[str, str],
        selects: Callable[[JsonObject], bool], shown: Callable[[JsonObject], JsonObject],
    ) -> "Watch":  # fmt: skip
        """Read the query of a watch request. Raises ApiError 400 or 422."""
        if "sendInitialEvents" in query:
            text = (
                'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents '
                "is forbidden for watch unless the WatchList feature gate is enabled"
            )
            raise ApiError(422, "Invalid", text, {"kind": "ListOptions", "group": "meta.k8s.io"})
        since = query.get("resourceVersion", "")
        if since and not since.isdigit():
            raise bad_request(f'Invalid value: "{since}": strconv.ParseUint: invalid syntax')
        seconds = float(query.get("timeoutSeconds") or _LONGEST_SECONDS)
        return cls(store, kind, namespace, selects, shown, since, seconds)

    async def lines(self) -> AsyncIterator[bytes]:
        """The stream, until its time is up or the cluster closes it."""
        deadline = asyncio.get_running_loop().time() + self.seconds
        with self.store.subscription() as changes:
            for line in self._first():
                yield line
                if line.startswith(b'{"type":"ERROR"'):
                    return
            while (left := deadline - asyncio.get_running_loop().time()) > 0:
                try:
                    change = await asyncio.wait_for(changes.get(), left)
                except TimeoutError:
                    return
                if change is None:
                    return
                for line in self._of(change):
                    yield line

    def _first(self) -> list[bytes]:
        if self.since in ("", "0"):
            found = [obj for obj in self.store.objects(self.kind, self.namespace) if self.selects(obj)]
            return [self._line("ADDED", obj) for obj in found]
        since = int(self.since)
        oldest = self.store.oldest_change()
        if since < oldest - 1 and since < self.store.version:
            return [_encoded("ERROR", gone(since, oldest).body)]
        return [line for change in self.store.changes_after(since) for line in self._of(change)]

    def _of(self, change: Change) -> list[bytes]:
        if change.kind is not self.kind or self.namespace not in ("", namespace_of(change.obj)):
            return []
        before = change.old is not None and self.selects(change.old)
        after = change.type != "DELETED" and self.selects(change.obj)
        if before and after:
            return [self._line("MODIFIED", change.obj)]
        if after:
            return [self._line("ADDED", change.obj)]
        return [self._line("DELETED", change.obj)] if before else []

    def _line(self, kind: str, obj: JsonObject) -> bytes:
        return _encoded(kind, self.shown(obj))


def _encoded(kind: str, obj: JsonObject) -> bytes:
    return json.dumps({"type": kind, "object": obj}, separators=(",", ":")).encode() + b"\n"
