"""The blocks that were made for one check, found by where their files are."""

from prefect.blocks.core import Block

from blocks import checks
from runbook.discovery import modules_in


def _found() -> dict[str, type[Block]]:
    found: dict[str, type[Block]] = {}
    for module in modules_in(checks.__name__, checks.__path__):
        for kind in vars(module).values():
            own = isinstance(kind, type) and kind.__module__ == module.__name__
            if own and issubclass(kind, Block) and hasattr(kind, "check"):
                found[module.__name__.rpartition(".")[2]] = kind
    return found


READERS = _found()
"""The block class of each such check, by its file's name: that of its section in the settings, too."""
