"""A field of the workload is read, set and put back without touching anything else."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.drill.cluster.writes.strategic_merge import strategically_merged
from runbook.kubernetes.fields import EnvironmentVariable, Field, MemoryLimit, Replicas

Workload = dict[str, Any]

VARIABLES = ("POSTHOG_FALLBACK", "RATE_LIMIT_MODE", "POSTHOG_HOST", "LEVEL")
AMOUNTS = st.sampled_from(["128Mi", "256Mi", "1Gi", "1G", "129e6"])
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


def entry(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """An environment variable, set by a value (or by none) or from a reference."""
    reference = {"configMapKeyRef": {"name": "c", "key": name}}
    return st.one_of(
        VALUES.map(lambda value: {"name": name, "value": value}),
        st.just({"name": name}),
        st.just({"name": name, "valueFrom": reference}),
    )


def variables() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Some variables, in any order."""
    some = st.lists(st.sampled_from(VARIABLES), unique=True)
    return some.flatmap(lambda names: st.tuples(*(entry(name) for name in names)).map(list))


def amounts() -> st.SearchStrategy[dict[str, str]]:
    """Limits or requests, with or without one of memory."""
    return st.fixed_dictionaries({}, optional={"cpu": st.just("500m"), "memory": AMOUNTS})


def container(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """A container with any environment and any resources, or without."""
    resources = st.fixed_dictionaries({}, optional={"limits": amounts(), "requests": amounts()})
    port = st.just([{"containerPort": 8080}])
    return st.fixed_dictionaries(
        {"name": st.just(name), "image": st.just(f"{name}:1")},
        optional={"env": variables(), "resources": resources, "ports": port},
    )


def workloads() -> st.SearchStrategy[Workload]:
    """Deployments of several containers and init containers."""
    pod = st.fixed_dictionaries(
        {"containers": st.permutations(["web", "proxy"]).flatmap(containers)},
        optional={"initContainers": containers(["migrate"]), "volumes": st.just([{"name": "v"}])},
    )
    template = st.fixed_dictionaries({"metadata": st.just({"labels": {"app": "x"}}), "spec": pod})
    spec = st.fixed_dictionaries({"template": template}, optional={"replicas": st.integers(0, 9)})
    return st.fixed_dictionaries({"spec": spec})


def containers(names: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Containers of these names."""
    return st.tuples(*(container(name) for name in names)).map(list)


def patched(workload: Workload, field: Field, value: str | None) -> Workload:
    """The workload after the field's patch, as the API server merges it."""
    return strategically_merged(workload, {"spec": field.spec(value)})


def stored(value: Any) -> Any:
    """What is left of an object once the API server has decoded it: empty and unset are the same there."""
    if isinstance(value, dict):
        kept = {key: stored(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, "", [], {})}
    return [stored(item) for item in value] if isinstance(value, list) else value


def comes_from_a_reference(workload: Workload, field: EnvironmentVariable) -> bool:
    """Whether the variable has a `valueFrom`."""
    return any(
        "valueFrom" in item
        for one in workload["spec"]["template"]["spec"]["containers"]
        for item in one.get("env", [])
        if (one["name"], item["name"]) == (field.container, field.variable)
    )


NAMES = st.sampled_from(["web", "proxy"])
SWITCHES = st.builds(EnvironmentVariable, container=NAMES, variable=st.sampled_from(VARIABLES))


@given(workload=workloads(), field=SWITCHES, value=st.none() | VALUES)
def test_variable_is_set_and_put_back_to_the_letter(
    workload: Workload, field: EnvironmentVariable, value: str | None
) -> None:
    """Whether it was there or not: after the undo the pod template is the one before, so pods keep theirs.

    Only a variable that was removed comes back in another place, as the last one.
    """
    if comes_from_a_reference(workload, field):
        with pytest.raises(LookupError, match="set from a reference"):
            field.read(workload)
        return
    before = field.read(workload)
    after = patched(workload, field, value)
    assert field.read(after) == value
    undone = patched(after, field, before)
    if before is not None and value is None:
        assert stored(patched(undone, field, None)) == stored(after)
        workload, undone = in_order(workload), in_order(undone)
    assert stored(undone) == stored(workload)


def in_order(workload: Workload) -> Workload:
    """The workload with each environment in the order of its names."""
    ordered = deepcopy(workload)
    for one in ordered["spec"]["template"]["spec"]["containers"]:
        one.get("env", []).sort(key=lambda item: item["name"])
    return ordered


@given(workload=workloads(), field=st.builds(MemoryLimit, container=NAMES), value=st.none() | AMOUNTS)
def test_memory_limit_is_set_and_put_back_to_the_letter(
    workload: Workload, field: MemoryLimit, value: str | None
) -> None:
    """Present or absent before: the template after the undo is the one before, requests and all."""
    before = field.read(workload)
    after = patched(workload, field, value)
    assert field.read(after) == value
    assert stored(patched(after, field, before)) == stored(workload)


@given(workload=workloads(), value=st.integers(0, 20))
def test_number_of_pods_is_set_and_put_back(workload: Workload, value: int) -> None:
    """The pod template is never touched; a number that was not given is Kubernetes' default of one."""
    field = Replicas()
    before = field.read(workload)
    after = patched(workload, field, str(value))
    assert field.read(after) == str(value)
    assert after["spec"]["template"] == workload["spec"]["template"]
    undone = patched(after, field, before)
    assert undone["spec"] == {"replicas": 1} | workload["spec"]


@given(workload=workloads(), field=SWITCHES, value=VALUES)
def test_setting_a_variable_changes_nothing_else(
    workload: Workload, field: EnvironmentVariable, value: str
) -> None:
    """With this one variable taken out, the workload before and after are the same."""
    after = patched(workload, field, value)
    assert stored(patched(after, field, None)) == stored(patched(workload, field, None))


@pytest.mark.parametrize(
    ("field", "value", "spec"),
    [
        (
            EnvironmentVariable(container="web", variable="A"),
            "",
            {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "A", "value": ""}]}]}}},
        ),
        (
            EnvironmentVariable(container="web", variable="A"),
            None,
            {
                "template": {
                    "spec": {"containers": [{"name": "web", "env": [{"name": "A", "$patch": "delete"}]}]}
                }
            },
        ),
        (
            MemoryLimit(container="web"),
            "1Gi",
            {
                "template": {
                    "spec": {"containers": [{"name": "web", "resources": {"limits": {"memory": "1Gi"}}}]}
                }
            },
        ),
        (Replicas(), "3", {"replicas": 3}),
        (Replicas(), None, {"replicas": None}),
    ],
)
def test_patch_names_the_field_alone(field: Field, value: str | None, spec: dict[str, Any]) -> None:
    """What `kubectl set env`, `set resources` and `scale` would send; lists are merged by name."""
    assert field.spec(value) == spec


