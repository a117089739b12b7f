"""The state that people are told: what the journal proves, or a person's word where that goes further.

IDENTIFIED takes a verdict, MONITORING something that was done. A person can say either without, by name and
reason, as they can say that it is over; each message then says that the runbook has not proved it.
"""

from runbook.incidents.effects import SUCCEEDED
from runbook.incidents.events import (
    DecisionMade,
    EffectIntended,
    IncidentReopened,
    StateForced,
    StatusAnnounced,
)
from runbook.incidents.incident import Incident
from runbook.incidents.state import State


def told_state(incident: Incident) -> State:
    """The state in the words of the announcements."""
    forced = forced_state(incident)
    return State(forced.state) if forced is not None else incident.state.told


def forced_state(incident: Incident) -> StateForced | None:
    """The person's word that is told in the place of the proved state; `None` where that is told.

    It holds until the runbook is as far itself, decides anew on new facts, or the incident ends.
    """
    if incident.resolved or incident.closed:
        return None
    for item in reversed(incident.journal):
        match item.event:
            case DecisionMade() | IncidentReopened():
                return None
            case StateForced() as event:
                order = [*State]
                return event if order.index(State(event.state)) > order.index(incident.state.told) else None
            case _:
                continue
    return None


def said_by(forced: StateForced) -> str:
    """How a message says whose word it is: `said by ana: they rolled back; not proved by the runbook`."""
    return f"said by {forced.by}: {forced.because}; not proved by the runbook"


def was_told(incident: Incident, channel: str, state: State) -> bool:
    """Whether the channel was told this state, or perhaps a later one: who starts again does not go back.

    A message that has arrived tells its state, too, where its run died before it journalled the announcement;
    that same state is announced again, so that the journal has it. What was told before a reopening is over,
    and colleagues who were told a state by a person's word are told once more when it is proved, and also
    where the runbook has decided since that it is not as far.
    """
    order = [str(one) for one in State]
    events = [item.event for item in incident.since(IncidentReopened)]
    heard = [event for event in events if isinstance(event, StatusAnnounced) and event.channel == channel]
    too_much = heard and heard[-1].by_word and order.index(heard[-1].state) > order.index(state)
    if too_much and word_is_over(incident):
        return False
    told = {event.state for event in heard if not event.by_word}
    by_word = {event.state for event in heard} - told
    intended = {event.effect.id for event in events if isinstance(event, EffectIntended)}
    sent = [effect for effect in incident.messages_in(channel) if effect.id in intended]
    names = [
        effect.message.announced_state for effect in sent if effect.in_doubt or effect.outcome in SUCCEEDED
    ]
    perhaps = [order.index(name) for name in names if name in order and name not in by_word]
    known = max((order.index(each) for each in told), default=-1)
    return known >= order.index(state) or max(perhaps, default=-1) > order.index(state)


def word_is_over(incident: Incident) -> bool:
    """Whether the runbook has decided anew since a person said a state: the word holds no more."""
    for item in reversed(incident.journal):
        if isinstance(item.event, StateForced | IncidentReopened):
            return False
        if isinstance(item.event, DecisionMade):
            return any(isinstance(it.event, StateForced) for it in incident.since(IncidentReopened))
    return False


def told_instead(incident: Incident) -> str:
    """What people are told in the place of the proved state, and on whose word; empty where that is told.

    `MONITORING, said by ana: they rolled back; not proved by the runbook`
    """
    forced = forced_state(incident)
    return f"{forced.state}, {said_by(forced)}" if forced is not None else ""
