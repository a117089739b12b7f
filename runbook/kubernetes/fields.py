"""The single fields of a workload that the runbook changes, each readable, writable and restorable.

A field knows its place in a Deployment (or StatefulSet) and the strategic merge patch that sets it. What it
was before is never a secret, so the journal may keep it for the undo.
"""

from typing import Annotated, Any, Literal, Protocol

from pydantic import Field as Described

from runbook.kubernetes.ownership import CONTAINERS, FieldPath, item
from runbook.kubernetes.patches import container_named
from runbook.kubernetes.quantities import memory_bytes
from runbook.value import Value

Workload = dict[str, Any]


class Field(Protocol):
    """One field. `None` as a value means that it is not set."""

    @property
    def name(self) -> str:
        """What it is called in a plan: unique within the object."""

    def read(self, workload: Workload) -> str | None:
        """Its value now.

        Raises:
            LookupError: it is not ours to set.
        """

    def spec(self, value: str | None) -> dict[str, Any]:
        """The part of a strategic merge patch under `spec` that sets or removes it."""

    @property
    def path(self) -> FieldPath:
        """Where its owner is found, see `runbook.kubernetes.ownership`."""

    def same(self, one: str | None, other: str | None) -> bool:
        """Whether two ways to write a value mean the same."""


class EnvironmentVariable(Value):
    """`kubectl set env`: a literal environment variable of one container."""

    kind: Literal["variable"] = "variable"
    container: str
    variable: str

    @property
    def name(self) -> str:
        """`env POSTHOG_FALLBACK of integration`."""
        return f"env {self.variable} of {self.container}"

    def read(self, workload: Workload) -> str | None:
        """Its value.

        Raises:
            LookupError: it comes from a reference (`valueFrom`), or the container is not there.
        """
        for entry in container_named(workload, self.container).get("env") or []:
            if entry["name"] == self.variable:
                if "valueFrom" in entry:
                    raise LookupError(f"{self.variable} is set from a reference (valueFrom), not by a value")
                return str(entry.get("value", ""))
        return None

    def spec(self, value: str | None) -> dict[str, Any]:
        """The variable alone; a strategic merge leaves the others as they are."""
        entry: dict[str, Any] = {"name": self.variable}
        entry |= {"$patch": "delete"} if value is None else {"value": value}
        return _container({"name": self.container, "env": [entry]})

    @property
    def path(self) -> FieldPath:
        """The variable's value; its name alone says nothing of who has set it."""
        at = (item("name", self.container), "f:env", item("name", self.variable), "f:value")
        return (*CONTAINERS, *at)

    def same(self, one: str | None, other: str | None) -> bool:
        """To the letter."""
        return one == other


class MemoryLimit(Value):
    """`kubectl set resources --limits=memory=…` of one container."""

    kind: Literal["memory limit"] = "memory limit"
    container: str

    @property
    def name(self) -> str:
        """`memory limit of integration`."""
        return f"memory limit of {self.container}"

    def read(self, workload: Workload) -> str | None:
        """The limit as it stands there, such as 256Mi.

        Raises:
            LookupError: the container is not there.
        """
        limits = (container_named(workload, self.container).get("resources") or {}).get("limits") or {}
        return str(limits["memory"]) if "memory" in limits else None

    def spec(self, value: str | None) -> dict[str, Any]:
        """The limit alone; requests and other limits stay."""
        return _container({"name": self.container, "resources": {"limits": {"memory": value}}})

    @property
    def path(self) -> FieldPath:
        """The limit of memory alone."""
        return (*CONTAINERS, item("name", self.container), "f:resources", "f:limits", "f:memory")

    def same(self, one: str | None, other: str | None) -> bool:
        """The API server keeps the shortest form of a quantity: 1Gi where 1024Mi was sent."""
        return one == other or (
            one is not None and other is not None and memory_bytes(one) == memory_bytes(other)
        )


class Replicas(Value):
    """`kubectl scale`: how many pods are wanted."""

    kind: Literal["replicas"] = "replicas"
    name: str = "replicas"

    def read(self, workload: Workload) -> str | None:
        """The number of pods."""
        return str(workload["spec"].get("replicas", 1))

    def spec(self, value: str | None) -> dict[str, Any]:
        """The number alone."""
        return {"replicas": None if value is None else int(value)}

    @property
    def path(self) -> FieldPath:
        """The number alone."""
        return ("f:spec", "f:replicas")

    def same(self, one: str | None, other: str | None) -> bool:
        """To the letter."""
        return one == other


AnyField = Annotated[EnvironmentVariable | MemoryLimit | Replicas, Described(discriminator="kind")]
"""A field as it stands in a journal."""


class Setting(Value):
    """A field and the value that it is to have; `None` removes it."""

    field: AnyField
    value: str | None


def _container(change: dict[str, Any]) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [change]}}}
