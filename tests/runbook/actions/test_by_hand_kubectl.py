"""The commands for undoing by hand work when they are pasted into a shell with the real kubectl."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from runbook.actions.by_hand import Target, undo_commands
from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.specs.fallback import DISABLE_FALLBACK, ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.actions.specs.scale import SCALE
from runbook.kubernetes.fields import EnvironmentVariable, Field, MemoryLimit, Replicas
from runbook.kubernetes.patches import spec_patch
from tests.drill.cluster_bench import (
    APP,
    DEPLOYMENT,
    LABELS,
    SECRET,
    Bench,
    bench,
    container,
    deployment,
    env_patch,
)
from tests.drill.kubectl import Kubectl, kubectl_for

pytestmark = pytest.mark.real

TARGET = Target(
    namespace="default",
    kind="deployment",
    name=APP,
    container="app",
    secret_name="posthog-secrets",
    secret_key="api-key",
)
FALLBACK = EnvironmentVariable(container="app", variable="POSTHOG_FALLBACK")


@pytest.fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    async with bench(None, deployment(container("proxy"), container())) as made:
        await made.until(made.complete)
        yield made


@pytest.fixture(name="kubectl")
async def _kubectl(bench: Bench, tmp_path: Path) -> Kubectl:
    return kubectl_for(bench, tmp_path)


def done(name: ActionName, before: dict[str, str | None], **parameters: str) -> ChangePlan:
    """A change that was made."""
    target = f"deployment/{APP}"
    action = PlannedAction(
        id=f"1-{name}", name=name, target=target, because="it was broken", parameters=parameters
    )
    return ChangePlan(action=action, before=before)


def spec(bench: Bench) -> dict[str, Any]:
    """What the workload is asked to be."""
    found: dict[str, Any] = bench.cluster.get("Deployment", APP)["spec"]
    return found


@pytest.mark.parametrize(
    ("name", "field", "was", "now"),
    [
        (ENABLE_FALLBACK.name, FALLBACK, None, "true"),
        (ENABLE_FALLBACK.name, FALLBACK, "it's $HOME; `no`", "true"),
        (ENABLE_FALLBACK.name, FALLBACK, "", "true"),
        (DISABLE_FALLBACK.name, FALLBACK, "true", None),
        (RAISE_MEMORY_LIMIT.name, MemoryLimit(container="app"), "256Mi", "1Gi"),
        (SCALE.name, Replicas(), "2", "4"),
    ],
)
async def test_commands_put_a_field_back(
    name: ActionName, field: Field, was: str | None, now: str | None, bench: Bench, kubectl: Kubectl
) -> None:
    """The field is what it was before the runbook's own patch, in its own container, and it is rolled out."""
    if isinstance(field, EnvironmentVariable):
        await bench.patch(DEPLOYMENT, env_patch(field.variable, was))
    found = spec(bench)
    await bench.patch(DEPLOYMENT, spec_patch(field.spec(now), effect_id="inc/1"))
    assert field.read({"spec": spec(bench)}) == now

    for command in undo_commands(done(name, {field.name: was}), TARGET):
        answer = await kubectl(command)
        assert answer.code == 0, (command, answer.err)

    assert field.read({"spec": spec(bench)}) == was
    assert {**spec(bench), "template": None} == {**found, "template": None}
    assert bench.complete()


async def test_commands_put_the_previous_key_back(bench: Bench, kubectl: Kubectl) -> None:
    """The key is copied inside of the cluster, and the pods start with it; nobody types or sees it."""
    await bench.patch(SECRET, {"stringData": {"api-key": "phc_new", "api-key-previous": "phc_old"}})

    answers = [await kubectl(command) for command in undo_commands(done(REPLACE_API_KEY.name, {}), TARGET)]

    assert [answer.code for answer in answers] == [0, 0, 0], answers
    assert {pod.env["POSTHOG_API_KEY"] for pod in bench.cluster.pods(LABELS)} == {"phc_old"}
    assert not any("phc_" in answer.out + answer.err for answer in answers)


@pytest.mark.parametrize("parameters", [{}, {"from_revision": "2"}])
async def test_commands_roll_forward_to_the_replaced_revision(
    parameters: dict[str, str], bench: Bench, kubectl: Kubectl
) -> None:
    """With its number or without: right after a roll back kubectl's own choice is the same."""
    first = spec(bench)["template"]
    await bench.patch(DEPLOYMENT, env_patch("LOG_LEVEL", "debug"))
    await bench.until(bench.complete)
    replaced = spec(bench)["template"]
    await bench.patch(DEPLOYMENT, {"spec": {"template": {**first, "$patch": "replace"}}})
    await bench.until(bench.complete)

    answers = [
        await kubectl(command) for command in undo_commands(done(ROLL_BACK.name, {}, **parameters), TARGET)
    ]

    assert [answer.code for answer in answers] == [0, 0, 0], answers
    assert spec(bench)["template"] == replaced
