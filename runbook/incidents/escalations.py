"""What a person is paged for: a kind and a subject. Its words may change; they do not identify it."""

from enum import StrEnum

from runbook.value import Value


class EscalationKind(StrEnum):
    """Why the runbook cannot go on without a person. What the subject is stands beside each."""

    NO_DECISION = "no decision"
    """There are not enough facts. No subject."""
    NOT_OVER = "not over"
    """The watch has come to its limit. No subject."""
    NO_RECOVERY_AFTER_ALERTS = "no recovery after alerts"
    """All alerts are resolved, but the checks show no recovery. No subject."""
    ACTION = "action"
    """An action did not end well. The subject is its id."""
    APPROVAL_EXPIRED = "approval expired"
    """The cluster was away for longer than an approval holds. The subject is the action and the outage."""
    CHANGE_REVERTED = "change reverted"
    """Somebody else has reverted what an action had changed. The subject is the action's id."""
    UNFINISHED_ROLLOUT = "unfinished rollout"
    """The incident ends while the workload is half rolled out. The subject is the workload."""
    UNANSWERED_GATE = "unanswered gate"
    """Nobody has answered a question. The subject is the gate."""
    NO_RESPONSE = "no response"
    """No person has done anything about the incident in time. No subject."""
    UPDATE_MISSED = "update missed"
    """An update that was promised was not told. The subject is the clock and when it was due."""
    NOT_STARTED = "not started"
    """Nothing has started the response. No subject."""
    RUN_ENDED = "run ended"
    """The runbook's own run has failed or was cancelled. The subject is the state that it ended in."""
    RUN_NOT_TAKEN = "run not taken"
    """No worker takes the run. The subject: its state, and the changes in doubt."""
    RUN_CANCELLED = "run cancelled"
    """Somebody has cancelled the run. The subject: its state, and the changes in doubt."""
    RUN_OUT_OF_REACH = "run out of reach"
    """The run has stopped, and Prefect does not answer. The subject: its state, and the changes in doubt."""
    RUN_NOT_CONTINUED = "run not continued"
    """Continuing the run did not help. The subject: its state, and the changes in doubt."""


class Escalation(Value):
    """What a person is paged for, once in an incident."""

    kind: EscalationKind
    subject: str = ""
