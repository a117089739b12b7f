"""Whether each system is there, takes our credentials and has what the settings name; `runbook doctor` tells.

Every check only reads, but for the pager's, which ends a page that does not exist, and a file of the evidence
that is removed at once. A check that fails is a row, and the others go on.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from blocks.channels.channel import Triable
from blocks.files.private_files import write_private
from blocks.transport.errors import OutsideError, Unavailable
from blocks.transport.http import exchange
from blocks.transport.translating import bare_url
from deployments.cli.doctor.rows import CheckRow, State
from runbook.checks.readings import ProbeResult
from runbook.decision.error_types import UNKNOWN_STATUS
from tasks.checks.making import probe

if TYPE_CHECKING:
    from blocks.environment import Environment
    from blocks.kubernetes.cluster import Cluster

DEADLINE_SECONDS = 45.0
"""How long one check may take, with the fallbacks that its block tries."""

MOST_SKEW_SECONDS = 60.0
"""How far the cluster's clock may be from ours: signed times of alerts are refused beyond some minutes."""

WITHOUT_KEY = "not asked, for lack of a key"

Check = Callable[[], Awaitable[CheckRow | None]]
"""None where the system is not configured."""


async def check_systems(systems: "Environment") -> list[CheckRow]:
    """A row for each system that is configured, in the order of an incident."""
    checks: list[tuple[str, Check]] = [
        ("store", partial(_store, systems)),
        ("evidence", partial(_evidence, systems)),
        ("status page", partial(_status_page, systems)),
        ("health", partial(_health, systems)),
        ("Prometheus", partial(_prometheus, systems)),
        ("PostHog", partial(_posthog, systems)),
        ("Slack", partial(_slack, systems)),
        ("own status page", partial(_publisher, systems)),
        ("pager", partial(_pager, systems)),
        ("self-watch", partial(_self_watch, systems)),
        *(
            (channel.kind, partial(_tried, channel))
            for channel in systems.channels
            if isinstance(channel, Triable)
        ),
    ]
    rows = await asyncio.gather(*(_bounded(name, check) for name, check in checks))
    return [row for row in rows if row is not None]


async def _bounded(name: str, check: Check) -> CheckRow | None:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await check()
    except OutsideError as error:
        return failed(name, error)
    except OSError as error:
        return CheckRow(name, State.WRONG, error.strerror or str(error), "Make room, or correct the path")
    except TimeoutError:
        detail = f"no answer within {DEADLINE_SECONDS:.0f} s"
        return CheckRow(name, State.UNREACHABLE, detail, "Check the network connection to it")


def failed(name: str, error: OutsideError) -> CheckRow:
    """The row of a system that refuses, or that does not answer."""
    state = State.UNREACHABLE if isinstance(error, Unavailable) else State.WRONG
    return CheckRow(name, state, error.detail, error.next_step)


async def _store(systems: "Environment") -> CheckRow:
    await systems.store.check()
    await systems.store.try_writing(at=datetime.now(UTC))
    return CheckRow("store", State.OK, "can be read and written")


async def _evidence(systems: "Environment") -> CheckRow:
    folder = str(systems.evidence.basepath)
    await asyncio.to_thread(_write_and_remove, folder)
    return CheckRow("evidence", State.OK, f"{folder} can be written")


def _write_and_remove(folder: str) -> None:
    path = Path(folder).expanduser() / f"doctor-{secrets.token_hex(4)}"
    write_private(path, b"runbook doctor\n")
    path.unlink()


async def _status_page(systems: "Environment") -> CheckRow:
    reading = await systems.status_page.read_any()
    return CheckRow("status page", State.OK, f"read, {reading.route}")


async def _health(systems: "Environment") -> CheckRow:
    reading = await systems.integration.read_health()
    said = f"HTTP {reading.http_status}, status {reading.status or 'not told'}"
    if reading.status is None:
        advice = "Set `status_path` in [integration] to where the status of PostHog is"
        return CheckRow("health", State.UNPROVEN, f"{reading.url}: {said}", advice)
    return CheckRow("health", State.OK, f"{reading.url}: {said}")


async def _prometheus(systems: "Environment") -> CheckRow:
    """The metrics have to be there with the configured labels; the block refuses a clock that is off."""
    block, reading = systems.prometheus, await systems.prometheus.read_error_rate()
    lacking = []
    if reading.errors_by_status is None:
        lacking.append(f"no data for {block.queries.errors}")
    elif set(reading.errors_by_status) == {UNKNOWN_STATUS}:
        lacking.append(f"no label {block.status_label!r} on {block.queries.errors}")
    if reading.requests_per_second is None:
        lacking.append(f"no data for {block.queries.requests}")
    if lacking:
        advice = "Correct metrics, `status_label` and selectors in [prometheus], or wait for a first request"
        return CheckRow("Prometheus", State.WRONG, "; ".join(lacking), advice)
    return CheckRow("Prometheus", State.OK, f"{reading.source} has errors and requests")


