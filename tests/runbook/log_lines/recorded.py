"""The recorded lines of tests/data/log-lines: real-world forms with the values that they state."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[2] / "data" / "log-lines"


def recorded(name: str) -> Any:
    """What a file of the folder holds."""
    return json.loads((_FOLDER / name).read_text())


def _lines() -> list[tuple[str, bool, str | None]]:
    forms = recorded("forms.json")
    del forms["read_me"]
    names = ("first-look.json", "second-look.json", "third-look.json")
    looks = [row for name in names for row in recorded(name)["lines"]]
    rows = [*looks, *(row for form in forms.values() for row in form)]
    return [(row["line"], row["error"], row["status"]) for row in rows]


LINES = _lines()
"""Each line, whether it reports an error, and the status that it reports."""
