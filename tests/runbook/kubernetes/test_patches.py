"""Changes of the workload are the requests that `kubectl` would send, and can be recognised afterwards."""

from datetime import UTC, datetime
from typing import Any

import pytest

from runbook.kubernetes.patches import (
    EFFECT_ANNOTATION,
    container_named,
    last_effect,
    main_container,
    restarted,
    spec_patch,
    why_this_container,
)

EFFECT = "inc-1/1-enable-fallback"
WEB = {"name": "web", "image": "web:1"}
PROXY = {"name": "proxy"}


def deployment(*containers: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A Deployment with these containers."""
    return {
        "metadata": {"name": "posthog-integration", "uid": "d-1"} | metadata,
        "spec": {"template": {"spec": {"containers": list(containers)}}},
    }


@pytest.mark.parametrize(
    ("version", "bound_to"), [(None, {}), ("17", {"resourceVersion": "17"}), ("", {"resourceVersion": ""})]
)
def test_patch_notes_its_effect_outside_of_the_pod_template(
    version: str | None, bound_to: dict[str, str]
) -> None:
    """The note restarts no pod; with a resourceVersion the server takes the patch on that version only."""
    assert spec_patch({"replicas": 3}, effect_id=EFFECT, resource_version=version) == {
        "metadata": {"annotations": {EFFECT_ANNOTATION: EFFECT}} | bound_to,
        "spec": {"replicas": 3},
    }


def test_restart_is_a_time_in_the_pod_template() -> None:
    """`kubectl rollout restart`: RFC 3339 in whole seconds, the same for the same moment."""
    at = datetime(2026, 11, 22, 15, 0, 7, 900_000, tzinfo=UTC)
    annotations = {"kubectl.kubernetes.io/restartedAt": "2026-11-22T15:00:07Z"}
    assert restarted(at) == {"template": {"metadata": {"annotations": annotations}}}


def template(*containers: dict[str, Any], default: str = "") -> dict[str, Any]:
    """A pod template; `default` is what its annotation names."""
    annotations = {"kubectl.kubernetes.io/default-container": default} if default else {}
    return {"metadata": {"annotations": annotations}, "spec": {"containers": list(containers)}}


@pytest.mark.parametrize(
    ("given", "configured", "chosen", "why"),
    [
        (template(WEB), None, "web", ""),
        (
            template(WEB, PROXY),
            None,
            "web",
            "container web: the first of 2; if that is the wrong one, set [cluster] container",
        ),
        (template(PROXY, WEB), "web", "web", ""),
        (template(PROXY, WEB, default="web"), None, "web", "container web: the pod template's default-con"),
        (template(PROXY, WEB, default="gone"), None, "proxy", "container proxy: the first of 2"),
        (template(PROXY, WEB, default="web"), "proxy", "proxy", ""),
    ],
)
def test_the_integrations_container_is_configured_annotated_or_the_first(
    given: dict[str, Any], configured: str | None, chosen: str, why: str
) -> None:
    """A sidecar may come first; whoever approves reads which container is meant where that is a choice."""
    assert main_container(given, configured) == chosen
    assert why_this_container(given, configured).startswith(why)
    assert bool(why_this_container(given, configured)) is bool(why)


def test_configured_container_must_exist() -> None:
    """A typing error never changes another container; the message says what there is."""
    with pytest.raises(LookupError, match="no container 'wbe', only web, proxy"):
        main_container(template(WEB, PROXY), "wbe")


def test_container_is_found_by_its_name() -> None:
    """The whole container, or an error; never another one."""
    assert container_named(deployment(PROXY, WEB), "web") == WEB
    with pytest.raises(LookupError, match="the pod template has no container 'wbe'"):
        container_named(deployment(PROXY, WEB), "wbe")


@pytest.mark.parametrize(
    ("annotations", "noted"),
    [({EFFECT_ANNOTATION: EFFECT}, EFFECT), ({"other": "x"}, None), ({}, None), (None, None)],
)
def test_effect_is_read_back_from_the_object(annotations: dict[str, str] | None, noted: str | None) -> None:
    """The note on the object tells after a crash whether the change was made."""
    assert last_effect(deployment(WEB, annotations=annotations)) == noted
    assert last_effect({}) is None
