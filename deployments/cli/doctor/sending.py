"""`runbook doctor --send-test`: a marked message through each channel, a page that is resolved at once."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from blocks.channels.channel import PagingChannel, Post, Speaker, Triable
from blocks.transport.errors import OutsideError
from deployments.cli.doctor.rows import CheckRow, State
from deployments.cli.doctor.systems import SEND_TEST, failed
from runbook.channels.messages import Page, notice_message
from runbook.decision.severity import Severity

if TYPE_CHECKING:
    from blocks.environment import Environment

TEXT = "TEST of the incident runbook (runbook doctor --send-test): nothing is wrong, nothing is to be done"


async def send_tests(systems: "Environment") -> list[CheckRow]:
    """A row for each message. The public status page gets none: its readers would see it."""
    at, name = datetime.now(UTC), f"runbook-doctor-{secrets.token_hex(8)}"
    post = Post(id=name, since=at)
    rows = [
        await _said(channel, post) for channel in systems.channels if isinstance(channel, Speaker | Triable)
    ]
    rows += [await _paged(channel, post, systems) for channel in systems.paging_channels]
    if not rows:
        advice = "Set [pager], [slack], [email] or [teams]"
        rows.append(CheckRow("test message", State.MISSING, "there is no channel to send it through", advice))
    return rows


def tried(rows: Iterable[CheckRow]) -> list[CheckRow]:
    """The rows without the advice to send a test, as it is being sent: its own rows say what came of it."""
    return [replace(row, next_step="") if row.next_step == SEND_TEST else row for row in rows]


async def _said(channel: Speaker | Triable, post: Post) -> CheckRow:
    name = f"test: {channel.kind}"
    try:
        if isinstance(channel, Triable):
            await channel.send_test(TEXT, post)
        else:
            await channel.say(notice_message(TEXT), post)
    except OutsideError as error:
        return failed(name, error)
    return CheckRow(name, State.OK, "the test message was taken", "See whether it is in the channel")


async def _paged(channel: PagingChannel, post: Post, systems: "Environment") -> CheckRow:
    name = f"test: {channel.kind}"
    service = systems.runbook_policy.policy.service
    page = Page(summary=TEXT, severity=Severity.P4, source=service, details={"test": "true"})
    try:
        receipt = await channel.page(page, post)
    except OutsideError as error:
        return failed(name, error)
    try:
        await channel.end_page(post.id, receipt)
    except OutsideError as error:
        left = f"an event was taken, and is open, as it could not be resolved: {error.detail}"
        return replace(failed(name, error), detail=left, next_step=f"Resolve {post.id} by hand")
    detail = "an event of the lowest severity was taken, and resolved"
    return CheckRow(name, State.OK, detail, "See whether it is in the service's alerts")
