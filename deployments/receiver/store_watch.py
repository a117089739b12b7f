"""The receiver checks its store: whether it is ready, and pages a person if it has not been for a while.

A full disk is noticed before an alert comes: a row is written at an interval. Without a store there is
no journal either, so that a person was paged is remembered here, in the process.
"""

import asyncio
import logging
from datetime import UTC, datetime

from blocks.store.journal import IncidentStore
from blocks.transport.errors import OutsideError, Unavailable
from deployments.processes.json_log import log_event
from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.starting import Responses
from deployments.receiver.told_once import ToldOnce
from runbook.caretaking.store_trouble import is_due
from runbook.redaction import redact

CHECK_SECONDS = 10.0

TRY_SECONDS = 15.0
"""How long writing a row may take: SQLite waits ten seconds for another writer."""

READY_SECONDS = 5.0
"""How long the store may take to say that it is there."""

NOBODY_PAGED = "nobody could be paged"

log = logging.getLogger("runbook.receiver")


class StoreWatch:
    """Whether alerts can be made durable; pages a person, through `responses`, where they cannot be."""

    def __init__(self, store: IncidentStore, responses: Responses, metrics: ReceiverMetrics) -> None:
        self._store = store
        self._responses = responses
        self._metrics = metrics
        self._asking: asyncio.Task[None] | None = None
        self._failed: OutsideError | None = None  # an alert, since the last look
        self._trouble: OutsideError | None = None
        self._since: datetime | None = None
        self._paged_at: datetime | None = None
        self._unpaged = ToldOnce(log)

    async def require(self) -> None:
        """Do nothing if alerts can be made durable.

        The store is asked one question at a time, and callers in the meantime get the same answer:
        anybody may ask, and each question takes a connection to the store.

        Raises:
            OutsideError: they cannot.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)
        trouble = self._failed or self._trouble
        if trouble is not None:
            raise Unavailable(trouble.system, trouble.detail, trouble.next_step)

    def failed(self, error: OutsideError) -> None:
        """An alert could not be made durable."""
        self._failed = error

    def succeeded(self) -> None:
        """An alert was made durable."""
        self._failed = None

    async def run(self) -> None:
        """Look after the store until cancelled."""
        while True:
            try:
                await self._check(datetime.now(UTC))
            except Exception as error:  # a defect here must not end the watch
                text = f"{type(error).__name__}: {redact(str(error))}"
                log_event(log, "store not checked", level=logging.ERROR, error=text)
            await asyncio.sleep(CHECK_SECONDS)

    async def _check(self, at: datetime) -> None:
        trouble = await self._try_writing(at) or self._failed
        self._failed = None
        self._metrics.store_writable.set(trouble is None)
        if trouble is None:
            await self._note_relief()
            return
        if str(trouble) != str(self._trouble):
            log_event(log, "alerts cannot be kept", level=logging.ERROR, error=str(trouble))
        self._trouble = trouble
        self._since = self._since or at
        if is_due(since=self._since, paged_at=self._paged_at, now=at):
            paged = await self._responses.page_about_the_store(str(trouble), self._since)
            self._paged_at = at if paged else None
            if paged:
                log_event(log, "person paged", level=logging.WARNING, error=str(trouble))
            else:
                self._unpaged.wrong(NOBODY_PAGED, level=logging.ERROR, error=str(trouble))

    async def _note_relief(self) -> None:
        if self._trouble is not None:
            log_event(log, "alerts are kept again")
        self._trouble = None
        self._unpaged.well(NOBODY_PAGED)
        since = self._since if self._paged_at is not None else None
        if since is not None and not await self._responses.end_the_page_about_the_store(since):
            return  # the next look tries again
        self._since = self._paged_at = None

    async def _try_writing(self, at: datetime) -> OutsideError | None:
        try:
            async with asyncio.timeout(TRY_SECONDS):
                await self._store.try_writing(at=at)
        except TimeoutError:
            return _silent(TRY_SECONDS)
        except OutsideError as error:
            return error
        except Exception as error:  # alerts cannot be stored, whatever the error, and a person has to know
            return _defect(error)
        return None

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._store.check()
        except TimeoutError:
            raise _silent(READY_SECONDS) from None
        except OutsideError:
            raise
        except Exception as error:
            raise _defect(error) from error


def _defect(error: Exception) -> Unavailable:
    text = f"{type(error).__name__}: {redact(str(error))}"
    log_event(log, "store cannot be used", level=logging.ERROR, error=text)
    return Unavailable(
        "incident store", f"it cannot be used ({type(error).__name__})", "See the receiver's log"
    )


def _silent(seconds: float) -> Unavailable:
    return Unavailable("incident store", f"it does not answer within {seconds:.0f} s", "Check the database")
