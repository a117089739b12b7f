"""What `prefect.yaml` says about the deployments: the one place that defines them, read by everyone else."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PREFECT_FILE = Path(__file__).parents[1] / "prefect.yaml"


@dataclass(frozen=True)
class Definition:
    """A deployment as the file has it. `entrypoint` is a module path, `interval` is in seconds."""

    name: str
    entrypoint: str
    description: str
    work_pool: str
    tags: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    interval: int | None = None

    @property
    def module(self) -> str:
        """The module that the flow is in."""
        return self.entrypoint.rpartition(".")[0]


def definitions(path: Path = PREFECT_FILE) -> list[Definition]:
    """The deployments of a `prefect.yaml`, in its order."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["deployments"]
    return [
        Definition(
            name=entry["name"],
            entrypoint=entry["entrypoint"],
            description=entry["description"],
            work_pool=entry["work_pool"]["name"],
            tags=tuple(entry.get("tags", ())),
            parameters=entry.get("parameters", {}),
            interval=next((schedule["interval"] for schedule in entry.get("schedules", ())), None),
        )
        for entry in entries
    ]


def flow_modules() -> list[str]:
    """The modules of all deployed flows, each once."""
    return list(dict.fromkeys(definition.module for definition in definitions()))