WEB = {
    "name": "web",
    "env": [
        {"name": "POSTHOG_FALLBACK", "value": "true"},
        {"name": "EMPTY"},
        {"name": "REFERENCE", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    ],
    "resources": {"limits": {"memory": "256Mi"}},
}
PROXY = {"name": "proxy", "env": [{"name": "RATE_LIMIT_MODE", "value": "queue"}]}
BARE = {"name": "bare"}
EXPLICIT_NULL = {"name": "null", "env": None, "resources": None}
WORKLOAD = {
    "spec": {
        "template": {
            "spec": {"containers": [WEB, PROXY, BARE, EXPLICIT_NULL], "initContainers": [{"name": "init"}]}
        }
    }
}


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
def test_variable_is_read_from_its_own_container(container: str, variable: str, value: str | None) -> None:
    """An unset variable is `None`; one that is set to nothing is empty."""
    assert EnvironmentVariable(container=container, variable=variable).read(WORKLOAD) == value


def test_variable_from_a_reference_is_not_ours_to_set() -> None:
    """A value that lives elsewhere would not be changed by setting it here."""
    with pytest.raises(LookupError, match=r"REFERENCE is set from a reference \(valueFrom\)"):
        EnvironmentVariable(container="web", variable="REFERENCE").read(WORKLOAD)


@pytest.mark.parametrize(
    ("container", "limit"), [("web", "256Mi"), ("proxy", None), ("bare", None), ("null", None)]
)
def test_memory_limit_is_read_from_its_own_container(container: str, limit: str | None) -> None:
    """A container without a limit has none, whatever the others have."""
    assert MemoryLimit(container=container).read(WORKLOAD) == limit


@pytest.mark.parametrize("name", ["wbe", "init"])
@pytest.mark.parametrize(
    "kind", [MemoryLimit, lambda container: EnvironmentVariable(container=container, variable="A")]
)
def test_container_that_is_not_there_is_an_error(kind: Any, name: str) -> None:
    """A patch for it would make a new, broken container; an init container is none that serves."""
    with pytest.raises(LookupError, match=f"the pod template has no container '{name}'"):
        kind(container=name).read(WORKLOAD)


def test_fields_are_told_apart_by_their_names() -> None:
    """The names are what the journal keeps the former values under."""
    fields = (EnvironmentVariable(container="web", variable="A"), MemoryLimit(container="web"), Replicas())
    assert [field.name for field in fields] == ["env A of web", "memory limit of web", "replicas"]
