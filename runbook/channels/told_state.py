"""The state that people are told: what the journal proves, or a person's word where that goes further.

IDENTIFIED takes a verdict, MONITORING something that was done. A person can say either without, by name and
reason, as they can say that it is over; each message then says that the runbook has not proved it.
"""

from runbook.approvals.authority import counts_in
from runbook.incidents.effects import SUCCEEDED
from runbook.incidents.events import (
    DecisionMade,
    EffectIntended,
    Event,
    FactsChanged,
    IncidentReopened,
    Recorded,
    StateForced,
    StatusAnnounced,
)
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.outside_text import cut, one_line
from runbook.policy.policy import Policy

ENDS_A_WORD = (DecisionMade, FactsChanged, IncidentReopened)
"""What is known anew: a state that a person said before is told no more."""


def word_since(incident: Incident, forced: StateForced) -> tuple[Recorded, ...]:
    """The journal since people first said what still holds, in whatever words, `forced` being the newest."""
    begun = 0
    for place, item in enumerate(incident.journal):
        match item.event:
            case event if isinstance(event, ENDS_A_WORD):
                begun = 0
            case StateForced() as event if event.state != forced.state:
                begun = 0
            case StateForced():
                begun = begun or place
            case _:
                pass
    return incident.journal[begun:]


MOST_REASON = 300
"""Characters of the reason in a message: all of it is in the timeline, and the rest has to fit beside it."""


def told_state(incident: Incident, policy: Policy) -> State:
    """The state in the words of the announcements."""
    forced = forced_state(incident, policy)
    return State(forced.state) if forced is not None else incident.state.told


def forced_state(incident: Incident, policy: Policy) -> StateForced | None:
    """The person's word that is told in the place of the proved state; `None` where that is told.

    It holds until the runbook is as far itself, has new facts, or the incident ends. The word of
    somebody who may not, by the policy in force, is none.
    """
    if incident.resolved or incident.closed:
        return None
    for item in reversed(incident.journal):
        match item.event:
            case event if isinstance(event, ENDS_A_WORD):
                return None
            case StateForced() as event if counts_in(incident, policy)(event):
                order = [*State]
                return event if order.index(State(event.state)) > order.index(incident.state.told) else None
            case _:
                continue
    return None


def said_by(forced: StateForced) -> str:
    """How a message says whose word it is: `said by ana: they rolled back; not proved by the runbook`."""
    because = cut(one_line(forced.because), MOST_REASON)
    return f"said by {forced.by}: {because}; not proved by the runbook"


def was_told(incident: Incident, channel: str, state: State, policy: Policy) -> bool:
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
    if too_much and word_is_over(incident, policy):
        return False
    told = {event.state for event in heard if not event.by_word} - _gone_back(events, heard)
    by_word = {event.state for event in heard} - told
    intended = {event.effect.id for event in events if isinstance(event, EffectIntended)}
    sent = [effect for effect in incident.messages_in(channel) if effect.id in intended]
    names = [
        effect.message.announced_state for effect in sent if effect.in_doubt or effect.outcome in SUCCEEDED
    ]
    perhaps = [order.index(name) for name in names if name in order and name not in by_word]
    known = max((order.index(each) for each in told), default=-1)
    return known >= order.index(state) or max(perhaps, default=-1) > order.index(state)


def _gone_back(events: list[Event], heard: list[StatusAnnounced]) -> set[str]:
    """The states of a person's word from which the channel was told to go back."""
    order, said = [str(one) for one in State], {it.state for it in events if isinstance(it, StateForced)}
    now = order.index(heard[-1].state) if heard else 0
    return {each for each in said if order.index(each) > now}


def word_is_over(incident: Incident, policy: Policy) -> bool:
    """Whether the runbook has decided anew since a person said a state: the word holds no more.

    The word of somebody who may not, by the policy in force, is none.
    """
    counts = counts_in(incident, policy)
    decided = False
    for item in reversed(incident.since(IncidentReopened)):
        match item.event:
            case DecisionMade():
                decided = True
            case StateForced() as event if counts(event):
                return decided
            case _:
                continue
    return False


def told_instead(incident: Incident, policy: Policy) -> str:
    """What people are told in the place of the proved state, and on whose word; empty where that is told.

    `MONITORING, said by ana: they rolled back; not proved by the runbook`
    """
    forced = forced_state(incident, policy)
    return f"{forced.state}, {said_by(forced)}" if forced is not None else ""