async def _posthog(systems: "Environment") -> CheckRow:
    try:
        reading = await probe(systems)
    except OutsideError as error:  # of the cluster: without a key PostHog is not asked
        advice = "Let the runbook read the Secret, or set `api_key` in [posthog]"
        return CheckRow("PostHog", State.UNPROVEN, f"{WITHOUT_KEY}: {error.detail}", advice)
    said = f"{reading.host}: {reading.outcome.value.replace('_', ' ')}"
    match reading.outcome:
        case ProbeResult.ACCEPTED | ProbeResult.RATE_LIMITED:
            is_personal = reading.host == bare_url(systems.posthog.app_url)
            if is_personal and systems.posthog.required_path is None:
                advice = "Set `required_path` in [posthog] to prove that the key is for the right project"
                return CheckRow("PostHog", State.OK, f"{said}; the project is not proven", advice)
            return CheckRow("PostHog", State.OK, said)
        case ProbeResult.UNREACHABLE | ProbeResult.SERVER_ERROR:
            return CheckRow(
                "PostHog", State.UNREACHABLE, f"{said}: {reading.detail}", "Check [posthog], or wait"
            )
        case _:
            advice = "Correct the key in the Secret, or `api_key` in [posthog]"
            return CheckRow("PostHog", State.WRONG, f"{said}: {reading.detail}", advice)


async def _slack(systems: "Environment") -> CheckRow | None:
    if systems.slack is None:
        return None
    seen = await systems.slack.check()
    said = f"{seen.user} in {seen.team} can read {systems.slack.channel}"
    if seen.may_write is False:
        return CheckRow("Slack", State.WRONG, f"{said}, but not write", "Give the app the scope chat:write")
    if seen.may_write is None:
        return CheckRow("Slack", State.UNPROVEN, f"{said}; that it can write is not proven", SEND_TEST)
    if seen.may_share is False:
        lacks = f"{said} and write, but not share files: no whole diffs and charts"
        return CheckRow("Slack", State.UNPROVEN, lacks, "Give the app the scope files:write")
    return CheckRow("Slack", State.OK, f"{said} and has the scopes to write and to share files")


async def _publisher(systems: "Environment") -> CheckRow | None:
    name, block = "own status page", systems.status_page_publisher
    if block is None:
        return None
    missing = await block.missing_components()
    if missing is None:
        advice = "Compare `component_ids` and `components` in [status_page_publisher] with the page"
        steps = advice if block.component_ids or block.components else ""
        return CheckRow(name, State.UNPROVEN, "answers; page and components cannot be listed there", steps)
    if missing:
        advice = "Correct `component_ids` and `components` in [status_page_publisher]"
        return CheckRow(name, State.WRONG, f"the page has no component {', '.join(missing)}", advice)
    number = len({*block.component_ids, *block.components.values()})
    return CheckRow(name, State.OK, f"page {block.page_id} is there, with {number} configured components")


async def _pager(systems: "Environment") -> CheckRow | None:
    if systems.pager is None:
        return None
    await systems.pager.resolve(f"runbook-doctor-{secrets.token_hex(8)}")  # there is none: nothing happens
    detail = "takes an event with the routing key; that it pages anybody is not proven"
    return CheckRow("pager", State.UNPROVEN, detail, SEND_TEST)


async def _tried(channel: Triable) -> CheckRow:
    detail, proven = await channel.prove()
    return CheckRow(channel.kind, State.OK if proven else State.UNPROVEN, detail, "" if proven else SEND_TEST)


async def _self_watch(systems: "Environment") -> CheckRow | None:
    watch = systems.self_watch
    if watch is None:
        return None
    url = f"{watch.receiver_url.rstrip('/')}/readyz"
    answer = await exchange("alert receiver", "GET", url, timeout_seconds=watch.timeout_seconds)
    if not answer.is_success:
        return CheckRow("self-watch", State.WRONG, f"{url} answers {answer.status_code}", "Read its answer")
    return CheckRow("self-watch", State.OK, f"{url} is ready")


def cluster_clock(cluster: "Cluster", now: datetime) -> CheckRow:
    """How far the cluster's clock is from ours, by its newest answer."""
    at = cluster.client.server_time()
    if at is None:
        return CheckRow("clock", State.UNPROVEN, "the cluster did not say what time it is")
    off = (at - now).total_seconds()
    if abs(off) > MOST_SKEW_SECONDS:
        advice = "Synchronise the clocks (NTP) here and there"
        return CheckRow("clock", State.WRONG, f"the cluster's clock is {off:+.0f} s from ours", advice)
    return CheckRow("clock", State.OK, f"the cluster's is {abs(off):.0f} s from ours")


SEND_TEST = "Try it: `runbook doctor --send-test`"
