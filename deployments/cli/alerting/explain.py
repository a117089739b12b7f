"""`runbook alerts explain FILE`: what a payload says, field by field, and what it would do."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import FileOption, JsonOption
from deployments.cli.output import console, print_json, write

if TYPE_CHECKING:
    from deployments.cli.alerting.explaining import Explained
    from runbook.alerts.explaining import ExplainedAlert


async def explain(
    file: Annotated[
        str,
        Parameter(allow_leading_hyphen=True, help="The payload as it was sent, or `-` for standard input."),
    ],
    /,
    *,
    source: str | None = None,
    format: str | None = None,
    config: FileOption = None,
    json: JsonOption = False,
) -> int:
    """Show what an alert's payload says and what it would do. Nothing is written, and no store is read.

    Exit codes: 0 if each alert can be read, 1 if one cannot, 3 if the payload tells of no alert.

    Parameters
    ----------
    source
        The source that would receive it, such as `alertmanager` or a name in `[receiver.mapped]`. Without it,
        the one that reads it best.
    format
        Read it by this mapping, such as `uptime-kuma`, as `[receiver.plain] format` does.
    """
    from deployments.cli.alerting.explaining import explained

    told = explained(_content(file), source=source, format_name=format, config=config)
    if json:
        print_json(told.model_dump(mode="json"))
    else:
        _show(told)
    if told.error:
        return ExitCode.FAILED
    return ExitCode.OK if told.alerts else ExitCode.NOTHING


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except FileNotFoundError:
        advice = "give the file with the payload, or - for standard input"
        raise CommandError(f"{file}: there is no such file", advice, code=ExitCode.USAGE) from None
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", "make it readable", code=ExitCode.USAGE) from None


def _show(told: "Explained") -> None:
    from rich.text import Text

    open_or_not = "" if told.open else ", which has no credential and refuses every alert"
    write(f"Read by {told.source}: {told.path} ({told.section}{open_or_not})")
    for number, alert in enumerate(told.alerts, start=1):
        write(f"\nAlert {number} of {len(told.alerts)}:")
        console().print(_table(alert))
        write(f"→ {alert.means}")
    for line in filter(None, (told.error, told.note)):
        console().print(Text(f"→ {line}", style="yellow" if told.error else ""))


def _table(alert: "ExplainedAlert") -> Any:
    from rich.table import Table
    from rich.text import Text

    from deployments.progress.symbols import plain

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("field", "value", "from"):
        table.add_column(name, no_wrap=name == "field", overflow="fold")
    for one in alert.fields:
        table.add_row(one.field, Text(plain(one.value)), Text(plain(one.path)))
    return table
