"""Which revision a roll back goes to: the newest that was healthy and differs in what fails.

The revision before the newest is often no better: somebody has restarted a bad one, which makes another
revision of it, or has deployed twice.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from runbook.kubernetes.patches import RESTART_ANNOTATION
from runbook.kubernetes.waiting_reasons import IMAGE_REASONS
from runbook.value import Value

_OF_PULLING = ("image", "imagePullPolicy")

Template = Mapping[str, Any]


class EarlierRevision(Value):
    """A revision before the newest, as the cluster shows it now.

    `pods` are its living pods, of which `ready` are ready. `finished` is what the controller itself notes as
    the last revision whose rollout finished: its pods were all ready then. `crashed` says that pods of it
    were seen to crash lately, and `differs` that it is another one in what fails now.
    """

    name: str
    mark: str
    pods: int = 0
    ready: int = 0
    finished: bool = False
    crashed: bool = False
    differs: bool = True

    @property
    def was_healthy(self) -> bool:
        """Whether the cluster shows that it was; nothing is known of one whose pods are long gone."""
        return self.ready > 0 or (self.finished and not self.pods)


class RevisionChoice(Value):
    """The mark of the chosen revision, empty where there is none; why this one or none; why not others."""

    mark: str = ""
    because: str
    passed_over: tuple[str, ...] = ()


def choose_revision(earlier: Sequence[EarlierRevision]) -> RevisionChoice:
    """The newest revision that was healthy and differs in what fails; `earlier` has the newest first.

    As long as one still serves, the rollout of none after it has finished: a controller takes away the pods
    of older revisions before that. One of which nothing is known is taken where none is known to be healthy.
    """
    healthy = next((place for place, item in enumerate(earlier) if item.was_healthy), None)
    against: list[str] = []
    for place, item in enumerate(earlier):
        if healthy is not None and place > healthy:
            break  # what serves is the same in what fails, so no revision is at fault
        if why := _against(item, unfinished=healthy is not None and place < healthy):
            against.append(f"revision {item.name}: {why}")
            continue
        return RevisionChoice(mark=item.mark, because=_for(item), passed_over=tuple(against))
    none = "no earlier revision is known to differ in what fails"
    return RevisionChoice(because=f"{none} ({'; '.join(against)})", passed_over=tuple(against))


def why_kept(*, available: int, before: int | None) -> str:
    """Why a roll back that did not help stays all the same; empty where it has made it worse.

    It replaced a revision whose pods failed: to put that one back cures nothing. The numbers are pods that
    serve; how many did before is not known of a roll back of an earlier release.
    """
    if before is None:
        return "it replaced one that failed, and it is not known whether it is worse"
    if available < before:
        return ""
    return (
        "it replaced a failed revision, and is not worse "
        f"({available} pods available, {before} before the roll back)"
    )


def _for(item: EarlierRevision) -> str:
    if item.ready:
        return f"{item.ready} of its pods {'is' if item.ready == 1 else 'are'} ready now"
    if item.finished:
        return "its rollout was the last one to finish"
    return "none of its pods is left, so it is not known whether it was healthy"


def _against(item: EarlierRevision, *, unfinished: bool) -> str:
    if not item.differs:
        return "it is the same in what fails"
    if unfinished:
        return "its rollout never finished"
    if item.was_healthy:
        return ""
    if item.pods:
        return "none of its pods is ready"
    return "its pods crashed" if item.crashed else ""


def differs_in_what_fails(one: Template, other: Template, failing: Mapping[str, Collection[str]]) -> bool:
    """Whether two pod templates are different in the containers that fail; `failing` has why each waits.

    Where only pulling the image fails, only what pulls it counts. Where no container of the templates is
    known to fail, everything counts but the time of a restart.
    """
    names = [name for name in failing if _container(one, name) or _container(other, name)]
    if not names:
        return _without_restart(one) != _without_restart(other)
    if all(set(failing[name]) and set(failing[name]) <= IMAGE_REASONS for name in names):
        return any(_pulling(one, name) != _pulling(other, name) for name in names)
    return _around(one, names) != _around(other, names)


def _container(template: Template, name: str) -> Mapping[str, Any] | None:
    spec = template["spec"]
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return next((item for item in containers if item["name"] == name), None)


def _pulling(template: Template, name: str) -> list[Any]:
    container, spec = _container(template, name) or {}, template["spec"]
    rights = [spec.get("imagePullSecrets") or [], spec.get("serviceAccountName")]
    return [*(container.get(field) for field in _OF_PULLING), *rights]


def _around(template: Template, names: Collection[str]) -> list[Any]:
    """These containers, and what the pod gives to all."""
    pod = {key: value for key, value in template["spec"].items() if not key.lower().endswith("containers")}
    return [pod, *(_container(template, name) for name in names)]


def _without_restart(template: Template) -> list[Any]:
    metadata = template.get("metadata") or {}
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(RESTART_ANNOTATION, None)
    return [annotations, metadata.get("labels") or {}, template["spec"]]
