"""Recorded payloads of the formats that are known by name, and what each of them says."""

import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[2] / "data" / "alert-formats"

NAMES = sorted(path.name.removesuffix(".json") for path in SAMPLES.glob("*.json"))
"""Of the form `FORMAT[.kind].what`, such as `sentry.issue.resolved`."""


def sample(name: str) -> Any:
    """What was sent."""
    return json.loads((SAMPLES / f"{name}.json").read_text())


def format_of(name: str) -> str:
    """The format of a sample."""
    return name.partition(".")[0]


def names_of(what: str) -> list[str]:
    """The samples that say that."""
    return [name for name in NAMES if name.endswith(f".{what}")]
