"""Changes of the workload are the requests that `kubectl` would send, and can be recognised afterwards."""

from datetime import UTC, datetime
from typing import Any

import pytest

from runbook.patches import (
    EFFECT_ANNOTATION,
    first_container,
    last_effect,
    previous_template,
    restart_patch,
    switch_patch,
    switch_value,
)

EFFECT = "inc-1/1-enable-fallback"


def deployment(*containers: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A Deployment with these containers."""
    return {
        "metadata": {"name": "posthog-integration", "uid": "d-1"} | metadata,
        "spec": {"template": {"spec": {"containers": list(containers)}}},
    }


WEB = {
    "name": "web",
    "env": [
        {"name": "POSTHOG_FALLBACK", "value": "true"},
        {"name": "EMPTY"},
        {"name": "REFERENCE", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    ],
}
SIDECAR = {"name": "proxy", "env": [{"name": "RATE_LIMIT_MODE", "value": "queue"}]}
BARE = {"name": "bare"}
EXPLICIT_NULL = {"name": "null", "env": None}


@pytest.mark.parametrize(
    ("value", "entry"),
    [
        ("true", {"name": "POSTHOG_FALLBACK", "value": "true"}),
        ("", {"name": "POSTHOG_FALLBACK", "value": ""}),
        (None, {"name": "POSTHOG_FALLBACK", "$patch": "delete"}),
    ],
)
def test_switch_is_set_or_removed_in_one_container(value: str | None, entry: dict[str, str]) -> None:
    """`kubectl set env`: one entry, merged by name; the effect is noted outside of the pod template."""
    assert switch_patch("web", "POSTHOG_FALLBACK", value, effect_id=EFFECT) == {
        "metadata": {"annotations": {EFFECT_ANNOTATION: EFFECT}},
        "spec": {"template": {"spec": {"containers": [{"name": "web", "env": [entry]}]}}},
    }


def test_restart_is_a_time_in_the_pod_template() -> None:
    """`kubectl rollout restart`: RFC 3339 in whole seconds, the same for the same moment."""
    at = datetime(2026, 11, 22, 15, 0, 7, 900_000, tzinfo=UTC)
    assert restart_patch(at, effect_id=EFFECT) == {
        "metadata": {"annotations": {EFFECT_ANNOTATION: EFFECT}},
        "spec": {
            "template": {
                "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-22T15:00:07Z"}}
            }
        },
    }


@pytest.mark.parametrize(("preferred", "chosen"), [(None, "web"), ("proxy", "proxy")])
def test_switches_belong_to_the_configured_container_or_the_first(preferred: str | None, chosen: str) -> None:
    """A configured container goes before the order of the pod template."""
    assert first_container(deployment(WEB, SIDECAR), preferred) == chosen


def test_configured_container_must_exist() -> None:
    """A typing error never changes another container; the message says what there is."""
    with pytest.raises(LookupError, match="no container 'wbe', only web, proxy"):
        first_container(deployment(WEB, SIDECAR), "wbe")


@pytest.mark.parametrize(
    ("container", "variable", "value"),
    [
        ("web", "POSTHOG_FALLBACK", "true"),
        ("web", "EMPTY", ""),
        ("web", "RATE_LIMIT_MODE", None),  # another container's
        ("proxy", "RATE_LIMIT_MODE", "queue"),
        ("bare", "POSTHOG_FALLBACK", None),
        ("null", "POSTHOG_FALLBACK", None),
    ],
)
def test_switch_is_read_from_its_own_container(container: str, variable: str, value: str | None) -> None:
    """An unset variable is `None`; one that is set to nothing is empty."""
    assert switch_value(deployment(WEB, SIDECAR, BARE, EXPLICIT_NULL), container, variable) == value


def test_switch_from_a_reference_is_not_ours_to_set() -> None:
    """A value that lives elsewhere would not be changed by setting it here."""
    with pytest.raises(LookupError, match=r"REFERENCE is set from a reference \(valueFrom\)"):
        switch_value(deployment(WEB), "web", "REFERENCE")


@pytest.mark.parametrize(
    ("annotations", "noted"),
    [({EFFECT_ANNOTATION: EFFECT}, EFFECT), ({"other": "x"}, None), ({}, None), (None, None)],
)
def test_effect_is_read_back_from_the_object(annotations: dict[str, str] | None, noted: str | None) -> None:
    """The note on the object tells after a crash whether the change was made."""
    assert last_effect(deployment(WEB, annotations=annotations)) == noted
    assert last_effect({}) is None


def replica_set(revision: str | None, *, owner: str = "d-1") -> dict[str, Any]:
    """A ReplicaSet of a revision; `None` has no annotation of one."""
    return {
        "metadata": {
            "annotations": {"deployment.kubernetes.io/revision": revision} if revision else None,
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
    ("sets", "revision"),
    [
        ([replica_set("1"), replica_set("2")], "1"),
        ([replica_set("2"), replica_set("1")], "1"),
        ([replica_set("9"), replica_set("10"), replica_set("8")], "9"),  # numbers, not text
        ([replica_set("1"), replica_set("3"), replica_set("2", owner="other")], "1"),
        ([replica_set("7")], None),
        ([replica_set("7"), replica_set("6", owner="other")], None),
        ([], None),
    ],
)
def test_previous_revision_is_the_one_that_kubectl_would_go_back_to(
    sets: list[dict[str, Any]], revision: str | None
) -> None:
    """The second newest of the Deployment's own ReplicaSets, if there is one."""
    found = previous_template(deployment(WEB), sets)
    assert (found[0] if found else None) == revision
    if found:
        assert found[1]["spec"]["containers"][0]["image"] == f"web:{revision}"


def test_previous_template_comes_without_the_hash_of_its_replica_set() -> None:
    """The hash belongs to the ReplicaSet; the ReplicaSet itself is not touched."""
    sets = [replica_set("1"), replica_set("2")]
    found = previous_template(deployment(WEB), sets)
    assert found is not None
    assert found[1]["metadata"]["labels"] == {"app": "posthog-integration"}
    assert sets == [replica_set("1"), replica_set("2")]


def test_object_without_an_owner_is_nobodys_revision() -> None:
    """ReplicaSets that were made by hand are never rolled back to."""
    alone = replica_set("1")
    del alone["metadata"]["ownerReferences"]
    assert previous_template(deployment(WEB), [alone, replica_set("2")]) is None
