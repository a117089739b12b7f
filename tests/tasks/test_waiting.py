"""Waiting for a person holds no process, and keeps the promises that people were given."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.again import told_next_look
from runbook.decision.verdict import Verdict
from runbook.incidents import events as e
from tasks.incident import OpenIncident, now
from tasks.waiting import Waiting, asks_about, is_given_up, note_pause, pause_watch, with_next_look
from tests.runbook.journals import FALLBACK, HAND_OFF, asked, decided, decision
from tests.tasks.environments import open_incident

SECOND = timedelta(seconds=1)


async def undecided(folder: Path, **policy: Any) -> OpenIncident:
    """An incident without a decision that helps; the runbook looks again after 300 s."""
    incident = await open_incident(folder, look_again_seconds=300, **policy)
    await incident.record(decided(decision(Verdict.UNKNOWN)))
    return incident


async def promise(incident: OpenIncident, seconds: float, *, channel: str = "slack") -> None:
    """The channel was told when it hears more."""
    due = now() + seconds * SECOND
    await incident.record(e.StatusAnnounced(channel=channel, state="INVESTIGATING", next_update_at=due))


async def test_a_pause_is_noted_once_for_a_decision(tmp_path: Path) -> None:
    """The process may die after that: whoever continues notes nothing again, and waits as long."""
    incident = await undecided(tmp_path)
    first = await note_pause(incident, "no facts")
    assert await note_pause(incident, "in other words") == first
    assert abs(first - now() - 300 * SECOND) < 10 * SECOND
    [paused] = (await incident.read()).events(e.ResponsePaused)
    assert (paused.because, paused.next_look_at, paused.round) == ("no facts", first, 1)
    await incident.record(e.FactsChanged(round=2, because=("x",)))
    await note_pause(incident, "no facts again")
    assert [it.round for it in (await incident.read()).events(e.ResponsePaused)] == [1, 2]


@pytest.mark.parametrize("pause", ["person", "watch"])
async def test_the_run_starts_in_time_for_what_was_promised(tmp_path: Path, pause: str) -> None:
    """The newest promise of each channel counts; one that has passed is kept before, and is no reason."""
    incident = await undecided(tmp_path)

    async def wait() -> float:
        until = await (note_pause(incident, "no facts") if pause == "person" else pause_watch(incident))
        return (until - now()).total_seconds()

    assert await wait() == pytest.approx(300, abs=10)
    await promise(incident, 60)
    await promise(incident, 200, channel="chat")
    assert await wait() == pytest.approx(60, abs=10)
    await promise(incident, 2000)
    assert await wait() == pytest.approx(200, abs=10)
    await promise(incident, -5, channel="chat")
    assert await wait() == pytest.approx(300, abs=10)


async def test_who_is_called_reads_when_the_runbook_looks_again(tmp_path: Path) -> None:
    """So that they know what it does meanwhile."""
    incident = await undecided(tmp_path)
    said = await with_next_look(incident, "no facts")
    at = (await incident.read()).journal[-1].at + 300 * SECOND
    assert said == f"no facts; the runbook looks again at {at:%H:%M} UTC"
    assert str(Waiting(at)) == f"waiting until {at:%H:%M:%S} UTC"


async def test_a_look_that_is_overdue_is_made_at_once(tmp_path: Path) -> None:
    """Who is called after a long watch is told no time that has passed."""
    incident = await undecided(tmp_path)
    long_after = (await incident.read()).journal[-1].at + 6 * 3600 * SECOND
    said = told_next_look(await incident.read(), policy=incident.policy, now=long_after)
    assert said == "the runbook looks again at once"


async def test_only_the_question_about_an_action_is_taken_back_for_it(tmp_path: Path) -> None:
    """Another one's, or one that was answered, is not."""
    incident = await undecided(tmp_path)
    await incident.record(asked())
    journal = await incident.read()
    assert (asks_about(journal, FALLBACK), asks_about(journal, HAND_OFF)) == (True, False)
    withdrawn = e.ApprovalWithdrawn(gate="gate-1", action_id=FALLBACK.id, because="x")
    await incident.record(withdrawn)
    assert not asks_about(await incident.read(), FALLBACK)


async def test_a_watch_is_given_up_after_its_limit(tmp_path: Path) -> None:
    """Counted from its beginning."""
    incident = await undecided(tmp_path, watch_limit_seconds=100)
    store = incident.environment.store
    for seconds, given_up in ((200, True), (50, False)):
        started = e.WatchStarted(waiting_for=())
        await store.append(incident.id, started, at=now() - seconds * SECOND)
        assert await is_given_up(incident) is given_up
