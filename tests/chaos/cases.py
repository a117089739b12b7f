"""One case: a run is led to a point, somebody is struck there, and all has to come to its end by itself."""

import asyncio
import re
from collections import Counter
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from prefect.exceptions import PrefectHTTPStatusError

from blocks.transport.errors import OutsideError
from deployments.services.refusals import ActRefused
from runbook.approvals.gates import Answer, Choice
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.events import (
    IncidentEscalated,
    PublicTextApproved,
    PublicTextProposed,
    RunContinued,
)
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome, State
from tests.chaos.seen import Seen, in_doubt, is_asked, is_sent, seen_outside, wrongly_told
from tests.chaos.stage import Blow, Stage
from tests.fixtures.cases import Case, case

SCENARIO = "posthog-outage"
POLICY = {
    "takeover_after_seconds": 2,
    "check_deadline_seconds": 20,  # a process that stands at its point looks at nothing meanwhile
    "watch_limit_seconds": 60,
    "success_deadline_seconds": 20,
    "public": "{ publish_without_asking = [] }",
}

PUBLISHER = "U0ANA"
"""Who lets the texts for the public be published, as the workspace knows them."""

WHERE_IT_STANDS = re.compile(r"(status-page/|[a-z]+/public-text-status-page-)(identified|monitoring)(-\d+)?")
"""What the public need not be told: a text whose state is over before anybody says yes is not published."""

REACHED_SECONDS = 60.0
OVER_SECONDS = 180.0
"""How long a struck incident may take to come to its end; after that it counts as stranded.

A run of the reminders that is killed, too, keeps the next one, which publishes, waiting for half a minute."""

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
    async with _case(stage, folder) as one:
        await one.alert()
        await _until_over(one)
        seen = seen_outside(one)
    return list(dict.fromkeys((stage.orders / "passed").read_text().splitlines())), seen


async def strike_at(stage: Stage, folder: Path, point: str, blow: Blow, expected: Seen) -> Result:
    """Lead a run to a point, strike there, and see what becomes of it."""
    _give_orders(stage, point)
    clock = asyncio.get_running_loop().time
    async with _case(stage, folder) as one:
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
        again, missing = wrongly_told(one, incident)
        arrived = seen + in_doubt(incident)
        lacking = [name for name in expected if not arrived[name] and not WHERE_IT_STANDS.fullmatch(name)]
        return Result(
            point=point,
            blow=blow,
            twice=(*(name for name, times in seen.items() if times > max(1, expected[name])), *again),
            lost=(*lacking, *missing),
            stranded=stranded,
            continued=len(incident.events(RunContinued)),
            called=tuple(event.because for event in incident.events(IncidentEscalated)),
            seconds=clock() - started,
        )


def _case(stage: Stage, folder: Path) -> AbstractAsyncContextManager[Case]:
    return case(
        stage.engine, SCENARIO, folder, policy=POLICY, real_prometheus=False, authorities=stage.authorities
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

    The texts for the public are published by a button in Slack, each before the next question is answered:
    so the end of the incident is on the page in the end. A question or text is answered once it stands in
    Slack and was sent to all readers: one that never gets there leaves the run stranded. An answer from
    elsewhere would often come first, and a question that is over is not posted.
    """
    while not (incident := await one.read()).closed or not _is_public(incident):
        with suppress(
            ActRefused, OutsideError, httpx.TransportError, PrefectHTTPStatusError, RuntimeError, LookupError
        ):
            if (text := open_text(incident)) is not None:
                await _publish(one, incident, text)
            elif is_asked(one, incident):
                await one.answer(YES)
        await asyncio.sleep(POLL_SECONDS)
    while True:
        with suppress(httpx.TransportError, PrefectHTTPStatusError, RuntimeError):
            if (await one.run_state()).is_completed():
                return
        await asyncio.sleep(POLL_SECONDS)


def open_text(incident: Incident) -> PublicTextProposed | None:
    """The text for the public that waits for a yes."""
    answered = {it.proposal for it in incident.events(PublicTextApproved)}
    proposed = incident.events(PublicTextProposed)
    return proposed[-1] if proposed and proposed[-1].digest not in answered else None


def _is_public(incident: Incident) -> bool:
    """Whether the public has heard that it is over."""
    told = [it.state for it in incident.announcements if it.channel == "status-page"]
    return bool(told) and told[-1] == State.RESOLVED


async def _publish(one: Case, incident: Incident, text: PublicTextProposed) -> None:
    """Click the button under the text, by a request that Slack has signed, once its readers have it, too.

    Raises:
        LookupError: the text is not in the channel yet.
    """
    if not is_sent(incident, MessageName.public_text(text.channel, text.message, text.number)):
        return
    url = f"{one.receiver_url}/slack/interactions"
    people = one.world.systems.slack.people
    await people.click(url, user=PUBLISHER, action_id="runbook.publish", containing=text.digest)


def counted(results: list[Result]) -> Counter[str]:
    """How many effects were done twice, how many lost, and how many runs stranded."""
    return Counter(
        {
            "twice": sum(len(result.twice) for result in results),
            "lost": sum(len(result.lost) for result in results),
            "stranded": sum(bool(result.stranded) for result in results),
        }
    )
