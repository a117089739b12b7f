"""When the loop counts as broken, and when a person is called for it."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook.caretaking.self_watch import blindness, may_have_paged, relief_text, silence
from runbook.checks.findings import Finding, Findings
from runbook.checks.spec import CheckName
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.probe import PROBE
from tests.runbook.findings_samples import health

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
EVERY = timedelta(minutes=5)


def blind(check: CheckName) -> Finding:
    """A check that could not be made."""
    return Finding.unknown(check, f"{check} did not answer", observed_at=NOW)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ([blind(LOGS.name), health("healthy")], ""),
        ([blind(LOGS.name), health("down")], ""),
        (
            [blind(LOGS.name), blind(PROBE.name)],
            "triage has no facts: logs did not answer; probe did not answer",
        ),
        ([], "triage has no facts: no check ran"),
    ],
    ids=["one is well", "one is in trouble", "all unknown", "none"],
)
def test_only_a_triage_that_sees_nothing_is_broken(seen: list[Finding], why: str) -> None:
    """Trouble that the checks find is what they are for."""
    assert blindness(Findings(items=tuple(seen))) == why


MINUTES = [
    # last good round, receiver started, called
    (5, 60, False),
    (14, 60, False),
    (15, 60, True),
    (600, 60, True),
    (600, 4, False),
    (600, 5, True),
    (None, 14, False),
    (None, 15, True),
]


@pytest.mark.parametrize(("last", "started", "called"), MINUTES)
def test_three_missing_rounds_call_a_person(last: int | None, started: int, called: bool) -> None:
    """After a restart of everything the schedule has an interval to begin; one that never began has three."""
    because = silence(
        last=None if last is None else NOW - timedelta(minutes=last),
        watched_since=NOW - timedelta(minutes=started),
        every=EVERY,
        now=NOW,
    )
    assert bool(because) is called


def test_the_reason_is_the_same_at_each_look() -> None:
    """It names when all was well last, which does not change."""
    reasons = {
        silence(last=NOW, watched_since=NOW, every=EVERY, now=NOW + timedelta(minutes=minutes))
        for minutes in (15, 16, 60)
    }
    assert reasons == {
        "no round has succeeded since 2026-11-22 15:00 UTC: check the worker, Prefect and its schedules"
    }


@pytest.mark.parametrize(("before", "may"), [(None, True), (5, False), (7, False), (8, True), (10, True)])
def test_a_gap_between_good_rounds_may_hide_a_call(before: int | None, may: bool) -> None:
    """While the store is away, it cannot tell that somebody was called."""
    at = None if before is None else NOW - timedelta(minutes=before)
    assert may_have_paged(before=at, every=EVERY, now=NOW) is may


@pytest.mark.parametrize(("seconds", "minutes"), [(5, 1), (600, 10)])
def test_relief_says_how_long_it_was(seconds: int, minutes: int) -> None:
    """In whole minutes."""
    assert f" {minutes} min " in relief_text(since=NOW, now=NOW + timedelta(seconds=seconds))
