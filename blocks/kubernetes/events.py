"""Events of a workload: of itself, its revisions and its pods, those that are gone among them."""

import asyncio
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kubernetes.client import ApiClient, CoreV1Api

from blocks.kubernetes.access.connection import ClusterClient, items_of
from blocks.kubernetes.access.errors import Request
from blocks.kubernetes.pods import container_statuses, waiting_reason
from blocks.kubernetes.revisions import Object
from blocks.transport.errors import Forbidden, OutsideError, one_line

CHUNK = 500
"""Events in one answer. A namespace can have any number; the API server gives the rest by its `continue`."""

CHUNKS = 20
"""Answers that are read at most: 10,000 events, which is more than an hour of a busy namespace."""

PODS_ASKED = 8
"""Pods whose own events are asked for, those in trouble first."""


@dataclass
class EventList:
    """Events, and why there may be more."""

    items: list[Object] = field(default_factory=list)
    missing: str = ""


def asked_about(workload: Object, revisions: Iterable[Object], pods: Iterable[Object]) -> list[str]:
    """The names of the objects whose events tell most: the workload, its newest revision, its pods."""
    newest = max(revisions, key=lambda item: str(item["metadata"].get("creationTimestamp", "")), default=None)
    in_order = sorted(pods, key=_is_well)
    names = [item["metadata"]["name"] for item in in_order][:PODS_ASKED]
    return [
        workload["metadata"]["name"],
        *([newest["metadata"]["name"]] if newest is not None else []),
        *names,
    ]


def _is_well(pod: Object) -> bool:
    return waiting_reason(pod) is None and not any(
        item.get("restartCount") or not item.get("ready", True) for item in container_statuses(pod)
    )


def warning_lines(
    events: Iterable[Object], workload: str, *, living: Collection[str], limit: int = 10
) -> tuple[str, ...]:
    """The newest Warning events of the workload, its revisions and its pods, newest last.

    A pod that is not among the `living` is told as gone.
    """
    about = {
        str(event["metadata"].get("uid") or event["metadata"].get("name")): event
        for event in events
        if event.get("type") == "Warning" and is_part_of(event.get("involvedObject") or {}, workload)
    }
    newest = sorted(about.values(), key=_event_time)[-limit:]
    return tuple(_event_line(event, living) for event in newest)


def is_part_of(involved: Object, workload: str) -> bool:
    """Whether an event's object is the workload, or has a name that its controller gives.

    `web-worker` is not a part of `web`, though its name begins with it.
    """
    own = rf"{re.escape(workload)}(?:-[a-z0-9]{{1,10}}(?:-[a-z0-9]{{5}})?|-\d+)?"
    return re.fullmatch(own, str(involved.get("name", ""))) is not None


def _event_time(event: Object) -> str:
    series = event.get("series") or {}
    return str(
        event.get("lastTimestamp")
        or series.get("lastObservedTime")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )


def _event_line(event: Object, living: Collection[str]) -> str:
    involved = event.get("involvedObject") or {}
    times = event.get("count") or (event.get("series") or {}).get("count") or 1
    repeated = f" (×{times})" if times > 1 else ""
    gone = " (gone)" if involved.get("kind") == "Pod" and involved.get("name") not in living else ""
    return (
        f"{_event_time(event)} {event.get('reason')} "
        f"{str(involved.get('kind', '')).lower()}/{involved.get('name')}{_debugger(involved)}{gone}: "
        f"{one_line(str(event.get('message', '')), 200)}{repeated}"
    )


def _debugger(involved: Object) -> str:
    """Which container of a person's `kubectl debug` an event is about, which is not the workload's."""
    found = re.fullmatch(r"spec\.ephemeralContainers\{([^{}]*)\}", str(involved.get("fieldPath", "")))
    return f", debug container {one_line(found[1], 80)}" if found else ""


@dataclass(frozen=True)
class Events:
    """Reading the events of the namespace."""

    client: ClusterClient

    async def all(self) -> EventList:
        """Events of the workload, its revisions and its pods; the cluster keeps them for about an hour."""
        found, workload = await self._list(""), self.client.settings.workload_name
        items = [event for event in found.items if is_part_of(event.get("involvedObject") or {}, workload)]
        return EventList(items, found.missing)

    async def _list(self, selector: str, *, chunks: int = CHUNKS) -> EventList:
        """All events that a field selector finds, chunk by chunk."""
        found, token = EventList(), ""
        for _ in range(chunks):
            try:
                answer = await self.client.ask(
                    Request("list", "events"),
                    partial(self._chunk, selector=selector, token=token),
                )
            except OutsideError as error:
                if not token:
                    raise
                found.missing = f"only the first {len(found.items)} events were read: {error.detail}"
                return found
            found.items += items_of(answer)
            token = str(answer["metadata"].get("continue") or "")
            if not token:
                return found
        found.missing = f"only the first {len(found.items)} events were read; there are more"
        return found

    def _chunk(self, client: ApiClient, *, selector: str, token: str) -> Any:
        options: dict[str, Any] = {
            "limit": CHUNK,
            "field_selector": selector or None,
            "_continue": token or None,
        }
        given = {name: value for name, value in options.items() if value is not None}
        return CoreV1Api(client).list_namespaced_event(**given, **self.client.namespaced)

    async def warnings(self, names: Sequence[str], *, living: Collection[str]) -> tuple[str, ...]:
        """The newest warnings about these objects, and about pods that are gone.

        Asked by object, since a namespace may have more events than anybody reads.
        """
        gone = "type=Warning,involvedObject.kind=Pod"
        try:
            lists = await asyncio.gather(
                *(self._list(f"type=Warning,involvedObject.name={name}") for name in names),
                self._list(gone, chunks=1),
            )
        except Forbidden as error:
            return (f"events were not read: {error.detail}",)
        events = [event for found in lists for event in found.items]
        missing = tuple(found.missing for found in lists[:-1] if found.missing)
        return (*warning_lines(events, self.client.settings.workload_name, living=living), *missing)
