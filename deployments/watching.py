"""The receiver's part of the watchdog: it looks after runs also when no worker is left to do it."""

import asyncio
import logging

from blocks.errors import OutsideError
from deployments.json_log import log_event
from deployments.starting import Responses
from runbook.redaction import redact

log = logging.getLogger("runbook.receiver")


async def look_after(responses: Responses, *, every: float) -> None:
    """Look after the runs of all incidents every so many seconds, until cancelled."""
    while True:
        await asyncio.sleep(every)
        try:
            for sentence in await responses.look_after():
                log_event(log, "looked after", did=sentence)
        except OutsideError as error:
            log_event(log, "runs not looked after", level=logging.WARNING, error=str(error))
        except Exception as error:  # a defect here must not stop the intake; the next look may be spared it
            text = f"{type(error).__name__}: {redact(str(error))}"
            log_event(log, "runs not looked after", level=logging.ERROR, error=text)
