"""Page a person without Prefect and without the journal: where one of them is what does not work.

These are no task runs: between what is broken and the person who is paged, Prefect's server has no part.
"""

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import TypeVar

from prefect.logging import get_logger

from blocks.channels.channel import Post, Speaker
from blocks.environment import Environment
from blocks.logs import own_lines
from blocks.transport.errors import OutsideError
from runbook.caretaking.store_trouble import dedup_key, message_id, page_text, relief_text
from runbook.channels.messages import Page, notice_message
from runbook.decision.severity import Severity
from tasks.incident import now

ResultT = TypeVar("ResultT")

log = own_lines(get_logger("runbook"))

STEP_SECONDS = 60.0
"""How long a step may take altogether: one that hangs is broken, too."""


async def page_about_the_store(environment: Environment, because: str, *, since: datetime) -> bool:
    """Page a person because alerts cannot be kept since then (aware UTC).

    Returns whether that got through everywhere.
    """
    text, message = page_text(because, since=since), message_id(environment.name, now())
    return await page_and_say(
        environment, key=dedup_key(environment.name), message=message, text=text, since=since
    )


async def end_the_page_about_the_store(environment: Environment, *, since: datetime) -> bool:
    """Tell everybody who was paged that alerts are kept again; whether that got through everywhere."""
    at = now()
    ended = await end_page(environment, dedup_key(environment.name))
    text, name = relief_text(since=since, now=at), f"{message_id(environment.name, since)}-over"
    return await say(environment, name, text, since) and ended


async def page_and_say(
    environment: Environment, *, key: str, message: str, text: str, since: datetime
) -> bool:
    """Page a person by the pager and in the channel; whether that got through everywhere there is.

    `key` makes a repeated page the same one, `message` a repeated message; `since` is when it became due.
    """
    if not (environment.paging_channels or environment.speakers):
        log.error("Nobody can be paged: neither [pager] nor [slack] is configured")
        return False
    paged = await page(environment, key, text, since)
    return await say(environment, message, text, since) and paged


async def page(environment: Environment, key: str, text: str, since: datetime) -> bool:
    """Page a person by every pager there is; whether that got through."""
    content = Page(
        summary=text,
        severity=Severity.P2,
        source=environment.runbook_policy.policy.service,
        details={"environment": environment.name, "since": since.isoformat()},
    )
    post = Post(id=key, since=since)
    return all(
        [await attempt("page a person", each.page(content, post)) for each in environment.paging_channels]
    )


async def end_page(environment: Environment, key: str) -> bool:
    """End the alert of every pager there is; whether nothing is left to do."""
    return all(
        [await attempt("resolve the page", each.end_page(key, {})) for each in environment.paging_channels]
    )


async def say(environment: Environment, name: str, text: str, since: datetime) -> bool:
    """Tell every channel there is, unless it was told under that name; whether all of them are."""
    post = Post(id=name, since=since.replace(minute=0, second=0, microsecond=0), known=True)
    message = notice_message(text)

    async def find_or_say(channel: Speaker) -> None:
        if await channel.find_sent(post) is None:
            await channel.say(message, post)

    return all([await attempt("notify the channel", find_or_say(each)) for each in environment.speakers])


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
