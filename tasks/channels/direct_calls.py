"""Calling a person past Prefect and past the journal: where one of them is what does not work.

These are no task runs: between what is broken and the person who is called, Prefect's server has no part.
"""

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import TypeVar

from prefect.logging import get_logger

from blocks.environment import Environment
from blocks.logs import own_lines
from blocks.transport.errors import OutsideError
from runbook.caretaking.store_trouble import call_text, dedup_key, message_id, relief_text
from runbook.decision.severity import Severity
from runbook.outside_text.slack import slack
from tasks.incident import now

ResultT = TypeVar("ResultT")

log = own_lines(get_logger("runbook"))

STEP_SECONDS = 60.0
"""How long a step may take altogether: one that hangs is broken, too."""


async def call_about_the_store(environment: Environment, because: str, *, since: datetime) -> bool:
    """Call a person because alerts cannot be kept since then (aware UTC).

    Returns whether that got through everywhere.
    """
    text, message = call_text(because, since=since), message_id(environment.name, now())
    return await call(environment, key=dedup_key(environment.name), message=message, text=text, since=since)


async def end_the_call_about_the_store(environment: Environment, *, since: datetime) -> bool:
    """Tell everybody who was called that alerts are kept again; whether that got through everywhere."""
    at = now()
    ended = await end_page(environment, dedup_key(environment.name))
    text, name = relief_text(since=since, now=at), f"{message_id(environment.name, since)}-over"
    said = await say(environment, name, text, since) if environment.slack else True
    return ended and said


async def call(environment: Environment, *, key: str, message: str, text: str, since: datetime) -> bool:
    """Call a person by the pager and in the channel; whether that got through everywhere there is.

    `key` makes a repeated call the same one, `message` a repeated message; `since` is when it became due.
    """
    told = [await page(environment, key, text, since)] if environment.pager else []
    if environment.slack:
        told.append(await say(environment, message, text, since))
    if not told:
        log.error("Nobody can be called: there is neither [pager] nor [slack]")
    return bool(told) and all(told)


async def page(environment: Environment, key: str, text: str, since: datetime) -> bool:
    """Call a person by the pager; whether that got through."""
    if environment.pager is None:
        return False
    return await attempt(
        "call a person",
        environment.pager.trigger(
            key,
            summary=text,
            severity=Severity.P2,
            source=environment.runbook_policy.policy.service,
            details={"environment": environment.name, "since": since.isoformat()},
        ),
    )


async def end_page(environment: Environment, key: str) -> bool:
    """End the pager's alert, if there is a pager; whether nothing is left to do."""
    return environment.pager is None or await attempt("end the call", environment.pager.resolve(key))


async def say(environment: Environment, name: str, text: str, since: datetime) -> bool:
    """Tell the channel, unless it was told under that name; whether it is."""
    channel = environment.slack
    if channel is None:
        return False

    async def find_or_post() -> None:
        oldest = since.replace(minute=0, second=0, microsecond=0)
        if await channel.find(name, oldest=oldest) is None:
            await channel.post(slack(text), effect_id=name)

    return await attempt("tell the channel", find_or_post())


async def attempt(what: str, work: Awaitable[object]) -> bool:
    """Whether it went well; one way to a person that is barred must not bar the others."""
    try:
        await in_time(work)
    except (OutsideError, TimeoutError) as error:
        log.error("Could not %s: %s", what, str(error) or "no answer in time")
        return False
    return True


async def in_time(work: Awaitable[ResultT]) -> ResultT:
    """The result of a step.

    Raises:
        TimeoutError: it did not end in time.
    """
    async with asyncio.timeout(STEP_SECONDS):
        return await work
