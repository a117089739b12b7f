"""Remove what the settings keep no longer: on a schedule."""

import logging
from datetime import datetime

from prefect import flow

from blocks.environment import Environment
from blocks.logs import own_lines
from flows.parameters import checked
from tasks.evidence.shown import find_expired, forget, remove
from tasks.incident import now

log = own_lines(logging.getLogger("runbook.clean_up"))


@flow(name="clean-up", flow_run_name="housekeeping: clean up", validate_parameters=False)
@checked
async def clean_up(environment: str = "default") -> list[str]:
    """Remove incidents that were closed long ago, and their evidence; returns what was, a sentence for each.

    Nothing is removed unless `[policy.keep_days]` says so, nor of an incident that is open or left something
    to do.

    Args:
        environment: Which configuration to use: the name that `runbook configure` saved it under.
    """
    return await remove_expired(await Environment.load(environment), at=now())


async def remove_expired(environment: Environment, *, at: datetime) -> list[str]:
    """Remove everything whose time is up; what cannot be removed holds up nothing else.

    Raises:
        ExceptionGroup: something could not be removed; all else was.
    """
    told: list[str] = []
    failed: list[Exception] = []
    for expired in await find_expired(environment, at=at):
        if expired.kept_because:
            told.append(f"{expired.incident} is kept past its time: {expired.kept_because}")
            continue
        try:
            told.append(await remove(environment, expired, at=at))
        except Exception as error:  # the next incident is cleaned up whatever the error
            failed.append(error)
    told.append(await forget(environment, at=at))
    sentences = [sentence for sentence in told if sentence]
    for sentence in sentences:
        log.info(sentence)
    if failed:
        raise ExceptionGroup("not everything could be removed", failed)
    return sentences
