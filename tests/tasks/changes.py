"""Every change of the catalogue: what it needs to be possible, what it sends, and what then shows it."""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from runbook.actions.catalogue import CATALOGUE, PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.specs.delete_pod import DELETE_POD as DELETE_POD_SPEC
from runbook.actions.specs.fallback import DISABLE_FALLBACK, ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY as REPLACE_API_KEY_SPEC
from runbook.actions.specs.request_queue import DISABLE_REQUEST_QUEUE, ENABLE_REQUEST_QUEUE
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.actions.specs.scale import SCALE
from runbook.kubernetes.patches import RESTART_ANNOTATION
from tests.blocks.cluster_world import KEY, LABELS, ClusterWorld
from tests.tasks.mitigation_bench import NEW_KEY

DEPLOYMENT, SECRET = "posthog-integration", "posthog-secrets"
PATCHES_WORKLOAD = ("PATCH", f"/deployments/{DEPLOYMENT}$")
PATCHES_SECRET = ("PATCH", f"/secrets/{SECRET}$")
DELETES_POD = ("DELETE", "/pods/")

Show = Callable[[ClusterWorld], Any]
Prepare = Callable[[ClusterWorld], Awaitable[dict[str, str]]]


async def nothing_to_prepare(_world: ClusterWorld) -> dict[str, str]:
    """The change is possible as it is, and has no parameters."""
    return {}


@dataclass(frozen=True)
class KnownChange:
    """A change. `prepare` makes it possible and returns its parameters; `shows` is where it is seen.

    `steps` are the requests of the whole change; `request` is the method and path of the one that tests
    disturb, which is sent up to `attempts` times in one go while it meets conflicts.
    """

    name: ActionName
    shows: Show
    before: Any
    after: Any
    prepare: Prepare = nothing_to_prepare
    steps: tuple[str, ...] = ("set-field",)
    request: tuple[str, str] = PATCHES_WORKLOAD
    attempts: int = 10

    @property
    def reversible(self) -> bool:
        """Whether there is something to undo."""
        return CATALOGUE[self.name].reversible

    @property
    def taken_back(self) -> bool:
        """Whether it is undone where it did not help and made nothing worse: a roll back stays then."""
        return self.reversible and self.name != ROLL_BACK.name

    @property
    def disturbed_step(self) -> str:
        """The step whose request tests disturb."""
        return self.steps[-1] if self.request == PATCHES_WORKLOAD else self.steps[0]

    async def planned(self, world: ClusterWorld) -> PlannedAction:
        """The action, in a cluster where it is possible."""
        parameters = await self.prepare(world)
        action_id = f"1-{self.name.replace('_', '-')}"
        return PlannedAction(
            id=action_id, name=self.name, target=world.block.target, because="a test", parameters=parameters
        )


def template(world: ClusterWorld) -> dict[str, Any]:
    """The live pod template."""
    found: dict[str, Any] = world.imitation.get("Deployment", DEPLOYMENT)["spec"]["template"]
    return found


def container(world: ClusterWorld) -> dict[str, Any]:
    """The integration's container in the live pod template."""
    found: dict[str, Any] = template(world)["spec"]["containers"][0]
    return found


def respecify(world: ClusterWorld, **spec: Any) -> None:
    """Someone else changes the Deployment's specification."""
    world.imitation.apply({"kind": "Deployment", "metadata": {"name": DEPLOYMENT}, "spec": spec})


def administer(world: ClusterWorld, **container: Any) -> None:
    """Someone else changes the integration's container."""
    respecify(world, template={"spec": {"containers": [{"name": "app", **container}]}})


def secret_keys(world: ClusterWorld) -> dict[str, str]:
    """The Secret's values."""
    data = world.imitation.get("Secret", SECRET)["data"]
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


def was_restarted(world: ClusterWorld) -> bool:
    """Whether the pods were restarted as kubectl does it."""
    return RESTART_ANNOTATION in (template(world)["metadata"].get("annotations") or {})


