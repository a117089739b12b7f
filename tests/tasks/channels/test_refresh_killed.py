"""A process that is killed while it sends or changes a message leaves one, which becomes true again."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from blocks.channels.slack import Slack
from runbook.approvals.gates import Choice
from runbook.channels.cards import standing
from runbook.incidents import events as e
from runbook.incidents.state import State
from tasks.channels import refresh as module
from tasks.channels.communicate import announce
from tasks.channels.refresh import refresh
from tasks.incident import OpenIncident
from tasks.lease import on_duty
from tests.runbook.journals import answered
from tests.tasks.channels.team import Team, team

__all__ = ["team"]  # a fixture, found here


class Died(BaseException):
    """The process was killed."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once, so that no test waits."""
    monkeypatch.setattr(standing, "FIRST_PAUSE", timedelta())
    monkeypatch.setattr(standing, "LONGEST_PAUSE", timedelta())
    monkeypatch.setattr(module, "LEASE", timedelta())  # of a killed process: it is over at once


def question(team: Team) -> dict[str, Any]:
    """The one message that asks, or asked."""
    (found,) = (it for it in team.slack.messages if "POSTHOG_FALLBACK" in it["text"])
    return found


def dying_at(monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """The process dies at this point of the next change of a message."""
    post = Slack._call

    async def before(*_: Any) -> Any:
        raise Died

    async def after(self: Slack, what: str, request: Any) -> Any:
        await post(self, what, request)
        raise Died

    if point in ("before the request", "after the request"):
        monkeypatch.setattr(Slack, "_call", before if point == "before the request" else after)
        return
    record = OpenIncident.record
    kind = e.EffectIntended if "intent" in point else e.EffectSettled

    async def recording(self: OpenIncident, event: e.Event, *, key: str | None = None) -> e.Recorded:
        if isinstance(event, kind) and point.startswith("before"):
            raise Died
        recorded = await record(self, event, key=key)
        if isinstance(event, kind):
            raise Died
        return recorded

    monkeypatch.setattr(OpenIncident, "record", recording)


POINTS = (
    "before the intent",
    "after the intent",
    "before the request",
    "after the request",
    "before the outcome",
    "after the outcome",
)


async def dies(at: str, act: Callable[[], Awaitable[object]]) -> None:
    """Do it, and be killed at that point."""
    with pytest.MonkeyPatch.context() as patch:
        dying_at(patch, at)
        with pytest.raises(Died):
            await act()


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_process_leaves_one_question(team: Team, point: str) -> None:
    """Whoever comes next finds what was posted, or posts it."""
    await dies(point, lambda: refresh(team.incident))
    await refresh(team.incident)

    assert question(team)["text"].startswith("❓")
    assert await refresh(team.incident) == []


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_process_leaves_an_answered_question(team: Team, point: str) -> None:
    """The same again is harmless; what is said meanwhile is what is shown."""
    await refresh(team.incident)
    await team.incident.record(answered(Choice.REJECT))
    await dies(point, lambda: refresh(team.incident))
    await refresh(team.incident)

    assert question(team)["text"].startswith("⛔")
    assert await refresh(team.incident) == []


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_process_leaves_a_true_first_message(team: Team, point: str) -> None:
    """Also where the lead changes between the kill and the next look."""
    await announce(team.incident, State.INVESTIGATING)
    await team.incident.record(e.LeadAssigned(lead="ana", by="ana"))
    await dies(point, lambda: refresh(team.incident))
    await team.incident.record(e.LeadAssigned(lead="bob", by="bob"))
    await refresh(team.incident)

    assert "Incident commander: @bob" in team.slack.messages[0]["text"]
    assert len(team.slack.messages) == 2
    assert await refresh(team.incident) == []


@pytest.mark.parametrize("ours", [True, False], ids=["a run of ours", "another process"])
async def test_a_run_does_not_wait_for_the_lease_of_the_run_before(team: Team, ours: bool) -> None:
    """The run that died held it; a process that looks at the clock may be at work, and is waited for."""
    incident = team.incident
    target = f"messages of {incident.id} of {incident.environment.name}"
    holder, at = incident.id if ours else "a process", datetime.now(UTC)
    await incident.environment.store.take_lease(target, holder, at=at, until=at + timedelta(minutes=1))

    async with on_duty(incident) as run:
        asked = await refresh(run)

    assert bool(asked) is ours


async def test_two_steps_of_a_run_ask_once(team: Team) -> None:
    """To the store they are the same holder, so they wait for each other."""
    async with on_duty(team.incident) as run:
        done = await asyncio.gather(refresh(run), refresh(run))

    assert sorted(map(len, done)) == [0, len(max(done, key=len))]
    assert question(team)["text"].startswith("❓")


async def test_what_is_stale_is_due_anew_after_each_lease(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that came while the lease of a dead process lasted did nothing, and is not the last one."""
    monkeypatch.setattr(module, "LEASE", timedelta(minutes=1))
    journal, at = await team.incident.read(), datetime(2026, 11, 29, 8, 16, 5, tzinfo=UTC)

    def due(after: int) -> list[str]:
        return module.stale_messages(team.incident.environment, journal, at + timedelta(seconds=after))

    assert due(0)
    assert due(0) == due(30)
    assert not set(due(0)) & set(due(60))
