"""Actions, checks and sources of alerts are found by where their files are, so that nobody keeps a list."""

import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType


def modules_in(package: str, path: Iterable[str]) -> Iterator[ModuleType]:
    """The modules of a package, imported, in the order of their names: `modules_in(__name__, __path__)`."""
    for found in sorted(pkgutil.iter_modules(path), key=lambda each: each.name):
        yield import_module(f"{package}.{found.name}")
