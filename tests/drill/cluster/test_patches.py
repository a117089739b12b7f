"""The three kinds of patch, as pure functions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.drill.cluster.server.errors import ApiError
from deployments.drill.cluster.writes.json_patch import json_patched, merge_patched
from deployments.drill.cluster.writes.strategic_merge import strategically_merged

A, B, C = ({"name": name, "value": name.lower()} for name in "ABC")


@pytest.mark.parametrize(
    ("current", "patch", "result"),
    [
        pytest.param({"env": [A]}, {"env": [B]}, {"env": [A, B]}, id="adds by merge key"),
        pytest.param(
            {"env": [A, B]},
            {"env": [{"name": "A", "value": "new"}]},
            {"env": [{"name": "A", "value": "new"}, B]},
            id="replaces by merge key",
        ),
        pytest.param(
            {"env": [A, B]},
            {"env": [{"name": "A", "$patch": "delete"}]},
            {"env": [B]},
            id="deletes by directive",
        ),
        pytest.param(
            {"env": [A]},
            {"env": [{"name": "Z", "$patch": "delete"}]},
            {"env": [A]},
            id="deleting what is absent",
        ),
        pytest.param(
            {"env": [A, B]},
            {"env": [C], "$setElementOrder/env": [{"name": "C"}, {"name": "A"}, {"name": "B"}]},
            {"env": [C, A, B]},
            id="takes the order that is asked for",
        ),
        pytest.param(
            {"env": [A]},
            {
                "env": [
                    {"name": "A", "value": None, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
                ]
            },
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
            id="null removes a field",
        ),
        pytest.param(
            {"env": [A, B]}, {"env": [{"$patch": "replace"}, C]}, {"env": [C]}, id="replaces a whole list"
        ),
        pytest.param(
            {"containers": [{"name": "app", "image": "a", "env": [A]}, {"name": "side", "image": "s"}]},
            {"containers": [{"name": "app", "env": [B]}]},
            {"containers": [{"name": "app", "image": "a", "env": [A, B]}, {"name": "side", "image": "s"}]},
            id="merges nested lists",
        ),
        pytest.param(
            {"ports": [{"containerPort": 80, "name": "web"}]},
            {"ports": [{"containerPort": 80, "protocol": "UDP"}]},
            {"ports": [{"containerPort": 80, "name": "web", "protocol": "UDP"}]},
            id="container ports merge by number",
        ),
        pytest.param(
            {"ports": [{"port": 80, "targetPort": 1}]},
            {"ports": [{"port": 80, "targetPort": 2}]},
            {"ports": [{"port": 80, "targetPort": 2}]},
            id="service ports merge by port",
        ),
        pytest.param({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}, id="plain lists are replaced"),
        pytest.param(
            {"tolerations": [{"key": "a"}]},
            {"tolerations": [{"key": "b"}]},
            {"tolerations": [{"key": "b"}]},
            id="lists without a merge key are replaced",
        ),
        pytest.param(
            {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
            {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}},
            {"strategy": {"type": "Recreate"}},
            id="retains only the named keys",
        ),
        pytest.param(
            {"selector": {"a": "1"}},
            {"selector": {"$patch": "replace", "b": "2"}},
            {"selector": {"b": "2"}},
            id="map",
        ),
        pytest.param(
            {"finalizers": ["a", "b"]},
            {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]},
            {"finalizers": ["b", "c"]},
            id="primitive lists that merge",
        ),
    ],
)
def test_a_strategic_merge_patch_follows_the_merge_keys(
    current: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    """Lists of objects merge by their type's key, and directives order, delete and replace."""
    before = repr(current)
    assert strategically_merged(current, patch) == result
    assert repr(current) == before


def test_a_list_item_without_its_merge_key_is_refused() -> None:
    """The patch names the missing key, in the real server's words and with its code."""
    with pytest.raises(ApiError) as refused:
        strategically_merged({"containers": []}, {"containers": [{"image": "x"}]})
    assert (refused.value.code, str(refused.value)) == (
        500,
        "map: map[image:x] does not contain declared merge key: name",
    )


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([{"op": "add", "path": "/b", "value": 2}], {"a": [1, 2], "b": 2}),
        ([{"op": "add", "path": "/a/0", "value": 0}], {"a": [0, 1, 2]}),
        ([{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, 2, 3]}),
        ([{"op": "replace", "path": "/a", "value": {"x~/y": 1}}], {"a": {"x~/y": 1}}),
        ([{"op": "replace", "path": "/a/1", "value": 9}], {"a": [1, 9]}),
        ([{"op": "remove", "path": "/a/0"}], {"a": [2]}),
        ([{"op": "copy", "from": "/a/1", "path": "/c"}], {"a": [1, 2], "c": 2}),
        ([{"op": "move", "from": "/a", "path": "/c"}], {"c": [1, 2]}),
        ([{"op": "test", "path": "/a/0", "value": 1}, {"op": "remove", "path": "/a"}], {}),
        ([{"op": "add", "path": "/x~1y", "value": 1}], {"a": [1, 2], "x/y": 1}),
        ([{"op": "replace", "path": "", "value": {"z": 1}}], {"z": 1}),
    ],
)
def test_a_json_patch_applies_its_operations_in_order(
    operations: list[dict[str, Any]], result: dict[str, Any]
) -> None:
    """The six operations of RFC 6902, with its pointers."""
    assert json_patched({"a": [1, 2]}, operations) == result


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ([{"op": "test", "path": "/a/0", "value": 7}], 422),
        ([{"op": "remove", "path": "/missing"}], 422),
        ([{"op": "replace", "path": "/a/9", "value": 1}], 422),
        ([{"op": "add", "path": "/missing/b", "value": 1}], 422),
        ([{"op": "shuffle", "path": "/a"}], 400),
        ([{"op": "add"}], 400),
        ({"a": 1}, 400),
    ],
)
def test_a_json_patch_that_does_not_apply_is_refused_whole(operations: Any, code: int) -> None:
    """A failed test or a missing path is 422; nonsense is 400; the object stays as it was."""
    current = {"a": [1, 2]}
    with pytest.raises(ApiError) as refused:
        json_patched(current, operations)
    assert refused.value.code == code
    assert current == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("current", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_follows_rfc_7386(
    current: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    """The examples of the RFC's appendix that hold objects."""
    assert merge_patched(current, patch) == result


_JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(st.sampled_from("abcd"), _JSON, max_size=4)


@given(_OBJECTS, _OBJECTS)
def test_a_merge_patch_applied_twice_changes_nothing_more(
    current: dict[str, Any], patch: dict[str, Any]
) -> None:
    """Merge patches are idempotent, which is what makes a repeated write harmless."""
    once = merge_patched(current, patch)
    assert merge_patched(once, patch) == once
