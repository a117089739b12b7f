"""The runbook watches itself: on a schedule, a synthetic alert goes the way of every alert.

Nothing of it is an incident. Where all of it went well, the dead man's switch hears so; else a person does,
directly: neither the receiver nor Prefect's states stand between.
"""

import secrets

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from blocks.environment import Environment
from blocks.self_watch import SelfWatch
from flows.parameters import checked
from runbook.caretaking.self_watch import page_text
from tasks.caretaking.self_watch import (
    complete,
    end_the_page,
    last_good,
    page_a_person,
    ping,
    send_synthetic_alert,
    triage_and_decide,
)
from tasks.incident import now

OFF = "off: [self_watch] is not configured, so the runbook itself is not monitored"
ALIVE = "alive: intake, triage and decision work"


class LoopBroken(Exception):
    """An alert would not get from the intake to a decision now. The text says why."""


@flow(name="self-watch", flow_run_name="housekeeping: self-watch", validate_parameters=False)
@checked
async def self_watch(environment: str = "default") -> str:
    """Try intake, triage and decision, read-only; page a person if they are broken.

    Args:
        environment: Which configuration to use: the name that `runbook configure` saved it under.

    Raises:
        LoopBroken: something is, and the person was paged.
    """
    blocks = await Environment.load(environment)
    if blocks.self_watch is None:
        return OFF
    broken = await go_round(blocks, blocks.self_watch)
    text = page_text(broken) if broken else ALIVE
    await acreate_markdown_artifact(text, key="self-watch", description=f"Self-watch of {environment}")
    if broken:
        raise LoopBroken(broken)
    return ALIVE


async def go_round(environment: Environment, watch: SelfWatch) -> str:
    """One round; why the loop is broken, empty where it is not."""
    round_id = f"self-watch-{now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    before = await last_good(environment)
    intake = await send_synthetic_alert(watch, round_id)
    triage = await triage_and_decide(environment)
    broken = "; ".join(filter(None, (intake, triage)))
    stored = await complete(environment, round_id, broken)
    broken = broken or stored
    if not broken and (broken := await ping(watch, environment.name)):
        await complete(environment, round_id, broken)
    if broken:
        await page_a_person(environment, broken)
    else:
        await end_the_page(environment, before=before, every=watch.interval)
    return broken
