"""When a public entry has to say again where things stand: people who read it must not think it forgotten."""

from collections.abc import Collection
from datetime import datetime, timedelta

from runbook.channels.public_incident import public_announcements
from runbook.channels.reminders import is_time
from runbook.channels.told_state import forced_state, told_state, word_is_over, word_since
from runbook.decision.severity import Severity
from runbook.incidents.effects import SUCCEEDED
from runbook.incidents.events import (
    DecisionMade,
    EffectSettled,
    Event,
    IncidentReopened,
    PublicTextProposed,
    PublicTextRefused,
    PublicUpdateSeen,
    StateForced,
    StatusAnnounced,
)
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.policy.policy import Policy
from runbook.public.gate import refreshed_at
from runbook.public.publishing import is_public
from runbook.value import Value

OVER = frozenset({"resolved", "postmortem", "completed"})
"""What an incident shows, in the providers' words, that is over."""


class DueRefresh(Value):
    """A public entry that has said nothing since `told_at` (aware UTC).

    `state` is what a person has said then that it is, before that was proved; empty where it says the same
    again.
    """

    channel: str
    told_at: datetime
    state: str = ""


def has_public_entry(incident: Incident, channel: str) -> bool:
    """Whether that page shows an entry of the incident that is not over."""
    told = public_announcements(incident, channel)
    return bool(told) and told[-1].state != State.RESOLVED


def told_again(incident: Incident, channel: str, policy: Policy) -> State:
    """What the page's open entry says again: what it says, or what is proved where that was a person's word
    that holds no more. Else the words of a proof would stand for it.
    """
    last = State(public_announcements(incident, channel)[-1].state)
    since = (item.event for item in incident.since(IncidentReopened))
    said = {event.state for event in since if isinstance(event, StateForced)}
    order, holds = [*State], told_state(incident, policy)
    return holds if last in said and order.index(last) > order.index(holds) else last


STAYS_OPEN = "The entry on the status page stays open: write there that it is over"
"""What is left to a person where the text about the end is not published."""


def left_open(incident: Incident) -> tuple[PublicTextRefused, ...]:
    """The texts about the end that were not published although their entry is open on the page."""
    return tuple(
        event
        for item in incident.since(IncidentReopened)
        if isinstance(event := item.event, PublicTextRefused)
        and event.state == State.RESOLVED
        and has_public_entry(incident, event.channel)
    )


def told_public_at(incident: Incident, channel: str) -> datetime | None:
    """When the page's open entry has said something last (aware UTC), also where a person wrote it.

    `None` where no entry is open, or a person has ended it on the page: nothing more is promised there.
    """
    if not has_public_entry(incident, channel):
        return None
    told = [item for item in incident.journal if _was_told(item.event, channel)]
    newest = told[-1]
    if isinstance(newest.event, PublicUpdateSeen) and newest.event.status in OVER:
        return None
    return newest.at


def due_refreshes(
    incident: Incident, *, channels: Collection[str], policy: Policy, now: datetime
) -> tuple[DueRefresh, ...]:
    """The incident's open entries that have to be refreshed now; a page that is away is tried ever later."""
    if incident.resolved or incident.dry_run:
        return ()
    every = policy.public_update_every(incident.rating or Severity.P2)
    due = []
    for channel in channels:
        if (forced := _due_by_word(incident, channel, policy, now)) is not None:
            due.append(forced)
            continue
        told_at = told_public_at(incident, channel)
        since = refreshed_at(incident, channel, told_at, policy) if told_at is not None else None
        if told_at is None or since is None:
            continue
        wait = timedelta() if _says_too_much(incident, channel, policy) else every
        if is_time(incident, since + wait, now):
            due.append(DueRefresh(channel=channel, told_at=told_at))
    return tuple(due)


def _due_by_word(incident: Incident, channel: str, policy: Policy, now: datetime) -> DueRefresh | None:
    """What a person has said of the state and the page was not told yet, nor anybody asked about."""
    forced = forced_state(incident, policy)
    if forced is None or not is_public(incident, channel, policy):
        return None
    if [told.state for told in public_announcements(incident, channel)][-1:] == [forced.state]:
        return None
    said = word_since(incident, forced)
    at = max(item.at for item in said if item.event == forced)
    proposed = [it.event for it in said if isinstance(it.event, PublicTextProposed)]
    told = (it.event for it in said if isinstance(it.event, PublicTextRefused | StatusAnnounced))
    newest = [event for event in proposed if event.channel == channel][-1:]
    if any((event.channel, event.state) == (channel, forced.state) for event in (*newest, *told)):
        return None
    return DueRefresh(channel=channel, told_at=at, state=forced.state) if is_time(incident, at, now) else None


def _says_too_much(incident: Incident, channel: str, policy: Policy) -> bool:
    """Whether the page says what a person had said, and the runbook has decided since that it is not as far.

    Not once somebody was asked about the text that corrects it, or it may not be published.
    """
    said, order = public_announcements(incident, channel)[-1].state, [*State]
    if not word_is_over(incident, policy) or order.index(State(said)) <= order.index(incident.state.told):
        return False
    for item in reversed(incident.journal):
        match item.event:
            case PublicTextProposed() | PublicTextRefused() as asked if asked.channel == channel:
                return False
            case DecisionMade():
                break
            case _:
                continue
    return any(
        isinstance(item.event, StateForced) and item.event.state == said
        for item in incident.since(IncidentReopened)
    )


def _was_told(event: Event, channel: str) -> bool:
    """Whether the page says something since this event, also where only its message is journalled."""
    if isinstance(event, EffectSettled):
        return event.effect.kind == channel and event.effect.outcome in SUCCEEDED
    return isinstance(event, StatusAnnounced | PublicUpdateSeen) and event.channel == channel
