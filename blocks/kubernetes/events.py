"""Events of a workload: of itself, its revisions and its pods, those that are gone among them."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from blocks.kubernetes.pods import container_statuses, waiting_reason
from blocks.kubernetes.revisions import Object
from blocks.transport.errors import one_line

PAGE = 500
"""Events in one answer. A namespace can have any number; the API server gives the rest by its `continue`."""

PAGES = 20
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
