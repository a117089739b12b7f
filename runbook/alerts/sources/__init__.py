"""The programs that alerts come from, and how what each one sends is read.

A source is a file here with a `SOURCE`, and one with a `PROOF` in `deployments/receiver/sources/`.
"""

from runbook.alerts.sources.reading import EmptyAlerts, UnreadablePayload
from runbook.alerts.sources.self_watch import SELF_WATCH
from runbook.alerts.sources.source import Source
from runbook.discovery import modules_in

__all__ = [
    "SELF_WATCH",
    "SOURCES",
    "EmptyAlerts",
    "Source",
    "UnreadablePayload",
    "plain",
    "reading",
    "self_watch",
    "source",
    "status_words",
]


def _found() -> dict[str, Source]:
    modules = modules_in(__name__, __path__)
    sources: list[Source] = [module.SOURCE for module in modules if hasattr(module, "SOURCE")]
    return {source.name: source for source in sources}


SOURCES = _found()
"""By name, in the order of the files."""
