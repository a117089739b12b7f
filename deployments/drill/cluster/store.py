"""Where the objects are kept: one version counter, and a log of changes for watches and controllers."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deployments.drill.cluster.kinds import KINDS, Kind
from deployments.drill.cluster.objects import JsonObject, name_of, namespace_of

_CHANGES_KEPT = 2000
"""As a real server compacts its history, so that a watch from too long ago is told 410."""


@dataclass(frozen=True)
class Change:
    """One stored change: ADDED, MODIFIED or DELETED, with the object after and before it."""

    version: int
    type: str
    kind: Kind
    obj: JsonObject
    old: JsonObject | None


class Store:
    """Objects by kind, namespace and name.

    Objects handed out are the stored ones: callers must copy before they change anything.
    """

    def __init__(self) -> None:
        self.version = 1000
        self._objects: dict[str, dict[tuple[str, str], JsonObject]] = {kind.kind: {} for kind in KINDS}
        self._changes: deque[Change] = deque(maxlen=_CHANGES_KEPT)
        self._queues: set[asyncio.Queue[Change | None]] = set()
        self._listeners: list[Callable[[Change], None]] = []

    def get(self, kind: Kind, namespace: str, name: str) -> JsonObject | None:
        """The stored object, or None."""
        return self._objects[kind.kind].get((namespace, name))

    def objects(self, kind: Kind, namespace: str = "") -> list[JsonObject]:
        """The stored objects of a kind, by namespace and name; an empty namespace means all."""
        found = self._objects[kind.kind]
        return [found[key] for key in sorted(found) if namespace in ("", key[0])]

    def put(self, kind: Kind, obj: JsonObject) -> JsonObject:
        """Store an object under a new resourceVersion."""
        key = (namespace_of(obj), name_of(obj))
        old = self._objects[kind.kind].get(key)
        stored = self._versioned(obj)
        self._objects[kind.kind][key] = stored
        self._record(Change(self.version, "MODIFIED" if old else "ADDED", kind, stored, old))
        return stored

    def remove(self, kind: Kind, obj: JsonObject) -> JsonObject:
        """Remove an object; its last state carries the version of the removal."""
        old = self._objects[kind.kind].pop((namespace_of(obj), name_of(obj)))
        last = self._versioned(old)
        self._record(Change(self.version, "DELETED", kind, last, old))
        return last

    def _versioned(self, obj: JsonObject) -> JsonObject:
        self.version += 1
        return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}

    def _record(self, change: Change) -> None:
        self._changes.append(change)
        for queue in self._queues:
            queue.put_nowait(change)
        for listener in self._listeners:
            listener(change)

    def on_change(self, listener: Callable[[Change], None]) -> None:
        """Call the listener after every change from now on."""
        self._listeners.append(listener)

    def oldest_change(self) -> int:
        """The version of the oldest change still kept."""
        return self._changes[0].version if self._changes else self.version + 1

    def changes_after(self, version: int) -> Iterator[Change]:
        """The kept changes that came after a version, in order."""
        return (change for change in list(self._changes) if change.version > version)

    @contextmanager
    def subscription(self) -> Iterator[asyncio.Queue[Change | None]]:
        """A queue that gets every change while the context lasts, and None when streams are closed."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def close_streams(self) -> None:
        """End every open watch, as a server that shuts down does."""
        for queue in self._queues:
            queue.put_nowait(None)
