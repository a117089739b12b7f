"""How actions are made is found by where the files are, so that no list of them has to be kept."""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from runbook.actions.catalogue import CATALOGUE
from runbook.actions.spec import ActionKind, ActionName
from runbook.discovery import modules_in


def found_in(package: ModuleType, table: str) -> dict[ActionName, Any]:
    """What the files of the package have in their tables of that name, which is by spec.

    Raises:
        TypeError: two files make the same action.
    """
    found: dict[ActionName, Any] = {}
    for module in modules_in(package.__name__, package.__path__):
        for spec, made in getattr(module, table, {}).items():
            if spec.name in found:
                raise TypeError(f"{module.__name__}: another file of the folder makes {spec.name}, too")
            found[spec.name] = made
    return found


def require_all(kind: ActionKind, found: Iterable[ActionName], folder: str) -> None:
    """Make sure that every action of the kind is made.

    Raises:
        LookupError: an action has a spec, and no file makes it.
    """
    made = set(found)
    lacking = [spec.name for spec in CATALOGUE.values() if spec.kind is kind and spec.name not in made]
    if lacking:
        raise LookupError(f"there is a spec, and no file in {folder} that makes it: {', '.join(lacking)}")
