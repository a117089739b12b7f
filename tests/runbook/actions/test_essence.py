"""A change in one line, and the lines of its diff that matter."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.catalogue import ChangePlan
from runbook.actions.essence import (
    FOLDED_FROM,
    FORM_COLUMNS,
    SHOWN_LINES,
    decisive_lines,
    essence,
    folded,
    for_a_form,
)
from runbook.kubernetes.changed_fields import changed_fields
from runbook.kubernetes.diff import manifest_text, unified_diff
from runbook.kubernetes.fields import EnvironmentVariable, MemoryLimit, Replicas, Setting
from tests.runbook.journals import FALLBACK, PLAN

RESTARTED = {"kubectl.kubernetes.io/restartedAt": "2026-11-28T18:55:27Z"}
EFFECT = {"incident-runbook/effect": "inc-1/1-enable-fallback"}


def workload(
    *, image: str = "integration:1", memory: str = "256Mi", replicas: int = 2, **env: str
) -> dict[str, Any]:
    """A workload with such pods."""
    container = {
        "name": "app",
        "image": image,
        "env": [
            *({"name": name, "value": value} for name, value in env.items()),
            {"name": "Z", "value": "z"},
        ],
        "resources": {"limits": {"memory": memory}},
    }
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container]}}
    return {
        "kind": "Deployment",
        "metadata": {"name": "x"},
        "spec": {"replicas": replicas, "template": template},
    }


def restarted(item: dict[str, Any]) -> dict[str, Any]:
    """The workload with the annotations of a restart."""
    template = item["spec"]["template"] | {"metadata": {"labels": {"app": "x"}, "annotations": RESTARTED}}
    return item | {
        "metadata": {"name": "x", "annotations": EFFECT},
        "spec": item["spec"] | {"template": template},
    }


def plan(live: dict[str, Any], after: dict[str, Any] | None, **fields: Any) -> ChangePlan:
    """The plan of this change."""
    diff = unified_diff(live, after, name="default/deployment/x")
    return ChangePlan(action=FALLBACK, diff=diff, live=manifest_text(live), **fields)


SWITCH = EnvironmentVariable(container="app", variable="POSTHOG_FALLBACK")
MEMORY = MemoryLimit(container="app")
SET = plan(
    workload(),
    workload(POSTHOG_FALLBACK="true"),
    setting=Setting(field=SWITCH, value="true"),
    before={SWITCH.name: None},
)
CHANGED_SECRET = unified_diff(
    {"kind": "Secret", "data": {"api-key": "b25lLWtleS1vZi1wb3N0aG9n"}},
    {
        "kind": "Secret",
        "data": {"api-key": "YW5vdGhlci1rZXktb2YtcG9zdGhvZw==", "old": "b25lLWtleS1vZi1wb3N0aG9n"},
    },
    name="Secret posthog",
)


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (SET, "env POSTHOG_FALLBACK: unset → true on 2 pods"),
        (
            SET.model_copy(update={"before": {SWITCH.name: "false"}}),
            "env POSTHOG_FALLBACK: false → true on 2 pods",
        ),
        (
            SET.model_copy(
                update={"before": {SWITCH.name: "true"}, "setting": Setting(field=SWITCH, value=None)}
            ),
            "env POSTHOG_FALLBACK: true → unset on 2 pods",
        ),
        (SET.model_copy(update={"live": ""}), "env POSTHOG_FALLBACK: unset → true"),
        (
            plan(
                workload(replicas=1),
                workload(replicas=1, memory="512Mi"),
                setting=Setting(field=MEMORY, value="512Mi"),
                before={MEMORY.name: "256Mi"},
            ),
            "memory limit: 256Mi → 512Mi on 1 pod",
        ),
        (
            plan(
                workload(),
                workload(replicas=3),
                setting=Setting(field=Replicas(), value="3"),
                before={"replicas": "2"},
            ),
            "replicas: 2 → 3",
        ),
        (
            plan(workload(image="integration:2"), workload(), to_revision="3"),
            "revision 3: image of app: integration:2 → integration:1 on 2 pods",
        ),
        (
            plan(workload(A="1", B="2"), workload(A="2", memory="1Gi")),
            "env A: 1 → 2; env B: 2 → unset, and 1 more on 2 pods",
        ),
        (plan(workload(), restarted(workload())), "restart of 2 pods"),
        (plan(workload(), None), "delete default/deployment/x"),
        (ChangePlan(action=FALLBACK, diff=CHANGED_SECRET), "api-key: changed; old: set"),
        (SET.model_copy(update={"blocked": "paused"}), ""),
        (SET.model_copy(update={"in_place": "on already"}), ""),
        (ChangePlan(action=FALLBACK), ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_is_said_in_one_line(made: ChangePlan, line: str) -> None:
    """What is changed, from what, to what, on how many pods."""
    assert essence(made) == line


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_a_value_is_the_essence_is_one_line_of_bounded_length(before: str, after: str) -> None:
    """A value from the cluster cannot make it longer or add a line."""
    update = {"before": {SWITCH.name: before}, "setting": Setting(field=SWITCH, value=after)}
    line = essence(SET.model_copy(update=update))
    assert line.startswith("env POSTHOG_FALLBACK:")
    assert len(line.splitlines()) == 1
    assert len(line) <= 170


VALUES = st.dictionaries(st.sampled_from("ABCDEFGH"), st.sampled_from(["1", "true", "a b"]), max_size=8)


@given(VALUES, VALUES)
def test_no_variable_is_said_to_change_otherwise_than_it_does(
    before: dict[str, str], after: dict[str, str]
) -> None:
    """However the lines of a diff fall: a value that stays may belong to another entry in them."""
    old, new = workload(**cast(Any, before)), workload(**cast(Any, after))
    changed = changed_fields(manifest_text(old), unified_diff(old, new, name="x"))
    assert changed is not None
    assert {(field.name.removeprefix("env "), field.before, field.after) for field in changed} == {
        (name, before.get(name), after.get(name))
        for name in {*before, *after}
        if before.get(name) != after.get(name)
    }


def test_the_decisive_lines_are_those_that_change_under_the_name_of_what_they_belong_to() -> None:
    """Annotations, whose values are for programs, come last; the lines around are left out."""
    before, after = workload(POSTHOG_FALLBACK="false"), restarted(workload(POSTHOG_FALLBACK="true"))
    shown = decisive_lines(plan(before, after).diff)
    assert shown.text.splitlines() == [
        "  - name: POSTHOG_FALLBACK",
        "-   value: 'false'",
        "+   value: 'true'",
        "+ annotations:",
        "+ incident-runbook/effect: inc-1/1-enable-fallback",
        "+ annotations:",
        "+ kubectl.kubernetes.io/restartedAt: '2026-11-28T18:55:27Z'",
    ]
    assert shown.complete


def test_a_change_of_annotations_alone_shows_them() -> None:
    """As a restart is one."""
    shown = decisive_lines(plan(workload(), restarted(workload())).diff).text
    assert "restartedAt: '2026-11-28T18:55:27Z'" in shown


def test_a_large_change_says_how_much_more_there_is() -> None:
    """The first lines fit a form, the whole diff follows."""
    many: dict[str, Any] = {f"V{number}": "1" for number in range(30)}
    shown = decisive_lines(plan(workload(), workload(**many)).diff)
    lines = shown.text.splitlines()
    assert len(lines) == SHOWN_LINES + 1
    assert lines[-1] == "  … 48 more lines: see the whole change"
    assert not shown.complete


def test_a_line_fits_a_form_on_a_phone() -> None:
    """It is broken behind a mark where there is one, and what goes on says so."""
    lines = "+ image: registry.example.com/posthog-integration:2.3.1\n- a: b\n+ " + "x" * 40
    assert for_a_form(lines).splitlines() == [
        "+ image: registry.example.com/",
        "↳ posthog-integration:2.3.1",
        "- a: b",
        "+ " + "x" * 33,
        "↳ " + "x" * 7,
    ]


@given(st.text("ab /:,", max_size=300))
def test_breaking_loses_nothing(line: str) -> None:
    """The parts are the line, and none is wider than the form."""
    parts = for_a_form(line).splitlines()
    assert "".join([*parts[:1], *(part.removeprefix("↳ ") for part in parts[1:])]) == line
    assert [part for part in parts if len(part) > FORM_COLUMNS] == []


@given(st.lists(st.tuples(st.sampled_from("+- "), st.text("ab \t", max_size=300))))
def test_folding_touches_no_line_that_changes(lines: list[tuple[str, str]]) -> None:
    """Only long lines around the change are cut, and each says so."""
    diff = "\n".join(f"{sign}{text}" for sign, text in lines)
    for was, shown in zip(diff.splitlines(), folded(diff).splitlines(), strict=True):
        if was.startswith(("+", "-")) or len(was) <= FOLDED_FROM:
            assert shown == was
        else:
            assert shown.endswith("more characters, unchanged)")
            assert len(shown) <= FOLDED_FROM


def test_a_plan_of_an_earlier_release_has_a_line_too() -> None:
    """It has a diff, no setting and no live object."""
    assert essence(PLAN) == "Enable the fallback (graceful degradation)"
