"""Whether the pods of a change have room is known from quotas and limit ranges before anything is changed."""

from typing import Any

import pytest

from blocks.kubernetes.room import surge_words, why_no_room
from blocks.kubernetes.update_bounds import UpdateBounds, bounds_of

SURGE = {"maxSurge": 1, "maxUnavailable": 0}
ONE_FIRST = {"maxSurge": 0, "maxUnavailable": 1}


def workload(memory: str | None = "256Mi", replicas: int = 2, rolling: Any = SURGE) -> dict[str, Any]:
    """A Deployment of one container with this limit; `rolling` of `None` makes it a StatefulSet."""
    limits = {"resources": {"limits": {"memory": memory}}} if memory else {}
    template = {"spec": {"containers": [{"name": "app", **limits}]}}
    strategy = {"strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}
    return {
        "spec": {
            "replicas": replicas,
            "template": template,
            **({"updateStrategy": {}} if rolling is None else strategy),
        }
    }


def quota(key: str, hard: str, used: str, **spec: Any) -> dict[str, Any]:
    """A quota of which so much is used."""
    return {"metadata": {"name": "q"}, "spec": spec, "status": {"hard": {key: hard}, "used": {key: used}}}


def limit_range(most: str, kind: str = "Container") -> dict[str, Any]:
    """A range that lets a container have so much memory."""
    return {"metadata": {"name": "r"}, "spec": {"limits": [{"type": kind, "max": {"memory": most}}]}}


RAISED, SAME = workload("512Mi"), workload()


@pytest.mark.parametrize(
    ("before", "after", "quotas", "ranges", "said"),
    [
        (SAME, RAISED, [], [], None),
        (
            SAME,
            RAISED,
            [],
            [limit_range("256Mi")],
            "LimitRange r lets a container have 256Mi of memory, and app",
        ),
        (SAME, RAISED, [], [limit_range("512Mi")], None),
        (SAME, RAISED, [], [limit_range("256Mi", "Pod")], None),
        (SAME, workload(replicas=3), [], [limit_range("128Mi")], None),  # its pods are as they were
        (SAME, RAISED, [quota("limits.memory", "1Gi", "512Mi")], [], None),  # one more, then two of 512Mi
        (SAME, RAISED, [quota("limits.memory", "1000Mi", "512Mi")], [], "quota q has 512Mi of 1000Mi"),
        (SAME, RAISED, [quota("requests.memory", "1000Mi", "512Mi")], [], "quota q has 512Mi of 1000Mi"),
        (SAME, RAISED, [quota("limits.memory", "1000Mi", "512Mi", scopes=["BestEffort"])], [], None),
        (SAME, RAISED, [quota("limits.cpu", "1", "1")], [], None),  # the template does not say
        (SAME, RAISED, [quota("pods", "2", "2")], [], "quota q has 2 of 2 pods in use"),
        (SAME, RAISED, [quota("pods", "3", "2")], [], None),
        (SAME, RAISED, [quota("secrets", "2", "2")], [], None),
        (
            workload(rolling=ONE_FIRST),
            workload("512Mi", rolling=ONE_FIRST),
            [quota("pods", "2", "2")],
            [],
            None,
        ),
        (workload(rolling=None), workload("512Mi", rolling=None), [quota("pods", "2", "2")], [], None),
        (SAME, workload(replicas=3), [quota("pods", "2", "2")], [], "quota q has 2 of 2 pods in use"),
        (SAME, workload(replicas=1), [quota("pods", "1", "2")], [], None),
        (SAME, SAME, [quota("pods", "1", "2")], [], None),
        (workload(None), workload("512Mi"), [quota("limits.memory", "1Mi", "0")], [], None),
        (workload(replicas=0), workload("512Mi", 0), [quota("pods", "0", "0")], [], None),
    ],
)
def test_what_has_no_room_is_told_before(
    before: Any, after: Any, quotas: list[Any], ranges: list[Any], said: str | None
) -> None:
    """Only what is certain stops a change: the amount on the way and in the end, against what is left."""
    reason = why_no_room(before, after, quotas=quotas, limit_ranges=ranges)
    assert (reason is None) if said is None else (reason is not None and said in reason)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (SAME, RAISED, "a node must have room for one more pod with 512Mi before an old one is stopped"),
        (workload(None), workload(None, 2) | {"kind": "x"}, ""),
        (SAME, workload(replicas=3), ""),
        (workload(rolling=ONE_FIRST), workload("512Mi", rolling=ONE_FIRST), ""),
        (workload(rolling=None), workload("512Mi", rolling=None), ""),
    ],
)
def test_a_surge_that_a_node_must_have_room_for_is_told(before: Any, after: Any, said: str) -> None:
    """The free memory of nodes is not ours to read: a person knows."""
    assert surge_words(before, after) == said


@pytest.mark.parametrize(
    ("replicas", "strategy", "bounds"),
    [
        (2, {}, UpdateBounds(1, 0)),
        (10, {}, UpdateBounds(3, 2)),
        (4, {"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 1}}, UpdateBounds(2, 1)),
        (4, {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "10%"}}, UpdateBounds(0, 1)),
        (3, {"type": "Recreate"}, UpdateBounds(0, 3)),
    ],
)
def test_shares_are_rounded_as_the_controller_does(
    replicas: int, strategy: dict[str, Any], bounds: UpdateBounds
) -> None:
    """More pods are rounded up, missing ones down, and both are never zero."""
    assert bounds_of({"spec": {"replicas": replicas, "strategy": strategy}}) == bounds
