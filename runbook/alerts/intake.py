"""What a batch of messages about alerts does to the incidents: a pure fold, written to the store as a whole.

Alerts of one service belong to one incident, whichever system they come from. The first opens it; what begins
or ends is told in its journal; everything else is only counted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.episodes import AlertRecord, Meaning, meaning_of
from runbook.alerts.unrouted import EVERY_SERVICE, Routing
from runbook.caretaking.self_watch import SOURCE as SELF_WATCH
from runbook.incidents.events import (
    AlertJoined,
    AlertLeft,
    AlertsResolved,
    AlertStormNoted,
    Event,
    FlappingNoted,
    IncidentOpened,
    IncidentReopened,
)
from runbook.policy.permissions import Permissions

TOLD_ONE_BY_ONE = 20
"""Alerts of an incident that are journalled each; of more, only how many they are, each time they double."""

FLAPPING_WITHIN = timedelta(hours=1)
RECURS_WITHIN = timedelta(days=1)
QUIET_BEFORE_TOLD_AGAIN = timedelta(hours=1)
"""An unrouted alert that comes and goes is told once; after so much quiet it is news again."""
"""A new incident this soon after the end of the last one of its service is linked to it."""

Key = tuple[str, str, str]
"""An alert: the name of its source, its service, and its key there."""

Delivery = tuple[str, str]
"""A message: the name of its source, and the source's id of it."""


@dataclass(frozen=True)
class Message:
    """One message about an alert, and when it was received (aware UTC)."""

    alert: Alert
    at: datetime

    @property
    def key(self) -> Key:
        """Which alert it is about."""
        return self.alert.source, self.alert.service, self.alert.key


@dataclass(frozen=True)
class Received:
    """What happened to a message. `meaning` is `None` for a replay; `incident` is empty where none is open.

    `over` says that no alert of the incident fires any more. Of an unrouted alert, `opened` says that it
    begins.
    """

    meaning: Meaning | None
    incident: str = ""
    opened: bool = False
    reopened: bool = False
    over: bool = False


@dataclass
class Tally:
    """The alerts of an incident: how many there are, and how many of them fire."""

    alerts: int = 0
    firing: int = 0


@dataclass
class Known:
    """What the store knows about the alerts and services of a batch, kept up to date as it is taken.

    `open` has the open incident of each service, `closed` its newest closed one and when that was closed.
    `environments` has where that one was opened, `reopened` how often it was reopened. `episodes` has how
    often each alert began anew within the last hour, `flapping` the incidents that are marked already.
    """

    alerts: dict[Key, AlertRecord] = field(default_factory=dict)
    deliveries: set[Delivery] = field(default_factory=set)
    open: dict[str, str] = field(default_factory=dict)
    closed: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    environments: dict[str, str] = field(default_factory=dict)
    reopened: dict[str, int] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    episodes: dict[Key, int] = field(default_factory=dict)
    flapping: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Told:
    """An event for an incident's journal; with a key it is told once."""

    incident: str
    event: Event
    at: datetime
    key: str | None = None


