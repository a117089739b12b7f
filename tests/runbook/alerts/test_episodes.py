"""What one more message about an alert means, by what is known of it and in which order things arrive."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.episodes import LATE_WITHIN, AlertRecord, Meaning, meaning_of

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus
MINUTE = timedelta(minutes=1)


def alert(status: AlertStatus, *, starts: datetime | None = None, changed: datetime | None = None) -> Alert:
    """A message about one alert."""
    return Alert(
        source="alertmanager",
        service="posthog-integration",
        name="PostHogErrorsHigh",
        summary="errors",
        status=status,
        fingerprint="f",
        starts_at=starts,
        changed_at=changed,
    )


def known(
    status: AlertStatus,
    *,
    starts: datetime | None = None,
    changed: datetime | None = None,
    turned: datetime = AT - MINUTE,
    is_open: bool = True,
) -> AlertRecord:
    """What is known of that alert."""
    return AlertRecord(
        source="alertmanager",
        key="f",
        service="posthog-integration",
        incident="inc-1",
        open=is_open,
        status=status,
        starts_at=starts,
        changed_at=changed,
        turned_at=turned,
        last_seen_at=turned,
        received=1,
        journalled=True,
    )


def test_an_alert_that_nobody_knows_begins_in_whatever_state_it_is_first_heard_of() -> None:
    """An acknowledgement that overtakes its alert is an alert; a resolution is the end of something."""
    assert [meaning_of(None, alert(status), at=AT) for status in AlertStatus] == [
        Meaning.BEGAN,
        Meaning.BEGAN,
        Meaning.ENDED,
    ]


@pytest.mark.parametrize("status", [FIRING, ACKNOWLEDGED])
def test_a_repeat_changes_nothing(status: AlertStatus) -> None:
    """Alertmanager sends a firing alert again and again; someone may acknowledge it meanwhile."""
    assert meaning_of(known(FIRING, starts=AT), alert(status, starts=AT), at=AT) is Meaning.REPEATED


def test_an_alert_that_still_fires_after_its_incident_was_closed_begins_anew() -> None:
    """Whatever closed the incident, the sender says that the trouble goes on."""
    assert (
        meaning_of(known(FIRING, starts=AT, is_open=False), alert(FIRING, starts=AT), at=AT) is Meaning.BEGAN
    )


def test_a_later_start_is_a_new_episode_though_nobody_told_of_the_end() -> None:
    """The message of the resolution was lost."""
    assert meaning_of(known(FIRING, starts=AT), alert(FIRING, starts=AT + MINUTE), at=AT) is Meaning.BEGAN


def test_an_episode_ends_once() -> None:
    """The first resolution ends it, the second one repeats that."""
    over = alert(RESOLVED, starts=AT, changed=AT + MINUTE)
    assert meaning_of(known(FIRING, starts=AT, changed=AT), over, at=AT) is Meaning.ENDED
    assert meaning_of(known(RESOLVED, starts=AT, changed=AT + MINUTE), over, at=AT) is Meaning.REPEATED


def test_the_end_of_an_earlier_episode_does_not_end_this_one() -> None:
    """It was sent before this episode began, and is late."""
    late = alert(RESOLVED, starts=AT - 9 * MINUTE, changed=AT - 5 * MINUTE)
    assert meaning_of(known(FIRING, starts=AT, changed=AT), late, at=AT) is Meaning.LATE


@pytest.mark.parametrize(
    ("message", "record"),
    [
        (alert(FIRING, starts=AT, changed=AT), known(RESOLVED, starts=AT, changed=AT + MINUTE)),
        (alert(FIRING, starts=AT), known(RESOLVED, starts=AT)),
        (alert(ACKNOWLEDGED, changed=AT), known(RESOLVED, changed=AT + MINUTE)),
    ],
)
def test_what_was_sent_before_the_end_and_comes_after_it_is_late(message: Alert, record: AlertRecord) -> None:
    """Resolved before firing, acknowledged after resolved: the end stands."""
    assert meaning_of(record, message, at=AT) is Meaning.LATE


def test_an_acknowledgement_never_begins_what_has_ended() -> None:
    """Somebody presses the button long after; that is no new trouble."""
    record = known(RESOLVED, changed=AT - 60 * MINUTE, turned=AT - 60 * MINUTE)
    assert meaning_of(record, alert(ACKNOWLEDGED, changed=AT), at=AT) is Meaning.LATE


def test_an_old_episode_that_is_reported_long_after_its_end_goes_on() -> None:
    """Alertmanager resolves what Prometheus was too busy to repeat, and later sends the same `startsAt`."""
    turned = AT - LATE_WITHIN - MINUTE
    record = known(RESOLVED, starts=AT - 60 * MINUTE, changed=AT - 5 * MINUTE, turned=turned)
    assert (
        meaning_of(record, alert(FIRING, starts=AT - 60 * MINUTE, changed=AT - 60 * MINUTE), at=AT)
        is Meaning.BEGAN
    )


@pytest.mark.parametrize("skew", [-10 * MINUTE, 10 * MINUTE])
def test_a_senders_wrong_clock_does_no_harm(skew: timedelta) -> None:
    """Its times are compared with its own: an episode begins, ends and begins again whatever ours says."""
    began, ended, again = (AT + skew + number * MINUTE for number in range(3))
    first = alert(FIRING, starts=began, changed=began)
    over = alert(RESOLVED, starts=began, changed=ended)
    second = alert(FIRING, starts=again, changed=again)
    assert meaning_of(None, first, at=AT) is Meaning.BEGAN
    assert meaning_of(known(FIRING, starts=began, changed=began), over, at=AT + MINUTE) is Meaning.ENDED
    record = known(RESOLVED, starts=began, changed=ended, turned=AT + MINUTE)
    assert meaning_of(record, second, at=AT + 2 * MINUTE) is Meaning.BEGAN


def test_a_sender_whose_clock_was_set_back_is_heard_after_a_while() -> None:
    """Its new episode looks older than the last one; soon after the end that may be a late message."""
    record = known(RESOLVED, starts=AT + 20 * MINUTE, changed=AT + 25 * MINUTE, turned=AT)
    again = alert(FIRING, starts=AT + 3 * MINUTE, changed=AT + 3 * MINUTE)
    assert meaning_of(record, again, at=AT + LATE_WITHIN) is Meaning.LATE
    assert meaning_of(record, again, at=AT + LATE_WITHIN + MINUTE) is Meaning.BEGAN
