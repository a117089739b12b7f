"""Who applies an object is known before it is changed, and who has set a field after that."""

from typing import Any

import pytest

from runbook.kubernetes.fields import EnvironmentVariable, Setting
from runbook.kubernetes.keepers import foretold, git_patch
from runbook.kubernetes.ownership import (
    FIELD_MANAGER,
    FieldOwner,
    handed_over,
    is_ours,
    last_written,
    owners,
    without_contents,
)

SWITCH = EnvironmentVariable(container="app", variable="MODE")
APP, VARIABLE = 'k:{"name":"app"}', 'k:{"name":"MODE"}'


def entry(manager: str, operation: str = "Update", *, owns: bool = True, at: int = 0, **more: Any) -> Any:
    """An entry of managedFields: the variable, or only the number of pods."""
    value: dict[str, Any] = {
        "f:template": {"f:spec": {"f:containers": {APP: {"f:env": {VARIABLE: {"f:value": {}}}}}}}
    }
    fields = {"f:spec": value if owns else {"f:replicas": {}}}
    time = f"2026-11-22T15:00:{at:02}Z"
    return {"manager": manager, "operation": operation, "time": time, "fieldsV1": fields, **more}


def workload(*entries: Any, **metadata: Any) -> dict[str, Any]:
    """A Deployment with these managers."""
    return {"kind": "Deployment", "metadata": {"name": "shop", "managedFields": list(entries), **metadata}}


FLUX = {
    "kustomize.toolkit.fluxcd.io/name": "apps",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
}
HELM = {"helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": "shop"}
TRACKING = {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/shop"}
OWNER = {"kind": "Shop", "name": "eu", "controller": True, "uid": "1"}
MAY = "applies this object and may revert the change at any time: change it in Git, too"


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (workload(), ()),
        (workload(entry("kubectl-create")), ()),
        (workload(entry("kube-controller-manager", subresource="status")), ()),
        (workload(labels=FLUX), (f"Flux (Kustomization flux-system/apps) {MAY}",)),
        (workload(labels=HELM), (f"Flux (HelmRelease shop/shop) {MAY}",)),
        (workload(annotations=TRACKING), (f"Argo CD (Application shop) {MAY}",)),
        (workload(labels={"argocd.argoproj.io/instance": "a"}), (f"Argo CD (Application a) {MAY}",)),
        (workload(entry("argocd-controller")), (f"Argo CD (argocd-controller) {MAY}",)),
        (workload(entry("kustomize-controller", "Apply")), (f"Flux (kustomize-controller) {MAY}",)),
        (
            workload(entry("kustomize-controller", "Apply", owns=False), labels=FLUX),
            (
                "Flux (Kustomization flux-system/apps) applies this object, but not this "
                "field, and should keep the change; add it to Git, too",
            ),
        ),
        (
            workload(ownerReferences=[OWNER]),
            ("Shop eu owns this object and may revert the change at any time: change it there, too",),
        ),
        (workload(ownerReferences=[{**OWNER, "controller": False}]), ()),
        (
            workload(entry("kubectl-client-side-apply")),
            (
                "kubectl (kubectl-client-side-apply) has set this: its next run restores its own value; "
                "change it there, too",
            ),
        ),
        (workload(entry("kubectl-client-side-apply", owns=False)), ()),
        (workload(entry("kubectl", "Apply", owns=False)), ()),
    ],
)
def test_whoever_applies_an_object_is_foretold(obj: dict[str, Any], expected: tuple[str, ...]) -> None:
    """By what the tools write on it, else by the names of its managers; nobody is made up."""
    assert foretold(obj, SWITCH.path) == expected


def test_a_server_side_apply_that_will_conflict_is_foretold() -> None:
    """The team learns of the conflict before it meets it, and what to do about it."""
    (line,) = foretold(workload(entry("kubectl", "Apply")), SWITCH.path)
    assert f"its next apply conflicts with {FIELD_MANAGER}" in line
    assert "--force-conflicts" in line


