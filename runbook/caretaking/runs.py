"""The flow runs of incidents: their states, and how a response goes on whose run has stopped."""

from datetime import datetime
from enum import StrEnum

from runbook.incidents.events import IncidentReopened, RunStarted
from runbook.incidents.incident import Incident
from runbook.value import Value


class RunState(StrEnum):
    """The states of a flow run, as far as they matter here. `unreachable`: Prefect does not say.

    `waiting`: it starts again at `since`, a later time; no process is held until then.

    `due`: no worker takes up runs; `queued`: it is due as well, and a worker will take it up.

    `asleep without a form`: its process died between falling asleep and saving the form, so no answer in
    Prefect can wake it. `asleep with an answer`: somebody has written one past Prefect's own way to answer,
    which wakes nobody and keeps every other form from being taken.
    """

    WAITING = "waiting"
    DUE = "due"
    QUEUED = "queued"
    RUNNING = "running"
    ASLEEP = "asleep"
    ASLEEP_WITHOUT_FORM = "asleep without a form"
    ASLEEP_WITH_ANSWER = "asleep with an answer"
    COMPLETED = "completed"
    BROKEN = "broken"
    CANCELLED = "cancelled"
    UNKNOWN_TO_PREFECT = "unknown to Prefect"
    UNREACHABLE = "unreachable"


class Run(Value):
    """A flow run as Prefect has it.

    `since` is when it came into its state, or was due (aware UTC); `starts` how often it has started.
    """

    id: str
    state: RunState
    since: datetime
    starts: int = 0


class Revival(StrEnum):
    """How a response goes on: by itself, by continuing its run, or by another run in its place."""

    BY_ITSELF = "by itself"
    CONTINUE = "continue"
    START = "start"


REVIVALS = {
    RunState.DUE: Revival.BY_ITSELF,
    RunState.QUEUED: Revival.BY_ITSELF,
    RunState.UNREACHABLE: Revival.BY_ITSELF,  # nothing is known of it, and nothing can be started
    RunState.WAITING: Revival.CONTINUE,
    RunState.RUNNING: Revival.CONTINUE,
    RunState.ASLEEP: Revival.CONTINUE,
    RunState.ASLEEP_WITHOUT_FORM: Revival.CONTINUE,
    RunState.ASLEEP_WITH_ANSWER: Revival.CONTINUE,
    RunState.BROKEN: Revival.CONTINUE,
    RunState.CANCELLED: Revival.CONTINUE,
    RunState.COMPLETED: Revival.START,
    RunState.UNKNOWN_TO_PREFECT: Revival.START,
}
"""How a response goes on, by the state of its run, once nobody works on it. Whoever revives it asks here."""


def newest_run(incident: Incident) -> str | None:
    """The id of the flow run that works on the incident, or did last; one before a reopening has ended."""
    events = (item.event for item in reversed(incident.since(IncidentReopened)))
    return next((event.flow_run_id for event in events if isinstance(event, RunStarted)), None)
