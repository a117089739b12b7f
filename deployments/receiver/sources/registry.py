"""All sources that can send to the receiver: those that have a file in this folder."""

from typing import Any

import deployments.receiver.sources as room
from deployments.receiver.sources.proof import SourceProof
from runbook.alerts.sources import SOURCES
from runbook.discovery import modules_in


def _found() -> dict[str, SourceProof[Any]]:
    modules = modules_in(room.__name__, room.__path__)
    proofs = {module.PROOF.source.name: module.PROOF for module in modules if hasattr(module, "PROOF")}
    for source in SOURCES:
        if source not in proofs:
            raise LookupError(f"{source}: no proof in deployments/receiver/sources/")
    return proofs


PROOFS = _found()
"""By the source's name, in the order of the files. Each source that can be read has one."""
