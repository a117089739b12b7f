"""What batches of messages do to incidents: joined, counted, told once, and the same however they are cut."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import RECURS_WITHIN, TOLD_ONE_BY_ONE, Batch, Known, Message, Received
from runbook.incidents.events import (
    AlertJoined,
    AlertLeft,
    AlertsResolved,
    AlertStormNoted,
    FlappingNoted,
    IncidentOpened,
)

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus
SECOND = timedelta(seconds=1)


def alert(name: str = "A", status: AlertStatus = FIRING, **fields: Any) -> Alert:
    """A message about an alert of that name."""
    given_fields = {"source": "alertmanager", "service": "s", "summary": "x", "fingerprint": name} | fields
    return Alert(name=name, status=status, **given_fields)


class Store:
    """What the store holds from batch to batch."""

    def __init__(self, *, flapping_episodes: int = 5) -> None:
        self.known = Known()
        self.flapping_episodes = flapping_episodes
        self.events: list[tuple[str, object]] = []
        self.numbers = count(1)

    def take(self, *alerts: Alert, at: datetime = AT) -> list[Received]:
        """Take the messages of one batch."""
        batch = Batch(self.known, "test", lambda _: f"inc-{next(self.numbers)}", self.flapping_episodes)
        received = [batch.take(Message(item, at)) for item in alerts]
        self.events += [(item.incident, item.event) for item in batch.told]
        return received

    def close(self, service: str, at: datetime) -> None:
        """The incident of the service is closed."""
        incident = self.known.open.pop(service)
        self.known.closed[service] = (incident, at)
        for key, record in self.known.alerts.items():
            if record.incident == incident:
                self.known.alerts[key] = record.model_copy(update={"open": False})

    def kinds(self) -> list[str]:
        """The names of the events, oldest first."""
        return [type(event).__name__ for _, event in self.events]


def test_the_first_alert_opens_and_the_others_join_from_whichever_source() -> None:
    """One service has one open incident."""
    store = Store()
    received = store.take(alert("A"), alert("B", source="pagerduty"), alert("C", service="other"))
    assert [(item.incident, item.opened) for item in received] == [
        ("inc-1", True),
        ("inc-1", False),
        ("inc-2", True),
    ]
    assert store.kinds() == ["IncidentOpened", "AlertJoined", "IncidentOpened"]


def test_repeats_change_nothing_but_a_counter() -> None:
    """However often the group is sent, the journal stays as it is."""
    store = Store()
    for _ in range(4):
        store.take(alert("A"), alert("A"))
    assert store.kinds() == ["IncidentOpened"]
    [record] = store.known.alerts.values()
    assert record.received == 8


def test_a_delivery_is_taken_once() -> None:
    """PagerDuty sends what was not answered in time again: the same id is the same message."""
    store = Store()
    store.take(alert("A", delivery="d1"))
    [again] = store.take(alert("A", RESOLVED, delivery="d1"))
    assert again == Received(None, "inc-1")
    assert store.kinds() == ["IncidentOpened"]


def test_the_end_of_the_last_alert_is_told_and_a_new_beginning_joins_again() -> None:
    """All resolved is news for the run; it is not the end of the incident."""
    store = Store()
    store.take(alert("A"), alert("B"))
    one, two = store.take(alert("A", RESOLVED), alert("B", RESOLVED))
    assert (one.over, two.over) == (False, True)
    [again] = store.take(alert("A"), at=AT + SECOND)
    assert (again.meaning, again.incident, again.opened) == (Meaning.BEGAN, "inc-1", False)
    assert store.kinds() == [
        "IncidentOpened",
        "AlertJoined",
        "AlertLeft",
        "AlertLeft",
        "AlertsResolved",
        "AlertJoined",
    ]


def test_after_closing_a_new_incident_is_linked_to_the_last_one() -> None:
    """The on-call sees that it was here before; after a day it is another story."""
    store = Store()
    store.take(alert("A"))
    store.close("s", AT)
    store.take(alert("A"), at=AT + SECOND)
    store.close("s", AT)
    store.take(alert("A"), at=AT + RECURS_WITHIN + SECOND)
    opened = [event for _, event in store.events if isinstance(event, IncidentOpened)]
    assert [event.recurrence_of for event in opened] == ["", "inc-1", ""]


def test_an_alert_that_begins_too_often_marks_its_incident_once() -> None:
    """Flapping is told once; the episodes go on being counted."""
    store = Store(flapping_episodes=3)
    for number in range(8):
        store.take(alert("A"), at=AT + number * SECOND)
        store.take(alert("A", RESOLVED), at=AT + number * SECOND)
    noted = [event for _, event in store.events if isinstance(event, FlappingNoted)]
    assert noted == [FlappingNoted(alert="A", episodes=4)]


def test_of_a_storm_only_the_beginning_is_told_alert_by_alert() -> None:
    """A journal that is read at every step stays small; the number of alerts is told as it doubles."""
    store = Store()
    store.take(*(alert(f"A{number}") for number in range(1000)))
    counts = Counter(store.kinds())
    assert counts["AlertJoined"] == TOLD_ONE_BY_ONE - 1
    stormed = [event.alerts for _, event in store.events if isinstance(event, AlertStormNoted)]
    assert stormed == [32, 64, 128, 256, 512]
    store.take(*(alert(f"A{number}", RESOLVED) for number in range(1000)))
    assert Counter(store.kinds())["AlertLeft"] == TOLD_ONE_BY_ONE
    assert store.events[-1] == ("inc-1", AlertsResolved(alerts=1000))


def test_no_secret_of_a_sender_gets_into_the_journal() -> None:
    """Labels, texts, addresses and unknown fields are masked before they are written."""
    secret = "phx_" + "s" * 40
    store = Store()
    fields: dict[str, Any] = {
        "summary": f"key {secret}",
        "labels": {"key": secret},
        "extra": {"api_key": secret},
    }
    store.take(alert(url=f"https://x.example/?token={secret}", **fields))
    assert secret not in repr(store.events)


messages = st.lists(
    st.builds(
        alert,
        st.sampled_from("ABC"),
        st.sampled_from([FIRING, ACKNOWLEDGED, RESOLVED]),
        service=st.sampled_from(["s", "t"]),
        starts_at=st.none() | st.integers(0, 9).map(lambda n: AT + n * SECOND),
    ),
    max_size=30,
)


@given(messages, st.integers(1, 30))
def test_how_messages_are_cut_into_batches_makes_no_difference(sent: list[Alert], size: int) -> None:
    """A storm in one transaction ends as its messages one by one."""
    whole, cut = Store(), Store()
    whole.take(*sent)
    for start in range(0, len(sent), size):
        cut.take(*sent[start : start + size])
    assert whole.events == cut.events
    assert whole.known == cut.known


@given(messages)
def test_every_message_is_counted_and_the_tallies_are_true(sent: list[Alert]) -> None:
    """None is lost, and what an incident says of its alerts is what the alerts say."""
    store = Store()
    store.take(*sent)
    assert sum(record.received for record in store.known.alerts.values()) == len(sent)
    for incident, tally in store.known.tallies.items():
        own = [record for record in store.known.alerts.values() if record.incident == incident]
        assert (tally.alerts, tally.firing) == (len(own), sum(record.firing for record in own))
        told = [event for of, event in store.events if of == incident and not isinstance(event, AlertLeft)]
        assert isinstance(told[-1], AlertsResolved) == (tally.firing == 0)
        assert all(isinstance(event, IncidentOpened | AlertJoined | AlertsResolved) for event in told)
