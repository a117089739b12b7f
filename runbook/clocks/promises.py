"""The update clock: a next update that was promised, to the team and to the public, and whether it is kept.

Between its questions the response keeps its promise to the team by itself, at its next look; while a question
is open no process is there to do so. The public entry is refreshed by a run of its own, whatever is open, but
for one that waits for a person's yes to a text.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from runbook.approvals.authority import ActEvent, act_counts, counts_in
from runbook.channels.reminders import REPORT_EVERY, due_notice
from runbook.clocks.response import ResponseState, response_clock
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.public.gate import waiting
from runbook.public.refreshing import told_public_at
from runbook.value import Value

GRACE = timedelta(minutes=2)
"""How much later than promised an update may be that the response tells by itself: it looks now and then."""

SOON = timedelta(minutes=3)
"""How much later the page about an open question may be that stands for the one about no response."""

PUBLIC_GRACE = timedelta(minutes=15)
"""The same for a public entry: without a receiver, a schedule refreshes it."""


class Reader(StrEnum):
    """Whom an update was promised to."""

    TEAM = "team"
    PUBLIC = "public"

    @property
    def clock(self) -> e.ClockName:
        """The clock of that promise."""
        return e.ClockName.TEAM_UPDATE if self is Reader.TEAM else e.ClockName.PUBLIC_UPDATE


class UpdateClock(Value):
    """A promised update: since when it runs, when it nears its end, and when it is due. Times are aware UTC.

    `kept_by_itself`: the response tells it without anybody's doing, unless something is wrong.
    """

    reader: Reader
    since: datetime
    nearing_at: datetime
    due_at: datetime
    kept_by_itself: bool = False

    @property
    def missed_at(self) -> datetime:
        """From when on it was missed."""
        if not self.kept_by_itself:
            return self.due_at
        return self.due_at + (PUBLIC_GRACE if self.reader is Reader.PUBLIC else GRACE)


def update_clocks(
    incident: Incident, policy: Policy, *, team: Collection[str], public: Collection[str]
) -> tuple[UpdateClock, ...]:
    """The promises that are open: the one to the team in these channels, and the one to the public in those.

    The public is promised one at the intervals of the policy, by whomever, as long as it was told of the
    incident and not of its end. Of several channels, the one that was told longest ago counts.
    """
    if incident.resolved:
        return ()
    severity = incident.rating or Severity.P2
    told: dict[str, tuple[datetime, datetime]] = {}
    for item in incident.journal:
        if not isinstance(item.event, e.StatusAnnounced):
            continue
        channel, due_at = item.event.channel, item.event.next_update_at
        told.pop(channel, None)
        if due_at is not None and channel not in public:
            told[channel] = item.at, due_at
    for channel in public:
        if (at := told_public_at(incident, channel)) is not None:
            told[channel] = at, at + policy.public_update_every(severity)
    clocks = []
    for reader, channels in ((Reader.TEAM, team), (Reader.PUBLIC, public)):
        if promised := [told[channel] for channel in channels if channel in told]:
            since, due_at = min(promised, key=lambda it: it[1])
            asked = _asks_a_person(incident, policy, public, since)
            clocks.append(
                UpdateClock(
                    reader=reader,
                    since=since,
                    nearing_at=policy.nearing_at(since, due_at),
                    due_at=due_at,
                    kept_by_itself=not asked if reader is Reader.PUBLIC else incident.pending_gate is None,
                )
            )
    return tuple(clocks)


def _asks_a_person(incident: Incident, policy: Policy, public: Collection[str], since: datetime) -> bool:
    """Whether the page is told nothing more until a person says yes to a text that waits.

    The text of a refresh, which is asked about once the promise is due, has its own reminder.
    """
    return any(
        it.text.channel in public and it.at >= since and not MessageName(it.text.message).is_refresh
        for it in waiting(incident, policy)
    )


class DueClock(Value):
    """A clock of which people have to be told now, or, once it is `missed`, one of them be paged."""

    clock: e.ClockName
    due_at: datetime
    since: datetime
    """From when on this step is due (aware UTC)."""

    missed: bool
    again: int = 0
    """How often a person has put the reminder off."""

    @property
    def event(self) -> e.ClockReminded:
        """What the journal says once people know."""
        return e.ClockReminded(clock=self.clock, due_at=self.due_at, missed=self.missed, again=self.again)


def due_clocks(
    incident: Incident, *, team: Collection[str], public: Collection[str], policy: Policy, now: datetime
) -> list[DueClock]:
    """The clocks of which people have to hear now, each step once.

    A clock that was missed before anybody heard that it nears its end skips that. The response clock is
    stopped by whatever a person does. A promised update is kept by an update; whoever does something once it
    nears its end knows of it, so that nobody is paged for it. Of a text for the public that waits people are
    reminded, and paged while the incident goes on; after its end they are reminded once a day. Who snoozes a
    reminder gets it once more then; nobody is paged later for that.
    """
    given = {event.journal_key for event in incident.events(e.ClockReminded)}
    found = _texts(incident, policy, now)
    if not incident.resolved:
        found += [_response(incident, policy, now), *_updates(incident, policy, now, team, public)]
    due = []
    for reminder in found:
        step = _once_more(incident, reminder, policy)
        if step is None or step.since > now or step.event.journal_key in given:
            continue
        if not step.missed and step.event.model_copy(update={"missed": True}).journal_key in given:
            continue
        due.append(step)
    return due


def _once_more(incident: Incident, step: DueClock | None, policy: Policy) -> DueClock | None:
    """The step as it is due after what people have snoozed of it."""
    if step is None or step.missed or incident.last(e.ReminderSnoozed) is None:
        return step
    counts, promise = counts_in(incident, policy), step.event.promise
    snoozes = [it for it in incident.events(e.ReminderSnoozed) if it.promise == promise and counts(it)]
    if not snoozes:
        return step
    return step.model_copy(update={"since": snoozes[-1].until, "again": len(snoozes)})


def _texts(incident: Incident, policy: Policy, now: datetime) -> list[DueClock | None]:
    due: list[DueClock | None] = []
    for each in waiting(incident, policy):
        remind_at = each.at + timedelta(seconds=policy.remind_after_seconds)
        page_at = each.at + timedelta(seconds=policy.escalate_after_seconds)
        refreshes = MessageName(each.text.message).is_refresh  # the promise of the update pages for that
        missed = now >= page_at and not incident.resolved and not refreshes
        if now < remind_at or (missed and _is_known(incident, remind_at, policy)):
            continue
        if incident.resolved:  # the page says that it goes on, so once is not enough
            page_at = remind_at = remind_at + (now - remind_at) // REPORT_EVERY * REPORT_EVERY
        since = page_at if missed else remind_at
        due.append(DueClock(clock=e.ClockName.PUBLIC_TEXT, due_at=page_at, since=since, missed=missed))
    return due


def _response(incident: Incident, policy: Policy, now: datetime) -> DueClock | None:
    clock = response_clock(incident, policy)
    state = clock.state(now)
    if state not in (ResponseState.NEARING, ResponseState.MISSED):
        return None
    missed = state is ResponseState.MISSED
    if missed and _is_paged_about_question(incident, policy, now):
        return None
    since = clock.due_at if missed else clock.nearing_at
    return DueClock(clock=e.ClockName.RESPONSE, due_at=clock.due_at, since=since, missed=missed)


def _is_paged_about_question(incident: Incident, policy: Policy, now: datetime) -> bool:
    """Whether a person was paged about the open question, or is to be soon: one page is enough."""
    gate, due = incident.pending_gate, due_notice(incident, policy=policy, now=now + SOON)
    if gate is None:
        return False
    paged = any(it.escalated and it.gate == gate.gate for it in incident.events(e.ApprovalReminded))
    return paged or (due is not None and due.escalated)


def _updates(
    incident: Incident, policy: Policy, now: datetime, team: Collection[str], public: Collection[str]
) -> list[DueClock]:
    found = []
    for clock in update_clocks(incident, policy, team=team, public=public):
        missed = now >= clock.missed_at
        if not missed and (clock.kept_by_itself or now < clock.nearing_at):
            continue
        if _is_known(incident, clock.nearing_at, policy):
            continue
        since = clock.missed_at if missed else clock.nearing_at
        found.append(DueClock(clock=clock.reader.clock, due_at=clock.due_at, since=since, missed=missed))
    return found


def _is_known(incident: Incident, since: datetime, policy: Policy) -> bool:
    """Whether somebody who may has done something from that time on."""
    in_force = policy_in_force(incident, policy)
    return any(
        item.at >= since
        and e.is_act_of_a_person(item.event)
        and (not isinstance(item.event, ActEvent) or act_counts(incident, item.event, in_force))
        for item in incident.journal
    )
