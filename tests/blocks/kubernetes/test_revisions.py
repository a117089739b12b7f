"""A workload's revisions are its own, in their order, with the pod template to go back to."""

from typing import Any

import pytest

from blocks.kubernetes.revisions import revisions

WORKLOAD = {"metadata": {"name": "posthog-integration", "uid": "d-1"}}


def replica_set(revision: str | None, *, owner: str = "d-1") -> dict[str, Any]:
    """A ReplicaSet of a revision; `None` has no annotation of one."""
    return {
        "metadata": {
            "annotations": {"deployment.kubernetes.io/revision": revision} if revision else None,
            "labels": {"pod-template-hash": f"h{revision}"},
            "ownerReferences": [{"uid": owner}],
        },
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "posthog-integration", "pod-template-hash": f"h{revision}"}},
                "spec": {"containers": [{"name": "web", "image": f"web:{revision}"}]},
            }
        },
    }


@pytest.mark.parametrize(
    ("sets", "names"),
    [
        ([replica_set("1"), replica_set("2")], ["1", "2"]),
        ([replica_set("2"), replica_set("1")], ["1", "2"]),
        ([replica_set("9"), replica_set("10"), replica_set("8")], ["8", "9", "10"]),  # numbers, not text
        ([replica_set("1"), replica_set("3"), replica_set("2", owner="other")], ["1", "3"]),
        ([replica_set(None), replica_set("1")], ["", "1"]),  # its controller has not seen it yet
        ([replica_set("7", owner="other")], []),
        ([], []),
    ],
)
def test_revisions_are_the_workloads_own_newest_last(sets: list[dict[str, Any]], names: list[str]) -> None:
    """`kubectl rollout undo` goes back to the last but one."""
    found = revisions(WORKLOAD, sets)
    assert [item.name for item in found] == names
    images = [item.template["spec"]["containers"][0]["image"] for item in found if item.name]
    assert images == [f"web:{name}" for name in names if name]


def test_template_comes_without_the_hash_of_its_replica_set() -> None:
    """The hash belongs to the ReplicaSet and is the mark of its pods; the ReplicaSet is not touched."""
    sets = [replica_set("1")]
    [found] = revisions(WORKLOAD, sets)
    assert found.template["metadata"]["labels"] == {"app": "posthog-integration"}
    assert found.mark == "h1"
    assert sets == [replica_set("1")]


def test_object_without_an_owner_is_nobodys_revision() -> None:
    """ReplicaSets that were made by hand are never rolled back to."""
    alone = replica_set("1")
    del alone["metadata"]["ownerReferences"]
    assert [item.name for item in revisions(WORKLOAD, [alone, replica_set("2")])] == ["2"]
