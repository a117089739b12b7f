"""An incident as JSON, as `deployments.services.facts` has it for the receiver, too."""

from deployments.services.facts import (
    Facts,
    actions,
    everything,
    evidence_folder,
    flow_run_url,
    gate_facts,
    headline,
    messages,
    path,
    postmortem,
    stamp,
)

__all__ = [
    "Facts",
    "actions",
    "everything",
    "evidence_folder",
    "flow_run_url",
    "gate_facts",
    "headline",
    "messages",
    "path",
    "postmortem",
    "stamp",
]
