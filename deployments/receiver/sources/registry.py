"""All sources that can send to the receiver: those that have a file in this folder."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import deployments.receiver.sources as room
from deployments.receiver.sources.proof import SourceProof
from runbook.alerts.sources import SOURCES


def _found() -> dict[str, SourceProof[Any]]:
    names = [found.name for found in iter_modules(room.__path__) if found.name != "registry"]
    modules = [import_module(f"{room.__name__}.{name}") for name in names]
    proofs = {module.PROOF.source.name: module.PROOF for module in modules if hasattr(module, "PROOF")}
    for source in SOURCES:
        if source not in proofs:
            raise LookupError(f"{source}: no proof in deployments/receiver/sources/")
    return proofs


PROOFS = _found()
"""By the source's name, in the order of the files. Each source that can be read has one."""
