"""What somebody else does to the workload after a change of ours."""

import base64
from collections.abc import Callable

from tests.blocks.cluster_world import ClusterWorld
from tests.tasks.changes import SECRET, administer, respecify

PREVIOUS_IMAGE = {"name": "app", "image": "registry.example/integration:1"}
Others = Callable[[ClusterWorld], None]


def sets_variable(name: str, value: str) -> Others:
    """Somebody gives the variable a value."""
    return lambda world: administer(world, env=[{"name": name, "value": value}])


def limits_memory(memory: str) -> Others:
    """Somebody sets the limit."""
    return lambda world: administer(world, resources={"limits": {"memory": memory}})


def scales(replicas: int) -> Others:
    """Somebody scales."""
    return lambda world: respecify(world, replicas=replicas)


def puts_key(**keys: str | None) -> Others:
    """Somebody writes into the Secret."""
    data = {
        name.replace("_", "-"): None if key is None else base64.b64encode(key.encode()).decode()
        for name, key in keys.items()
    }
    return lambda world: world.imitation.apply({"kind": "Secret", "metadata": {"name": SECRET}, "data": data})


def rolls_out(image: str) -> Others:
    """Somebody deploys another version."""
    return lambda world: administer(world, image=image)
