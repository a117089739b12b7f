"""Where an incident is, and how its response ended."""

from enum import StrEnum


class State(StrEnum):
    """Where the incident is, in the words that people are told."""

    INVESTIGATING = "INVESTIGATING"
    IDENTIFIED = "IDENTIFIED"
    MONITORING = "MONITORING"
    RESOLVED = "RESOLVED"


class Outcome(StrEnum):
    """How the response ended. `unknown`: it could not be determined, so nobody may say that it is over."""

    RECOVERED = "recovered"
    NOT_RECOVERED = "not_recovered"
    UNKNOWN = "unknown"
    FALSE_POSITIVE = "false_positive"
