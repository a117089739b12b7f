"""The blocks that were made for one check, found by where their files are."""

import pkgutil
from importlib import import_module

from prefect.blocks.core import Block

from blocks import checks


def _found() -> dict[str, type[Block]]:
    found: dict[str, type[Block]] = {}
    for file in pkgutil.iter_modules(checks.__path__):
        module = import_module(f"{checks.__name__}.{file.name}")
        for kind in vars(module).values():
            own = isinstance(kind, type) and kind.__module__ == module.__name__
            if own and issubclass(kind, Block) and hasattr(kind, "check"):
                found[file.name] = kind
    return found


READERS = _found()
"""The block class of each such check, by its file's name: that of its section in the settings, too."""
