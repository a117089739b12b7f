"""Where an incident is in its life, and how it ended."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where an incident is. While it is open, it may wait for a person in each of them.

    People outside are told four of these, see `told`.
    """

    INVESTIGATING = "INVESTIGATING"
    IDENTIFIED = "IDENTIFIED"
    MITIGATING = "MITIGATING"
    MONITORING = "MONITORING"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"

    @property
    def told(self) -> "State":
        """The state in the words of the communication templates, which status pages share."""
        return TOLD.get(self, self)

    @property
    def over(self) -> bool:
        """Whether the response has ended."""
        return self in (State.RESOLVED, State.CLOSED)


TOLD = {State.MITIGATING: State.IDENTIFIED, State.CLOSED: State.RESOLVED}
"""The states for which people are told another: a change that is being made cures nothing yet."""

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.INVESTIGATING: frozenset({State.IDENTIFIED, State.MITIGATING, State.MONITORING, State.RESOLVED}),
    State.IDENTIFIED: frozenset({State.INVESTIGATING, State.MITIGATING, State.MONITORING, State.RESOLVED}),
    State.MITIGATING: frozenset({State.INVESTIGATING, State.IDENTIFIED, State.MONITORING, State.RESOLVED}),
    State.MONITORING: frozenset({State.INVESTIGATING, State.IDENTIFIED, State.MITIGATING, State.RESOLVED}),
    State.RESOLVED: frozenset({State.CLOSED, State.INVESTIGATING}),
    State.CLOSED: frozenset({State.INVESTIGATING}),
}
"""The states that may follow each. While it is open, new facts may lead to any open one; only an end leads to
`CLOSED`, and only reopening leads back."""


class IncidentOutcome(StrEnum):
    """How an incident ended.

    `recovered` and `false_positive`: the checks have shown it, or a person said so. `not_ours` and `merged`
    are a person's word only. `not_recovered` and `unknown` are in journals of earlier releases, which closed
    an incident at the end of their wits.
    """

    RECOVERED = "recovered"
    FALSE_POSITIVE = "false_positive"
    NOT_OURS = "not_ours"
    MERGED = "merged"
    NOT_RECOVERED = "not_recovered"
    UNKNOWN = "unknown"

    @property
    def good(self) -> bool:
        """Whether nothing is wrong any more, so that people may be told that it is resolved."""
        return self in (IncidentOutcome.RECOVERED, IncidentOutcome.FALSE_POSITIVE, IncidentOutcome.NOT_OURS)
