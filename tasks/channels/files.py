"""Files beside a question: the whole diff where the message shows a part of it, and the error rate's chart.

They come after the question, made by whoever looks at the clock, so that nobody who is asked waits for an
upload. What fails is told in the timeline alone.

What if the process dies here? A file whose upload was begun is looked for in the thread, by its name. Slack
shows a file there some time after it was shared, so one that is not seen stays in doubt, and is not shared
again.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

from blocks.channels.channel import FileChannel, Post, Receipt, SharedFile
from blocks.environment import Environment
from blocks.transport.errors import OutsideError, Unavailable
from runbook.channels.cards.question_files import FileKind, QuestionFile, due_files
from runbook.channels.cards.questions import plan_of
from runbook.channels.wording import REHEARSAL
from runbook.incidents.effects import SUCCEEDED, Authority, Effect
from runbook.incidents.incident import Incident
from runbook.outside_text import let_in_line
from runbook.outside_text.plain import plain_file
from runbook.policy.in_force import policy_in_force
from tasks.channels.refresh import refresh
from tasks.effects import carry_out
from tasks.evidence.error_rate import error_picture
from tasks.incident import OpenIncident, now
from tasks.lease import exclusively
from tasks.secrets import redactor

SHARE = Authority.policy("ask")

LEASE = timedelta(minutes=2)
"""How long one process may take; after a kill, others wait no longer than this."""

PAUSE_SECONDS = 60
"""When a file is tried again, where the system that was away does not say when to ask again."""

MOST_BYTES = 900_000
"""Of a diff: Slack takes no more than 1 MB as a snippet."""

_LONGEST_TITLE = 200
_SUMMARIES = {FileKind.DIFF: "the whole diff as a file", FileKind.CHART: "the chart of the error rate"}


async def share_files(incident: OpenIncident) -> list[str]:
    """Share each file that the open question lacks; the ids of those that are there now.

    Raises:
        LeaseLost: another process works on the incident now.
        Unavailable: the incident store cannot be reached.
    """
    done: list[str] = []
    environment = incident.environment
    async with exclusively(environment, f"files of {incident.id}", str(uuid4()), term=LEASE) as ours:
        for channel in _channels(environment) if ours else ():
            tried: set[str] = set()
            while left := _left(await incident.read(), channel, tried):
                tried.add(left.effect_id)
                effect = await _share(incident, channel, left)
                done += [effect.id] if effect.outcome in SUCCEEDED else []
    if done:
        await refresh(incident)  # the question says where its file is
    return done


def lacking_files(environment: Environment, journal: Incident, at: datetime) -> list[str]:
    """What is to be shared now, each with what tells it from the same at another time.

    One in doubt is another one after each `LEASE`: a run that came by while a process that had died still
    held the lease is followed by one that can look for it.
    """
    if not policy_in_force(journal, environment.runbook_policy.policy).announce:
        return []
    term = int(at.timestamp() // LEASE.total_seconds())
    return [
        f"{file.effect_id.message} for the {file.tries + 1}. time{f', {term}' if file.in_doubt else ''}"
        for channel in _channels(environment)
        for file in due_files(journal, channel.kind, now=at)
    ]


def _channels(environment: Environment) -> Iterator[FileChannel]:
    return (channel for channel in environment.speakers if isinstance(channel, FileChannel))


def _left(journal: Incident, channel: FileChannel, tried: set[str]) -> QuestionFile | None:
    due = due_files(journal, channel.kind, now=now())
    return next((file for file in due if file.effect_id not in tried), None)


async def _share(incident: OpenIncident, channel: FileChannel, file: QuestionFile) -> Effect:
    journal = await incident.read()
    post = Post(
        id=file.effect_id,
        since=journal.opened_at,
        earlier=tuple(journal.messages_in(channel.kind)),
        rehearsal=journal.dry_run,
        known=file.known is not None,
    )
    effect = Effect(
        id=file.effect_id,
        kind=channel.kind,
        target=channel.kind,
        summary=_SUMMARIES[file.kind],
        authority=SHARE,
    )
    sent = file.in_doubt

    async def observe() -> Receipt | None:
        if not sent:
            return None  # it was never shared, or for certain not
        seen = await channel.find_shared(file.file_name, post)
        if seen is None:
            raise Unavailable(
                channel.kind,
                f"{file.file_name} is not seen in the thread",
                "It may appear there yet; it is not shared again",
            )
        return seen

    async def act() -> Receipt:
        nonlocal sent
        made = await _made(incident, journal, file)
        try:
            return await channel.share(made, post)
        except Unavailable as error:
            sent = error.may_have_landed
            error.retry_after_seconds = error.retry_after_seconds or PAUSE_SECONDS
            raise

    return await carry_out(incident, effect, observe=observe, act=act)


async def _made(incident: OpenIncident, journal: Incident, file: QuestionFile) -> SharedFile:
    """The file, masked.

    Raises:
        Unavailable: what it is made of cannot be had now.
    """
    if file.kind is FileKind.DIFF:
        return await _diff(incident, journal, file)
    try:
        picture = await error_picture(incident, journal, until=now())
    except OutsideError as error:  # of another system: the channel has refused nothing
        raise Unavailable(
            error.system, error.detail, error.next_step, retry_after_seconds=PAUSE_SECONDS
        ) from None
    return SharedFile(file.file_name, _titled(picture.title, journal), picture.png, alt=picture.words)


async def _diff(incident: OpenIncident, journal: Incident, file: QuestionFile) -> SharedFile:
    plan = plan_of(journal, file.question)
    if plan is None:
        raise LookupError(f"{file.effect_id}: the journal has no plan for it")
    mask = await redactor(incident.environment)
    masked = await asyncio.to_thread(plain_file, plan.diff, mask)
    title = f"Whole diff: {plan.action.spec.title} on {plan.action.target}"
    return SharedFile(file.file_name, _titled(title, journal), _cut(masked), snippet="diff")


def _titled(title: str, journal: Incident) -> str:
    begin = f"{REHEARSAL} " if journal.dry_run else ""
    return let_in_line(f"{begin}{title}", _LONGEST_TITLE)


def _cut(text: str) -> bytes:
    """The text in UTF-8, cut after a whole line, and it says so."""
    content = text.encode(errors="backslashreplace")
    if len(content) <= MOST_BYTES:
        return content
    kept = content[:MOST_BYTES].rpartition(b"\n")[0] or content[:MOST_BYTES]
    rest = content.count(b"\n") - kept.count(b"\n")
    return kept + f"\n… (cut: {rest} more lines, see the plan in Prefect)".encode()
