"""One case: a run is led to a point, somebody is struck there, and all has to come to its end by itself."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from prefect.exceptions import PrefectHTTPStatusError

from blocks.transport.errors import OutsideError
from deployments.services.refusals import ActRefused
from runbook.approvals.gates import Answer, Choice
from runbook.incidents.events import IncidentEscalated, RunContinued
from runbook.incidents.state import IncidentOutcome
from tests.chaos.seen import Seen, is_asked_in_slack, seen_outside
from tests.chaos.stage import Blow, Stage
from tests.fixtures.cases import Case, case

SCENARIO = "posthog-outage"
POLICY = {
    "takeover_after_seconds": 2,
    "check_deadline_seconds": 20,  # a process that stands at its point looks at nothing meanwhile
    "watch_limit_seconds": 60,
    "success_deadline_seconds": 20,
}

REACHED_SECONDS = 60.0
OVER_SECONDS = 120.0
"""How long a struck incident may take to come to its end; after that it counts as stranded."""

YES = Answer(choice=Choice.APPROVE, approver="chaos", reason="approved by the test", channel="cli")

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Result:
    """What became of a case."""

    point: str
    blow: Blow
    twice: tuple[str, ...]
    lost: tuple[str, ...]
    stranded: str
    """Why it did not come to its end; empty where it did."""
    continued: int
    called: tuple[str, ...]
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether all was done, and done once."""
        return not (self.twice or self.lost or self.stranded)


async def passed_points(stage: Stage, folder: Path) -> tuple[list[str], Seen]:
    """All points of an undisturbed response, in order, and what the outside sees of it."""
    _give_orders(stage, "")
    async with case(stage.engine, SCENARIO, folder, policy=POLICY, real_prometheus=False) as one:
        await one.alert()
        await _until_over(one)
        seen = seen_outside(one)
    return list(dict.fromkeys((stage.orders / "passed").read_text().splitlines())), seen


async def strike_at(stage: Stage, folder: Path, point: str, blow: Blow, expected: Seen) -> Result:
    """Lead a run to a point, strike there, and see what becomes of it."""
    _give_orders(stage, point)
    clock = asyncio.get_running_loop().time
    async with case(stage.engine, SCENARIO, folder, policy=POLICY, real_prometheus=False) as one:
        started = clock()
        await one.alert()
        over = asyncio.create_task(_until_over(one))
        stranded = ""
        try:
            await _reached(stage, over)
            await stage.strike(blow, one)
            async with asyncio.timeout(OVER_SECONDS):
                await over
        except TimeoutError:
            stranded = f"{(await one.read()).journal[-1].event.type}, run {(await one.run_state()).name}"
        finally:
            over.cancel()
        incident, seen = await one.read(), seen_outside(one)
        if not stranded and incident.outcome is not IncidentOutcome.RECOVERED:
            stranded = f"ended as {incident.outcome}"
        return Result(
            point=point,
            blow=blow,
            twice=tuple(name for name, times in seen.items() if times > max(1, expected[name])),
            lost=tuple((expected - seen).keys()),
            stranded=stranded,
            continued=len(incident.events(RunContinued)),
            called=tuple(event.because for event in incident.events(IncidentEscalated)),
            seconds=clock() - started,
        )


def _give_orders(stage: Stage, point: str) -> None:
    for name in ("point", "reached", "go", "passed"):
        (stage.orders / name).unlink(missing_ok=True)
    if point:
        (stage.orders / "point").write_text(point)


async def _reached(stage: Stage, over: asyncio.Task[None]) -> None:
    async with asyncio.timeout(REACHED_SECONDS):
        while not (stage.orders / "reached").exists() and not over.done():  # noqa: ASYNC110  it is a file
            await asyncio.sleep(0.01)
    if over.done():
        over.result()
        raise LookupError("the response came to its end without passing the point")


async def _until_over(one: Case) -> None:
    """Say yes to every question, as often as it takes, until the incident is closed and its run completed.

    A question is answered once it stands in Slack: one that never gets there leaves the run stranded. An
    answer from elsewhere would often come first, and a question that is over is not posted.
    """
    while not (await one.read()).closed:
        with suppress(ActRefused, OutsideError, httpx.TransportError, PrefectHTTPStatusError, RuntimeError):
            if is_asked_in_slack(one, await one.read()):
                await one.answer(YES)
        await asyncio.sleep(POLL_SECONDS)
    while True:
        with suppress(httpx.TransportError, PrefectHTTPStatusError, RuntimeError):
            if (await one.run_state()).is_completed():
                return
        await asyncio.sleep(POLL_SECONDS)


def counted(results: list[Result]) -> Counter[str]:
    """How many effects were done twice, how many lost, and how many runs stranded."""
    return Counter(
        {
            "twice": sum(len(result.twice) for result in results),
            "lost": sum(len(result.lost) for result in results),
            "stranded": sum(bool(result.stranded) for result in results),
        }
    )
