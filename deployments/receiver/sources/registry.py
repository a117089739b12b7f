"""All sources that can send to the receiver: those that have a file in this folder."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import deployments.receiver.sources as room
from deployments.receiver.sources.proof import SourceProof


def _found() -> dict[str, SourceProof[Any]]:
    modules = [
        import_module(f"{room.__name__}.{found.name}")
        for found in iter_modules(room.__path__)
        if found.name != "registry"
    ]
    proofs = [module.PROOF for module in modules if hasattr(module, "PROOF")]
    return {proof.source.name: proof for proof in proofs}


PROOFS = _found()
"""By the source's name, in the order of the files."""
