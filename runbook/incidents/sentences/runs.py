"""Flow runs and their hand-overs, in sentences."""

from runbook.approvals.identity import named
from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.RunStarted) -> str:
    return f"Flow run {event.flow_run_id} started work on the incident"


@sentence.register
def _(event: e.RunContinued) -> str:
    return f"Flow run {event.flow_run_id} continues: {event.because}"


@sentence.register
def _(event: e.ResponseResumed) -> str:
    who = named(event.by, event.identity)
    return f"{who} handed the response back to the runbook; done by hand: {event.done or 'nothing'}"