@pytest.mark.parametrize(
    "metadata",
    [
        {"ownerReferences": [{"kind": "ExternalSecret", "name": "keys", "controller": True}]},
        {"labels": {"reconcile.external-secrets.io/managed": "true"}},
        {"managedFields": [{"manager": "externalsecrets.external-secrets.io/keys", "fieldsV1": {}}]},
    ],
)
def test_a_secret_that_is_written_from_a_store_is_foretold(metadata: dict[str, Any]) -> None:
    """The key has to be changed where it comes from."""
    (line,) = foretold({"metadata": metadata}, ("f:data", "f:api-key"))
    assert line.startswith("External Secrets")
    assert line.endswith("change it in its store, too")


def test_who_has_set_a_field_is_its_newest_other_owner() -> None:
    """Not we, nobody who wrote the status, and nobody who wrote something else later."""
    ours, flux = entry(FIELD_MANAGER, at=2), entry("kustomize-controller", "Apply", at=5)
    status = entry("kube-controller-manager", at=9, subresource="status")
    later = entry("kubectl-edit", at=8, owns=False)
    found = last_written(workload(entry("kubectl", at=1), ours, flux, status, later), SWITCH.path)
    assert str(found) == "Flux (kustomize-controller) at 15:00:05 UTC"


def test_who_has_removed_a_field_is_who_wrote_after_us() -> None:
    """Nobody owns what is not there. Where nobody has written since, it is not known who it was."""
    ours = entry(FIELD_MANAGER, at=5, owns=False)
    early, late = entry("kubectl-edit", at=3, owns=False), entry("helm", at=7, owns=False)
    assert last_written(workload(ours, early, late), SWITCH.path).by == "Helm (helm)"
    assert last_written(workload(ours, early), SWITCH.path).by == "somebody"
    assert last_written(workload(), SWITCH.path).by == "somebody"


def test_the_keys_of_items_may_be_written_in_another_way() -> None:
    """They are JSON."""
    spaced = entry("kubectl")
    containers = spaced["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    containers['k:{ "name" : "app" }'] = containers.pop(APP)
    assert owners(workload(spaced), SWITCH.path) == (FieldOwner(manager="kubectl"),)


@pytest.mark.parametrize("known", [True, False])
def test_a_field_is_handed_over_whole_and_nothing_else_is(known: bool) -> None:
    """Also to an owner who had nothing left; what else we own stays ours."""
    ours = entry(FIELD_MANAGER)
    ours["fieldsV1"]["f:metadata"] = {"f:annotations": {"f:note": {}}}
    team = [entry("kubectl", "Apply", owns=False)] if known else []
    before = workload(*team, ours)
    after = workload(*handed_over(before, SWITCH.path, [FieldOwner(manager="kubectl", operation="Apply")]))

    assert not is_ours(after, SWITCH.path)
    assert is_ours(after, ("f:metadata", "f:annotations", "f:note"))
    assert owners(after, SWITCH.path) == (FieldOwner(manager="kubectl", operation="Apply"),)
    assert bool(owners(after, ("f:spec", "f:replicas"))) is known
    assert is_ours(before, SWITCH.path)


def test_the_patch_for_git_says_which_object_it_is_of() -> None:
    """Kustomize finds the object by its kind and its name."""
    assert git_patch(workload(), Setting(field=SWITCH, value="queue")).splitlines() == [
        "apiVersion: apps/v1",
        "kind: Deployment",
        "metadata:",
        "  name: shop",
        "spec:",
        "  template:",
        "    spec:",
        "      containers:",
        "      - name: app",
        "        env:",
        "        - name: MODE",
        "          value: queue",
    ]


def test_a_copy_of_the_contents_is_left_out() -> None:
    """kubectl keeps all that was applied in an annotation, a Secret's values too."""
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": "{}", **TRACKING}
    kept = {"name": "s", "annotations": TRACKING}
    assert without_contents({"name": "s", "annotations": annotations}) == kept
