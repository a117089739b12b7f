"""A check never fails the triage: what cannot be known in time is unknown, with the last reason."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from blocks.environment import Environment
from blocks.transport.errors import OutsideError, Refused, Unauthenticated, Unavailable, Unreadable
from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.specs.health import HEALTH
from runbook.incidents.events import TriageCompleted, TriageStarted
from tasks.checks.making import STANDARD_CHECKS
from tasks.checks.triage import make_checks, triage_incident, within_deadline
from tests.runbook.findings_samples import EVERYWHERE
from tests.tasks.environments import AT, KEY, environment, open_incident

GOOD = Finding(check=HEALTH.name, status=Status.OK, summary="says healthy", observed_at=AT)
HANGS = "hangs"
DEADLINE = 0.5

Script = Finding | OutsideError | str


class Looking:
    """A look whose attempts go as scripted; the last entry repeats."""

    def __init__(self, *script: Script) -> None:
        self.script = list(script)
        self.attempts = 0
        self.hanging = asyncio.Event()

    async def __call__(self, _environment: Environment) -> Finding:
        """One attempt."""
        step = self.script[min(self.attempts, len(self.script) - 1)]
        self.attempts += 1
        if isinstance(step, OutsideError):
            raise step
        if isinstance(step, str):
            self.hanging.set()
            await asyncio.Event().wait()  # an event that never comes
        assert isinstance(step, Finding)
        return step


def down(detail: str) -> Unavailable:
    """It may heal by itself."""
    return Unavailable("PostHog", detail, "Wait")


@pytest.fixture
def at_work(tmp_path: Path) -> Environment:
    """An environment whose checks have a short deadline."""
    return environment(tmp_path, check_deadline_seconds=DEADLINE)


@pytest.fixture
def without_waiting() -> Iterator[None]:
    """Retries come at once."""
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.mark.usefixtures("without_waiting")
@pytest.mark.parametrize(
    ("script", "status", "summary", "attempts"),
    [
        ((GOOD,), Status.OK, "says healthy", 1),
        ((down("first"), GOOD), Status.OK, "says healthy", 2),
        ((down("first"), down("second"), GOOD), Status.OK, "says healthy", 3),
        ((down("first"), down("second"), down("third"), GOOD), Status.UNKNOWN, "PostHog: third. Wait", 3),
        ((Refused("PostHog", "no", "Ask"), GOOD), Status.UNKNOWN, "PostHog: no. Ask", 1),
        ((Unauthenticated("PostHog", "401", "Ask"), GOOD), Status.UNKNOWN, "PostHog: 401. Ask", 1),
        ((Unreadable("PostHog", "HTML", "Look"), GOOD), Status.UNKNOWN, "PostHog: HTML. Look", 1),
        ((down("first"), Refused("PostHog", "no", "Ask")), Status.UNKNOWN, "PostHog: no. Ask", 2),
        ((HANGS,), Status.UNKNOWN, "not known within 0.5 s: no answer from the integration", 1),
        ((down("first"), HANGS), Status.UNKNOWN, "not known within 0.5 s: PostHog: first. Wait", 2),
    ],
)
async def test_check_is_retried_while_it_may_heal_and_then_unknown(
    at_work: Environment, script: tuple[Script, ...], status: Status, summary: str, attempts: int
) -> None:
    """Only an outage is tried again, three times at most; the last reason is what people read."""
    looking = Looking(*script)
    found = await within_deadline(at_work, HEALTH.name, looking)
    assert (found.check, found.status, found.summary) == (HEALTH.name, status, summary)
    assert looking.attempts == attempts


async def test_deadline_ends_the_waiting_between_attempts_too(at_work: Environment) -> None:
    """With real back-off: an outage that lasts is unknown by the deadline, with its reason."""
    started = time.monotonic()
    found = await within_deadline(at_work, HEALTH.name, Looking(down("still down")))
    assert time.monotonic() - started < DEADLINE + 1.5  # a busy machine; the back-off alone may be longer
    assert found.status is Status.UNKNOWN
    assert "PostHog: still down. Wait" in found.summary


async def test_finding_says_how_long_it_took(at_work: Environment) -> None:
    """Seconds are measured for answers and for the lack of one."""
    assert (await within_deadline(at_work, HEALTH.name, Looking(GOOD))).seconds < DEADLINE
    assert (await within_deadline(at_work, HEALTH.name, Looking(HANGS))).seconds >= DEADLINE


async def test_cancelled_check_is_not_an_unknown_one(at_work: Environment) -> None:
    """Whoever stops the run stops the check: that is no finding about the outside."""
    looking = Looking(HANGS)
    running = asyncio.create_task(within_deadline(at_work, HEALTH.name, looking))
    await looking.hanging.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_triage_of_a_world_that_is_not_there_knows_nothing(tmp_path: Path) -> None:
    """All systems are unreachable: six unknown findings with reasons, in the order asked for; no error."""
    findings = await make_checks(environment(tmp_path, check_deadline_seconds=5), EVERYWHERE)
    assert [item.check for item in findings.items] == list(EVERYWHERE)
    assert {item.check: item.status for item in findings.items} == dict.fromkeys(EVERYWHERE, Status.UNKNOWN)
    for item in findings.items:
        assert item.summary
        assert KEY not in item.model_dump_json()


async def test_only_the_checks_that_were_asked_for_are_made(tmp_path: Path) -> None:
    """Watching a recovery looks at its own checks alone."""
    findings = await make_checks(environment(tmp_path, check_deadline_seconds=5), (HEALTH.name,))
    assert [item.check for item in findings.items] == [HEALTH.name]


def test_every_check_can_be_made() -> None:
    """A check without a look would be a question that nobody asks."""
    assert set(STANDARD_CHECKS) == set(EVERYWHERE)


async def test_triage_that_is_in_the_journal_is_not_made_again(tmp_path: Path) -> None:
    """After a crash the run goes on with what was found then, for its own round."""
    incident = await open_incident(tmp_path)
    first, second = Findings(items=(GOOD,)), Findings(items=())
    await incident.record(TriageCompleted(round=1, findings=first))
    await incident.record(TriageCompleted(round=2, findings=second))
    assert await triage_incident(incident) == first
    assert await triage_incident(incident, round=2) == second
    assert (await incident.read()).events(TriageStarted) == []
