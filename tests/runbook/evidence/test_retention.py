"""What is removed of an old incident: never anything that somebody may still need."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runbook.actions.catalogue import TEMPORARY_SWITCHES, ActionOutcome, PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.alerts.intake import RECURS_WITHIN
from runbook.evidence.manifest import collection_name
from runbook.evidence.retention import (
    DELIVERIES_COUNT_FOR,
    Part,
    deliveries_count_since,
    expired,
    kept_because,
    removal,
)
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.keep_days import KeepDays
from runbook.policy.policy import Policy
from tests.runbook.journals import FALLBACK, OPENED, every_event, finished, incident, resolved

DAY = timedelta(days=1)
CLOSED = e.IncidentClosed(outcome="recovered")
SWITCHED_OFF = finished(
    ActionOutcome.DONE,
    PlannedAction(
        id="1-enable-fallback-off",
        name=TEMPORARY_SWITCHES[ENABLE_FALLBACK.name],
        target=FALLBACK.target,
        because="it is over",
    ),
)


def keep(incidents: int = 0, evidence: int = 0) -> Policy:
    """The policy that keeps them for so many days."""
    return Policy(keep_days=KeepDays(incidents=incidents, evidence=evidence))


def collected(seconds: int) -> e.EvidenceCollected:
    """The collection that is due so long after the resolution."""
    return e.EvidenceCollected(
        collection=collection_name(seconds), folder="", manifest_sha256="", files={}, missing={}
    )


ALL_EVIDENCE: tuple[e.Event, ...] = tuple(collected(seconds) for seconds in Policy().evidence_due_seconds)
DONE: tuple[e.Event, ...] = (resolved(), *ALL_EVIDENCE, CLOSED)


def closed_at(of: Incident) -> datetime:
    """When it was closed."""
    return next(item.at for item in of.journal if isinstance(item.event, e.IncidentClosed))


@pytest.mark.parametrize(
    ("incidents", "evidence", "age_days", "part"),
    [
        (0, 0, 10_000, None),
        (30, 0, 30, None),
        (30, 0, 31, Part.INCIDENT),
        (0, 7, 7, None),
        (0, 7, 8, Part.EVIDENCE),
        (0, 7, 10_000, Part.EVIDENCE),
        (30, 7, 6, None),
        (30, 7, 30, Part.EVIDENCE),
        (30, 7, 31, Part.INCIDENT),
        (30, 30, 31, Part.INCIDENT),
        (1, 1, 1, None),
    ],
)
def test_time_is_up_after_the_days_of_the_settings(
    incidents: int, evidence: int, age_days: int, part: Part | None
) -> None:
    """Counted from the closing; 0 keeps for ever, and the evidence goes with its incident at the latest."""
    of = incident(*DONE)
    assert expired(of, policy=keep(incidents, evidence), now=closed_at(of) + age_days * DAY) is part


def test_a_reopened_incident_is_open() -> None:
    """However long ago it was closed before."""
    policy = Policy(keep_days=KeepDays(incidents=1, evidence=1))
    again = incident(*every_event(), e.IncidentReopened(because="it fires again"))
    assert removal(again, followed_by="", policy=policy, now=OPENED + timedelta(days=99)) is None


@given(
    events=st.lists(st.sampled_from(every_event()[:-1]), max_size=12),
    incidents=st.integers(0, 400),
    evidence=st.integers(0, 400),
    age=st.timedeltas(timedelta(0), timedelta(days=5000)),
)
def test_an_open_incident_is_never_touched(
    events: list[e.Event], incidents: int, evidence: int, age: timedelta
) -> None:
    """Whatever happened to it and however old it is, resolved or not."""
    policy = keep(incidents, min(evidence, incidents or evidence))
    assert removal(incident(*events), followed_by="", policy=policy, now=OPENED + age) is None


@given(age=st.timedeltas(timedelta(0), timedelta(days=40)), incidents=st.integers(0, 9))
def test_what_a_new_incident_would_be_linked_to_is_kept(age: timedelta, incidents: int) -> None:
    """As long as the intake looks for the last incident of a service, it is there to be found."""
    of = incident(*DONE)
    found = removal(of, followed_by="", policy=keep(incidents), now=closed_at(of) + age)
    assert (found is not None) == (incidents > 0 and age > incidents * DAY)
    assert found is None or age > RECURS_WITHIN


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (DONE, ""),
        ((CLOSED,), ""),  # a response that never ended has no evidence that is due
        ((resolved(), *ALL_EVIDENCE[:-1], CLOSED), "its evidence is not complete: after-24h"),
        ((resolved(), CLOSED), "its evidence is not complete: resolution, after-1h, after-24h"),
        (
            (finished(ActionOutcome.RECOVERED), *DONE),
            "it left on: enable_fallback (deployment/posthog-integration)",
        ),
        ((finished(ActionOutcome.UNKNOWN), *DONE), "it left on: enable_fallback"),
        ((finished(ActionOutcome.REJECTED), *DONE), ""),
        ((finished(ActionOutcome.RECOVERED), SWITCHED_OFF, *DONE), ""),
        (
            (
                finished(ActionOutcome.RECOVERED),
                *DONE,
                e.SwitchChecked(action_id=FALLBACK.id, switch="POSTHOG_FALLBACK=true", on=False),
            ),
            "",
        ),
    ],
)
def test_an_incident_that_left_something_to_do_is_kept(events: tuple[e.Event, ...], reason: str) -> None:
    """The reason is told, and nothing at all of the incident is removed."""
    of = incident(*events)
    assert kept_because(of, followed_by="", policy=keep(30)).startswith(reason)
    assert bool(kept_because(of, followed_by="", policy=keep(30))) == bool(reason)
    for policy in (keep(30), keep(evidence=30)):
        found = removal(of, followed_by="", policy=policy, now=closed_at(of) + 31 * DAY)
        assert found is not None
        assert bool(found.kept_because) == bool(reason)


def test_the_incident_before_an_open_one_is_kept() -> None:
    """Who works on it wants to know how it went last time."""
    of = incident(*DONE)
    assert kept_because(of, followed_by="inc-2", policy=keep(30)) == "inc-2 is open, which followed it"


def test_evidence_cannot_be_kept_longer_than_its_incident() -> None:
    """Nobody would find it; for as long as it, and without an end to either, are fine."""
    with pytest.raises(ValidationError, match="kept longer than its incident"):
        KeepDays(incidents=30, evidence=31)
    for incidents, evidence in ((30, 30), (30, 0), (0, 31), (0, 0)):
        assert KeepDays(incidents=incidents, evidence=evidence).evidence == evidence


def test_received_messages_are_known_for_as_long_as_incidents_and_a_month_at_least() -> None:
    """A message that is sent again within that time is recognised."""
    assert deliveries_count_since(keep(1), OPENED) == OPENED - DELIVERIES_COUNT_FOR
    assert deliveries_count_since(keep(90), OPENED) == OPENED - 90 * DAY