@dataclass
class Batch:
    """The messages of one transaction, taken in their order; what there is to write collects in its fields.

    An alert that begins anew more than `flapping_episodes` times within an hour marks its incident.
    `permissions` is what the policy permits at present, for the journals of the incidents that open. Within
    `reopen_within` of its end, an incident is reopened by its own alert, and by no other. An alert of a
    service that is not ours by the `routing` opens none here, since it would be about another target: it
    opens one in its own environment where that is served, with what that policy permits.
    """

    known: Known
    environment: str
    new_id: Callable[[datetime], str]
    flapping_episodes: int
    permissions: Permissions | None = None
    reopen_within: timedelta = timedelta(0)
    routing: Routing = EVERY_SERVICE
    opened: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """The service and the time of each new incident, by its id."""
    reopened: set[str] = field(default_factory=set)
    """The ids of the incidents that go on again."""
    told: list[Told] = field(default_factory=list)
    alerts: set[Key] = field(default_factory=set)
    """Alerts that there were messages about."""
    deliveries: dict[Delivery, datetime] = field(default_factory=dict)
    episodes: list[tuple[Key, datetime]] = field(default_factory=list)
    rounds: list[Message] = field(default_factory=list)
    """The synthetic alerts of the self-watch."""

    def take(self, message: Message) -> Received:
        """Count the message and do what it means."""
        alert = message.alert
        if alert.source == SELF_WATCH:
            self.rounds.append(message)
            return Received(Meaning.NOTED)
        delivery = (alert.source, alert.delivery)
        if alert.delivery and delivery in self.known.deliveries:
            return Received(None, self.known.open.get(alert.service, ""))
        if alert.delivery:
            self.known.deliveries.add(delivery)
            self.deliveries[delivery] = message.at
        before = self.known.alerts.get(message.key)
        if self._is_of_another_target(alert.service):
            return self._keep_unrouted(message, before)
        meaning = meaning_of(before, alert, at=message.at, quiet_for=self.reopen_within)
        if meaning is Meaning.BEGAN:
            return self._begin(message, before)
        if meaning is Meaning.ENDED:
            return self._end(message, before)
        if before is not None:
            times = [at for at in (before.changed_at, alert.changed_at) if at is not None]
            self._keep(message, before.model_copy(update={"changed_at": max(times, default=None)}))
        return Received(meaning, self.known.open.get(alert.service, ""))

    def _is_of_another_target(self, service: str) -> bool:
        """An alert of a service whose incident is open, or goes on in another one, has its place."""
        if self.routing.is_ours(service) or self.routing.served_for(service):
            return False
        return service not in self.known.open

    def _keep_unrouted(self, message: Message, before: AlertRecord | None) -> Received:
        """Keep the alert without an incident; `opened` says that nobody has heard of it yet."""
        firing = message.alert.status is not AlertStatus.RESOLVED
        first = firing and (before is None or not before.firing)
        record = _record(message, "", before, is_open=False, journalled=False)
        if before is not None and not before.incident:
            quiet = first and message.at - before.last_seen_at >= QUIET_BEFORE_TOLD_AGAIN
            record = record.model_copy(update={"journalled": before.journalled and not quiet})
            if before.firing is firing:
                record = record.model_copy(update={"turned_at": before.turned_at})
        self._keep(message, record)
        return Received(Meaning.UNROUTED, opened=first)

    def _begin(self, message: Message, before: AlertRecord | None) -> Received:
        alert = message.alert
        incident, opened = self.known.open.get(alert.service), False
        reopened = incident is None and self._reopen(message, before)
        if reopened:
            incident = self.known.open[alert.service]
        if incident is None:
            incident, opened = self._open(message), True
        tally = self.known.tallies.setdefault(incident, Tally())
        ours = before if before is not None and before.incident == incident else None
        none_fired = tally.firing == 0
        tally.alerts += ours is None
        tally.firing += ours is None or not ours.firing
        journalled = none_fired or (ours.journalled if ours else tally.alerts <= TOLD_ONE_BY_ONE)
        if journalled and not opened:
            self._tell(message, incident, AlertJoined(alert=alert))
        elif not journalled and ours is None and tally.alerts.bit_count() == 1:
            self._tell(message, incident, AlertStormNoted(alerts=tally.alerts))
        self._keep(message, _record(message, incident, before, is_open=True, journalled=journalled))
        if before is not None:
            self._count_episode(message, incident)
        return Received(Meaning.BEGAN, incident, opened, reopened)

    def _reopen(self, message: Message, before: AlertRecord | None) -> bool:
        """Whether the service's last incident goes on again: its own alert fires soon after its end.

        Not where the service belongs to another environment by now: its target would be another one.
        """
        last, closed_at = self.known.closed.get(message.alert.service, ("", message.at))
        if not last or before is None or before.incident != last:
            return False
        here = self.routing.served_for(message.alert.service) or self.environment
        if message.at - closed_at >= self.reopen_within or self.known.environments.get(last, here) != here:
            return False
        self.known.open[message.alert.service] = last
        self.reopened.add(last)
        number = self.known.reopened.get(last, 0) + 1
        event = IncidentReopened(because=f"{message.alert.name} fires again", reopened=number)
        self._tell(message, last, event)
        return True

    def _open(self, message: Message) -> str:
        service, at = message.alert.service, message.at
        incident = self.new_id(at)
        last, closed_at = self.known.closed.get(service, ("", at))
        recurrence_of = last if at - closed_at <= RECURS_WITHIN else ""
        self.known.open[service] = incident
        self.opened[incident] = (service, at)
        other = self.routing.served_for(service)
        event = IncidentOpened(
            alert=message.alert,
            environment=other or self.environment,
            recurrence_of=recurrence_of,
            states_identities=True,
            permissions=self.routing.served[other] if other else self.permissions,
        )
        self._tell(message, incident, event)
        return incident

    def _end(self, message: Message, before: AlertRecord | None) -> Received:
        incident = self.known.open.get(message.alert.service, "")
        ours = before is not None and before.open and before.incident == incident
        journalled, over = before is not None and before.journalled, False
        if ours:
            tally = self.known.tallies[incident]
            tally.firing -= 1
            over = tally.firing == 0
            if journalled:
                self._tell(message, incident, AlertLeft(alert=_in_short(message.alert)))
            if over:
                key = AlertsResolved.key_of(message.at, len(self.told))
                self._tell(message, incident, AlertsResolved(alerts=tally.alerts), key)
        belongs_to = before.incident if before is not None else ""
        self._keep(message, _record(message, belongs_to, before, is_open=ours, journalled=journalled))
        return Received(Meaning.ENDED, incident, over=over)

    def _count_episode(self, message: Message, incident: str) -> None:
        self.episodes.append((message.key, message.at))
        episodes = self.known.episodes.get(message.key, 0) + 1
        self.known.episodes[message.key] = episodes
        if episodes > self.flapping_episodes and incident not in self.known.flapping:
            self.known.flapping.add(incident)
            event = FlappingNoted(alert=message.alert.name, episodes=episodes)
            self._tell(message, incident, event)

    def _keep(self, message: Message, record: AlertRecord) -> None:
        counted = {"received": record.received + 1, "last_seen_at": message.at}
        self.known.alerts[message.key] = record.model_copy(update=counted)
        self.alerts.add(message.key)

    def _tell(self, message: Message, incident: str, event: Event, key: str | None = None) -> None:
        self.told.append(Told(incident, event, message.at, key or event.journal_key))


def _in_short(alert: Alert) -> Alert:
    """Without what the journal has of the alert's beginning already."""
    return alert.model_copy(update={"labels": {}, "extra": {}, "key": alert.key})


def _record(
    message: Message, incident: str, before: AlertRecord | None, *, is_open: bool, journalled: bool
) -> AlertRecord:
    alert = message.alert
    return AlertRecord(
        source=alert.source,
        key=alert.key,
        service=alert.service,
        name=alert.name,
        incident=incident,
        open=is_open,
        status=alert.status,
        starts_at=alert.starts_at,
        changed_at=alert.changed_at,
        turned_at=message.at,
        last_seen_at=message.at,
        received=before.received if before else 0,
        journalled=journalled,
    )
