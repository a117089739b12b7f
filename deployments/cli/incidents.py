"""`runbook incidents`: what happened, and what waits."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import ConfigOption, EnvironmentOption, JsonOption
from deployments.cli.output import console, print_json, warn, write

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from runbook.incidents.summary import Wanted


class State(StrEnum):
    """The states of `runbook.incidents.state`, taken in any case: they are shown in capitals."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MITIGATING = "mitigating"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    CLOSED = "closed"


async def incidents(
    *,
    only_open: Annotated[bool, Parameter(name="--open", show_default=False)] = False,
    waiting: Annotated[bool, Parameter(show_default=False)] = False,
    service: Annotated[str, Parameter(show_default=False)] = "",
    state: Annotated[State | None, Parameter(show_default=False)] = None,
    since: Annotated[str, Parameter(show_default=False)] = "",
    search: Annotated[str, Parameter(show_default=False)] = "",
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 20,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """List the newest incidents; with RUNBOOK_URL, those of the receiver there.

    Parameters
    ----------
    only_open
        Leave out closed incidents.
    waiting
        Only those that wait for an answer or for a person.
    service
        Only those of this service.
    state
        Only those that are in this state.
    since
        Only those that were opened since then: 2026-11-22, a time with its zone, or 7d, 12h, 30m ago.
    search
        Only those with this text in id, service, alert, verdict, lead or question.
    limit
        How many to list at most.
    """
    from deployments.cli.people.door import find_remote
    from deployments.cli.people.elsewhere import MOST, read_list
    from deployments.cli.sources import find_sources
    from deployments.services.finding import SEARCHED
    from runbook.incidents.summary import Wanted, headline

    wanted = Wanted(waiting=waiting, service=service, state=state or "", search=search, since=_since(since))
    if remote := find_remote():
        most = limit if wanted.everything else MOST
        found = await read_list(remote, only_open=only_open, limit=most)
    else:
        most = limit if wanted.everything else SEARCHED
        sources = find_sources(config, environment)
        store, policy = await sources.store(), await sources.policy()
        found = [headline(item, policy) for item in await store.incidents(only_open=only_open, limit=most)]
    looked_through = len(found)
    found = [item for item in found if wanted.takes(item)][:limit]
    if looked_through == most and not wanted.everything and len(found) < limit:
        warn(f"only the newest {most} incidents were looked through")
    if json:
        print_json(found)
    elif found:
        out = console()
        out.print(_wide_list(found) if out.width >= _WIDE else _narrow_list(found))
    else:
        write(_none(wanted, only_open=only_open))
    return ExitCode.OK


def _none(wanted: "Wanted", *, only_open: bool) -> str:
    if wanted == type(wanted)(waiting=True):
        return "no incident waits for an answer or a person"
    if not wanted.everything:
        return "no open incident matches" if only_open else "no incident matches"
    return "no open incident" if only_open else "no incident yet"


_AGO = re.compile(r"(?P<number>[1-9]\d{0,5})(?P<unit>[dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def _since(text: str) -> datetime | None:
    """The time that is meant (aware UTC); `None` for no text.

    Raises:
        CommandError: it is none.
    """
    if not text:
        return None
    if ago := _AGO.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago["unit"]]: int(ago["number"])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{text!a} is no time", "write 2026-11-22, 7d, 12h or 30m", code=ExitCode.USAGE
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _wide_list(found: list[dict[str, Any]]) -> "Table":
    """A row for each incident, as its `runbook.incidents.summary.headline` says."""
    from rich.text import Text

    from deployments.progress.symbols import plain

    table = _columns(apart=2, header=True)
    table.add_column("age", no_wrap=True, justify="right", width=4)
    table.add_column("what it is")
    table.add_column("lead", no_wrap=True, max_width=_LEAD_WIDTH)
    now = datetime.now(UTC)
    for item in found:
        lead = Text(plain(str(item.get("lead") or "-")))
        table.add_row(*_row(item), age_of(item, now) or "-", _what(item), lead)
    return table


def _narrow_list(found: list[dict[str, Any]]) -> "Group":
    """The same with what each incident is below its row, so that a narrow terminal loses nothing."""
    from rich.console import Group
    from rich.padding import Padding

    from deployments.progress.symbols import plain

    parts: list[Table | Padding] = []
    now = datetime.now(UTC)
    for number, item in enumerate(found):
        row, what = _columns(apart=1, header=number == 0), _what(item)
        row.add_row(*_row(item))
        more = {"age": age_of(item, now), "lead": plain(str(item.get("lead") or ""))}
        if told := ", ".join(f"{name}: {text}" for name, text in more.items() if text):
            what.append(f"\n{told}", style="dim")
        parts += [row, Padding(what, (0, 0, 0, 2))]
    return Group(*parts)


def _columns(*, apart: int, header: bool) -> "Table":
    from rich.table import Table

    padding = (0, apart, 0, 0)
    table = Table(box=None, padding=padding, header_style="dim", pad_edge=False, show_header=header)
    for name, width in _COLUMNS.items():
        table.add_column(name, no_wrap=True, width=width)
    return table


def _row(item: dict[str, Any]) -> "tuple[str, str, str, Text]":
    from rich.text import Text

    return (
        str(item.get("incident")),
        str(item.get("opened_at"))[:16].replace("T", " "),
        str(item.get("severity") or "-"),
        Text(str(item.get("state")), style="bold" if item.get("open") else "dim"),
    )


def age_of(item: dict[str, Any], now: datetime) -> str:
    """How long an incident has been open, as Kubernetes shows ages: `12s`, `5m`, `3h`, `2d`; else empty."""
    try:
        opened = datetime.fromisoformat(str(item.get("opened_at")))
    except ValueError:
        return ""
    if not item.get("open") or opened.tzinfo is None:
        return ""
    seconds = max(int((now - opened).total_seconds()), 0)
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


_WIDE = 110
"""From so many columns on, what an incident is, and its lead, stand beside it; else below it."""

_COLUMNS = {"incident": 24, "opened (UTC)": 16, "sev": 3, "state": 13}
"""The columns of every list, which fit 60 columns of a terminal."""

_LEAD_WIDTH = 16
"""Columns of the list for a name; a longer one is cut there, and whole in the view of the incident."""


def _what(item: dict[str, Any]) -> "Text":
    """The service, verdict and outcome in words, where this release has words for them, and what is asked."""
    from rich.text import Text

    from deployments.progress.symbols import first_line, plain
    from runbook.channels.wording import OUTCOMES, VERDICT_TITLES

    verdicts = {verdict.value: title for verdict, title in VERDICT_TITLES.items()}
    outcomes = {outcome.value: words for outcome, words in OUTCOMES.items()}
    verdict, outcome = item.get("verdict"), item.get("outcome")
    what = verdicts.get(str(verdict), str(verdict)) if verdict else str(item.get("alert_name") or "")
    ended = f", {outcomes.get(str(outcome), str(outcome))}" if outcome else ""
    rehearsal = "rehearsal: " if item.get("dry_run") else ""
    text = Text(plain(f"{rehearsal}{item.get('service') or ''}: {what}{ended}"))
    if item.get("asks"):
        text.append(f"\nasks: {first_line(str(item['asks']))}", style="bold yellow")
    elif item.get("waits_for") == "person":
        text.append("\nwaits for a person", style="bold yellow")
    if said := _response(item):
        text.append(f"\n{said}", style="dim")
    return text


def _response(item: dict[str, Any]) -> str:
    """How the response clock of an open incident stands; empty where the receiver does not say."""
    from deployments.cli.people.elsewhere import response_of
    from deployments.progress.symbols import plain
    from runbook.clocks.response import response_words

    clock = response_of(item)
    if clock is None or not item.get("open"):
        return ""
    return plain(response_words(clock, datetime.now(UTC)))
