"""The imitated API server keeps who has set which field, as the real one does."""

from typing import Any

import pytest

from deployments.drill.cluster import Cluster
from deployments.drill.cluster.server.errors import ApiError
from runbook.kubernetes.fields import EnvironmentVariable, MemoryLimit, Replicas
from runbook.kubernetes.ownership import owners
from tests.drill.cluster_bench import APP, container, deployment

A, B = {"name": "A", "value": "1"}, {"name": "B", "value": "1"}
VARIABLE = EnvironmentVariable(container="app", variable="A")
LIMIT = MemoryLimit(container="app")


@pytest.fixture
def cluster() -> Cluster:
    """A cluster in which somebody has created the Deployment."""
    made = Cluster()
    made.apply(deployment(container(env=[A])), manager="kubectl-create")
    return made


def applied(*env: dict[str, str], **spec: Any) -> dict[str, Any]:
    """What a GitOps controller applies."""
    template = {"spec": {"containers": [{"name": "app", "env": list(env)}]}}
    metadata = {"name": APP}
    spec = {"template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def managers(cluster: Cluster, field: Any = VARIABLE) -> list[str]:
    """Who owns the field."""
    return [owner.manager for owner in owners(cluster.get("Deployment", APP), field.path)]


def value(cluster: Cluster) -> str | None:
    """The variable's value."""
    return VARIABLE.read(cluster.get("Deployment", APP))


def test_an_update_takes_over_what_it_changes_and_nothing_else(cluster: Cluster) -> None:
    """A field has the manager who changed it last; its neighbours keep theirs."""
    cluster.apply(applied({**A, "value": "2"}), manager="kubectl-patch")
    assert managers(cluster) == ["kubectl-patch"]
    assert managers(cluster, LIMIT) == ["kubectl-create"]
    assert managers(cluster, Replicas()) == ["kubectl-create"]


def test_an_apply_shares_what_it_does_not_change(cluster: Cluster) -> None:
    """Two managers of one field agree on its value."""
    cluster.apply_server_side(applied(A), manager="flux", force=False)
    assert sorted(managers(cluster)) == ["flux", "kubectl-create"]


def test_an_apply_is_refused_where_another_manager_has_set_another_value(cluster: Cluster) -> None:
    """The refusal names the manager and the field; forced, the field changes its owner."""
    changed = applied({**A, "value": "3"})
    with pytest.raises(ApiError) as refused:
        cluster.apply_server_side(changed, manager="flux", force=False)
    assert refused.value.code == 409
    assert refused.value.body["message"] == (
        'Apply failed with 1 conflict: conflict with "kubectl-create" using apps/v1: '
        '.spec.template.spec.containers[name="app"].env[name="A"].value'
    )
    cluster.apply_server_side(changed, manager="flux")
    assert managers(cluster) == ["flux"]
    assert value(cluster) == "3"


def test_an_apply_removes_what_it_alone_has_applied_and_names_no_more(cluster: Cluster) -> None:
    """What others own, too, or have changed since, stays."""
    cluster.apply_server_side(applied(A, B), manager="flux")
    cluster.apply_server_side(applied(), manager="flux")
    env = cluster.get("Deployment", APP)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env == [A]


def test_managed_fields_can_be_rewritten_and_are_kept_where_a_write_leaves_them_out(cluster: Cluster) -> None:
    """An update that changes nothing else bumps no generation."""
    before = cluster.get("Deployment", APP)
    entries = [{**entry, "manager": "other"} for entry in before["metadata"]["managedFields"]]
    cluster.apply({"kind": "Deployment", "metadata": {"name": APP, "managedFields": entries}})
    after = cluster.get("Deployment", APP)
    assert managers(cluster) == ["other"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    cluster.apply({"kind": "Deployment", "metadata": {"name": APP, "managedFields": None}})
    assert managers(cluster) == ["other"]


def test_fields_are_written_as_the_real_server_writes_them(cluster: Cluster) -> None:
    """Items of a list by their key, with themselves as a dot; a selector has one owner as a whole."""
    (entry,) = cluster.get("Deployment", APP)["metadata"]["managedFields"]
    spec = entry["fieldsV1"]["f:spec"]
    assert spec["f:selector"] == {}
    item = spec["f:template"]["f:spec"]["f:containers"]['k:{"name":"app"}']
    assert item["."] == {}
    assert item["f:env"]['k:{"name":"A"}'] == {".": {}, "f:name": {}, "f:value": {}}
    assert item["f:resources"]["f:limits"]["f:memory"] == {}
    assert (entry["operation"], entry["fieldsType"], entry["apiVersion"]) == ("Update", "FieldsV1", "apps/v1")