def variable(name: str) -> Show:
    """The value of an environment variable of the integration's container."""
    return lambda world: next(
        (item["value"] for item in container(world)["env"] if item["name"] == name), None
    )


def switched_on(name: str, value: str) -> Prepare:
    """The switch is on before."""

    async def prepare(world: ClusterWorld) -> dict[str, str]:
        administer(world, env=[{"name": name, "value": value}])
        await world.until("complete")
        return {}

    return prepare


def with_parameters(**parameters: str) -> Prepare:
    """The change has these parameters."""

    async def prepare(_world: ClusterWorld) -> dict[str, str]:
        return parameters

    return prepare


async def a_second_revision(world: ClusterWorld) -> dict[str, str]:
    """There is a revision to go back to."""
    administer(world, image="registry.example/integration:2")
    await world.until("complete")
    return {}


async def a_stuck_pod(world: ClusterWorld) -> dict[str, str]:
    """One pod is not ready while its sibling is."""
    stuck = world.pod_names()[0]
    world.imitation.set_ready(stuck, False)
    await world.until("progressing")
    return {"pod": stuck}


def all_ready(world: ClusterWorld) -> bool:
    """Whether no pod is stuck."""
    return all(pod.ready for pod in world.imitation.pods(LABELS))


FALLBACK, QUEUE = variable("POSTHOG_FALLBACK"), variable("RATE_LIMIT_MODE")

REPLACE_API_KEY = KnownChange(
    REPLACE_API_KEY_SPEC.name,
    lambda world: secret_keys(world)["api-key"],
    KEY,
    NEW_KEY,
    steps=("secret", "restart"),
    request=PATCHES_SECRET,
    attempts=1,
)
DELETE_POD = KnownChange(
    DELETE_POD_SPEC.name,
    all_ready,
    False,
    True,
    prepare=a_stuck_pod,
    steps=("delete",),
    request=DELETES_POD,
    attempts=1,
)

CHANGES = (
    KnownChange(ENABLE_FALLBACK.name, FALLBACK, "false", "true"),
    KnownChange(
        DISABLE_FALLBACK.name, FALLBACK, "true", None, prepare=switched_on("POSTHOG_FALLBACK", "true")
    ),
    KnownChange(ENABLE_REQUEST_QUEUE.name, QUEUE, None, "queue"),
    KnownChange(
        DISABLE_REQUEST_QUEUE.name,
        QUEUE,
        "queue",
        None,
        prepare=switched_on("RATE_LIMIT_MODE", "queue"),
    ),
    KnownChange(
        RAISE_MEMORY_LIMIT.name,
        lambda world: container(world)["resources"]["limits"]["memory"],
        "256Mi",
        "512Mi",
        prepare=with_parameters(memory="512Mi"),
    ),
    KnownChange(
        SCALE.name,
        lambda world: world.imitation.get("Deployment", DEPLOYMENT)["spec"]["replicas"],
        2,
        3,
        prepare=with_parameters(replicas="3"),
    ),
    KnownChange(RESTART_DEPLOYMENT.name, was_restarted, False, True, steps=("restart",)),
    KnownChange(
        ROLL_BACK.name,
        lambda world: container(world)["image"],
        "registry.example/integration:2",
        "registry.example/integration:1",
        prepare=a_second_revision,
        steps=("roll-back",),
    ),
    REPLACE_API_KEY,
    DELETE_POD,
)
"""All changes but the undo, which is tested by what it undoes."""

ONE_OF_EACH_KIND = tuple(
    change
    for change in CHANGES
    if change.name not in (DISABLE_FALLBACK.name, ENABLE_REQUEST_QUEUE.name, DISABLE_REQUEST_QUEUE.name)
)
"""Where the four switches differ in nothing that a test looks at."""

SECOND_REQUEST = replace(
    REPLACE_API_KEY, shows=was_restarted, before=False, after=True, request=PATCHES_WORKLOAD, attempts=10
)
"""The replacement of the key again, disturbed at its second request: the key is in place by then."""
