"""The steps of the self-watch: a synthetic alert through the whole loop, and the pages when it is broken.

Nothing here is part of an incident: what has to be remembered lies in tables of its own. These are no task
runs: between what is broken and the person who is paged, Prefect's server has no part.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import stamina
from prefect.logging import get_logger

from blocks.environment import Environment
from blocks.logs import own_lines
from blocks.self_watch import SelfWatch
from blocks.store.self_watch_log import (
    OpenPage,
    begin_page,
    complete_round,
    last_good_round,
    note_ended,
    note_told,
    open_page,
)
from blocks.transport.errors import OutsideError, Unavailable
from runbook.caretaking.self_watch import (
    STORE_AWAY,
    blindness,
    dedup_key,
    may_have_paged,
    page_text,
    relief_text,
)
from runbook.decision.decide import decide
from runbook.outside_text import let_in_line
from tasks.channels import direct_pages
from tasks.channels.direct_pages import STEP_SECONDS, attempt, end_page, in_time, say
from tasks.checks.triage import checks_of, make_checks
from tasks.incident import now

log = own_lines(get_logger("runbook"))

ATTEMPTS = 3

NOT_STORED = "the receiver accepted the alert, but it is not in the worker's store: give both one [store] url"


async def send_synthetic_alert(watch: SelfWatch, round_id: str) -> str:
    """Send the receiver the alert of a round; why that is broken, empty where the receiver took it."""
    return await _broken("intake", lambda: _patiently(lambda: watch.send_alert(round_id)))


async def triage_and_decide(environment: Environment) -> str:
    """Make all checks and the decision, for nobody; why that is broken, empty where it is not."""

    async def triage_and_decide() -> str:
        findings = await make_checks(environment, checks_of(environment))
        decide(findings, claimed=None, policy=environment.runbook_policy.policy)
        return blindness(findings)

    return await _broken("triage", triage_and_decide)


async def complete(environment: Environment, round_id: str, broken: str) -> str:
    """Note what became of the round; why that is broken, empty where the store has it from end to end."""

    async def note() -> str:
        stored = await complete_round(environment.store, round_id, broken=broken, at=now())
        return "" if stored else NOT_STORED

    return await _broken("store", note)


async def ping(watch: SelfWatch, environment: str) -> str:
    """Tell the dead man's switches that all is well; why that is broken, empty where they have heard it."""
    pinged = await _broken("ping", lambda: _patiently(watch.ping))
    renewed = await _broken(
        "Alertmanager", lambda: _patiently(lambda: watch.renew_alert(environment, at=now()))
    )
    return "; ".join(filter(None, (pinged, renewed)))


async def page_a_person(environment: Environment, because: str) -> bool:
    """Page a person because the loop is broken, by the pager and in the channel: once until it is well again.

    Returns whether that got through everywhere; what did not is tried again when the same is asked for again.
    """
    page = await _known_page(environment, let_in_line(because))
    if page.told:
        return True
    got_through = await direct_pages.page_and_say(
        environment,
        key=dedup_key(environment.name),
        message=_message_id(environment, page),
        text=page_text(page.because),
        since=page.at,
    )
    if got_through and page.id:
        await attempt("record that a person was paged", note_told(environment.store, page))
    return got_through


async def end_the_page(environment: Environment, *, before: datetime | None, every: timedelta) -> bool:
    """End the page, if one is open, since a round went well. What fails is tried again after the next one.

    `before` is when the round before it went well: while the store is away, a page leaves no trace in it.
    Returns whether nothing is left to do.
    """
    at = now()
    try:
        page = await in_time(open_page(environment.store, environment.name))
    except (OutsideError, TimeoutError):
        return False
    if page is None and not may_have_paged(before=before, every=every, now=at):
        return True
    if not await end_page(environment, dedup_key(environment.name)):
        return False
    if page is None:
        return True
    text = relief_text(since=page.at, now=at)
    if not await say(environment, f"{_message_id(environment, page)}-over", text, page.at):
        return False
    return await attempt("record that the page has ended", note_ended(environment.store, page, at=at))


async def last_good(environment: Environment) -> datetime | None:
    """When a round last went well (aware UTC); `None` also where the store does not say."""
    try:
        return await in_time(last_good_round(environment.store, environment.name))
    except (OutsideError, TimeoutError):
        return None


async def _known_page(environment: Environment, because: str) -> OpenPage:
    """The page as the store keeps it; while that is away, one without a number."""
    at = now()
    try:
        return await in_time(begin_page(environment.store, environment.name, because=because, at=at))
    except (OutsideError, TimeoutError):
        return OpenPage(id=0, at=at, because=because, told=False)


def _message_id(environment: Environment, page: OpenPage) -> str:
    place = f"self-watch/{environment.name}"
    return f"{place}/{page.id}" if page.id else STORE_AWAY.format(place=place, at=page.at)


async def _broken(part: str, step: Callable[[], Awaitable[str | None]]) -> str:
    """Why a part of the loop is broken, empty where it is not. Whatever it is must end in a page."""
    try:
        return await in_time(step()) or ""
    except OutsideError as error:
        return str(error)
    except TimeoutError:
        return f"the {part} did not end within {STEP_SECONDS:.0f} s"
    except Exception as error:
        log.error("The %s failed: %s: %s", part, type(error).__name__, error)
        return f"the {part} itself failed ({type(error).__name__}); the log of the run says more"


async def _patiently(request: Callable[[], Awaitable[None]]) -> None:
    """Make a request that may be repeated: overload and a restart are over in a moment."""
    async for once in stamina.retry_context(on=Unavailable, attempts=ATTEMPTS, timeout=STEP_SECONDS / 2):
        with once:
            await request()
