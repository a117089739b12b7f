"""The sentences of all events. Every type of event has one; a test holds this against the list of events.

There is a file for each file of `runbook.incidents.events`; reading it registers its sentences.
"""

from runbook.incidents.sentences import (  # noqa: F401  registers them
    alerts,
    approvals,
    assessment,
    effects,
    ending,
    files,
    messages,
    opening,
    people,
    public,
    runs,
)
from runbook.incidents.sentences.dispatch import sentence

__all__ = ["sentence"]
