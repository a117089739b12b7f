"""A roll back goes to the newest revision that was healthy and differs in what fails, or is not possible."""

from typing import Any

import pytest

from runbook.kubernetes.patches import RESTART_ANNOTATION
from runbook.kubernetes.revision_choice import EarlierRevision, choose_revision, differs_in_what_fails


def revision(number: int, **seen: Any) -> EarlierRevision:
    """An earlier revision; nothing is known of it but what is said."""
    return EarlierRevision(name=str(number), mark=f"mark-{number}", **seen)


SERVES: dict[str, Any] = {"pods": 2, "ready": 2}
STUCK: dict[str, Any] = {"pods": 1}
SAME: dict[str, Any] = {"differs": False}


@pytest.mark.parametrize(
    ("earlier", "chosen", "because"),
    [
        ([revision(2)], 2, "none of its pods is left"),
        ([revision(2, **SERVES)], 2, "2 of its pods are ready now"),
        ([revision(2, pods=2, ready=1)], 2, "1 of its pods is ready now"),
        ([revision(3), revision(2, **SERVES), revision(1)], 2, "2 of its pods"),  # two bad deploys
        ([revision(3, **STUCK), revision(2, **SERVES)], 2, "2 of its pods"),
        ([revision(3, **SAME), revision(2, **SERVES)], 2, "2 of its pods"),  # a restart of the bad one
        ([revision(3, **SAME), revision(2), revision(1)], 2, "none of its pods is left"),
        ([revision(3, **STUCK), revision(2)], 2, "none of its pods is left"),
        ([revision(3, crashed=True), revision(2)], 2, "none of its pods is left"),
        ([revision(3), revision(2, finished=True)], 2, "its rollout was the last one to finish"),
        # it was finished, and then it crashed as the newest does
        ([revision(3, **SAME, **STUCK, finished=True), revision(2)], 2, "none of its pods is left"),
        ([revision(2, **SAME)], None, "revision 2: it is the same in what fails"),
        ([revision(2, **STUCK)], None, "revision 2: none of its pods is ready"),
        ([revision(2, crashed=True)], None, "revision 2: its pods crashed"),
        # the very same serves elsewhere: no revision is at fault, and an older one is a guess
        ([revision(2, **SAME, **SERVES), revision(1)], None, "revision 2: it is the same in what fails"),
    ],
)
def test_the_newest_healthy_revision_that_differs_is_chosen(
    earlier: list[EarlierRevision], chosen: int | None, because: str
) -> None:
    """What is ready was healthy; what came after it never finished; what is unknown comes last."""
    choice = choose_revision(earlier)
    assert choice.mark == (f"mark-{chosen}" if chosen else "")
    assert because in choice.because


def test_the_revisions_that_are_passed_over_are_told_with_the_reason() -> None:
    """An approver sees why it is not the one before."""
    choice = choose_revision([revision(4, **SAME), revision(3), revision(2, **SERVES)])
    assert choice.passed_over == (
        "revision 4: it is the same in what fails",
        "revision 3: its rollout never finished",
    )


def template(*, image: str = "app:1", proxy: str = "proxy:1", **more: Any) -> dict[str, Any]:
    """A pod template of two containers and an init container."""
    environment = [{"name": "MODE", "value": more.pop("mode", "fast")}]
    return {
        "metadata": {"labels": {"app": "x"}, "annotations": more.pop("annotations", {})},
        "spec": {
            "containers": [
                {"name": "app", "image": image, "env": environment},
                {"name": "proxy", "image": proxy},
            ],
            "initContainers": [{"name": "setup", "image": "setup:1"}],
            **more,
        },
    }


CRASH, PULL = {"app": {"CrashLoopBackOff"}}, {"app": {"ImagePullBackOff"}}


@pytest.mark.parametrize(
    ("other", "failing", "differs"),
    [
        (template(), CRASH, False),
        (template(annotations={RESTART_ANNOTATION: "2026-11-22T15:00:00Z"}), {}, False),
        (template(annotations={RESTART_ANNOTATION: "2026-11-22T15:00:00Z"}), CRASH, False),
        (template(image="app:2"), CRASH, True),
        (template(mode="slow"), CRASH, True),
        (template(volumes=[{"name": "data"}]), CRASH, True),
        (template(proxy="proxy:2"), CRASH, False),
        (template(proxy="proxy:2"), {"proxy": {"Error"}}, True),
        (template(proxy="proxy:2"), {}, True),
        (template(image="app:2"), PULL, True),
        (template(mode="slow"), PULL, False),  # the same image cannot be pulled
        (template(imagePullSecrets=[{"name": "registry"}]), PULL, True),
        (template(mode="slow"), {"app": {"SignatureValidationFailed"}}, False),
        (template(mode="slow"), {"app": {"ImageInspectError", "RegistryUnavailable"}}, False),
        (template(mode="slow"), {"app": {"PostStartHookError"}}, True),
        (template(mode="slow"), {"app": {"ImagePullBackOff", "Error"}}, True),
        (template(image="app:2"), {"setup": {"Error"}}, False),
        (template(initContainers=[]), {"setup": {"Error"}}, True),
        (template(annotations={"inject": "no"}), {"istio-proxy": {"Error"}}, True),  # of no template
    ],
)
def test_templates_are_compared_in_what_fails(
    other: dict[str, Any], failing: dict[str, set[str]], differs: bool
) -> None:
    """In the failing containers and what the pod gives them; where none is known, in all but restarts."""
    assert differs_in_what_fails(template(), other, failing) is differs
    assert differs_in_what_fails(other, template(), failing) is differs
