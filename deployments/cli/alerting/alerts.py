"""`runbook alerts`: the alerts that fire, and the incident of each."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deployments.cli.errors import ExitCode
from deployments.cli.options import ConfigOption, EnvironmentOption, JsonOption
from deployments.cli.output import console, print_json, warn, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from runbook.alerts.episodes import AlertRecord

MOST_SHOWN = 200
"""A sender can make up any number."""


async def alerts(
    *,
    unrouted: Annotated[bool, Parameter(show_default=False)] = False,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    json: JsonOption = False,
) -> int:
    """List the alerts that fire, as their senders have told last, newest first; `told` is how often.

    Parameters
    ----------
    unrouted
        Only those of services that this runbook does not act for: see `[services]`.
    """
    from blocks.store.alerts import firing_alerts, unrouted_alerts
    from deployments.cli.sources import find_sources

    store = await find_sources(config, environment).store()
    found = await (unrouted_alerts(store) if unrouted else firing_alerts(store))
    if json:
        print_json([alert.model_dump(mode="json") for alert in found])
    elif found:
        out, elsewhere, shown = console(), _elsewhere(config), found[:MOST_SHOWN]
        out.print(_table(shown, elsewhere) if out.width >= _WIDE else _narrow_list(shown, elsewhere))
        if len(found) > MOST_SHOWN:
            write(f"and {len(found) - MOST_SHOWN} older ones: --json has all")
        for line in _advice(shown, elsewhere):
            warn(line)
    else:
        write("no unrouted alert" if unrouted else "no alert fires")
    _tell_of_confirmations(config)
    return ExitCode.OK


def _advice(found: "list[AlertRecord]", elsewhere: "Mapping[str, str]") -> list[str]:
    """What to do about alerts that have no incident."""
    alone = {alert.service for alert in found if not alert.incident}
    lines = []
    if alone & elsewhere.keys():
        lines.append("of another environment's alert no incident was opened: `runbook doctor` says why")
    if alone - elsewhere.keys():
        lines.append("no incident of an unknown service: name it in [services], or tell the sender")
    return lines


def _tell_of_confirmations(config: ConfigOption) -> None:
    """Senders that send nothing before somebody confirms them."""
    from deployments.cli.sources import find_sources, read_settings
    from deployments.receiver.sources.confirmations import Confirmations

    path = find_sources(config, None).config
    if path is None:
        return
    for kept in Confirmations(read_settings(path, systems=False).confirmations_folder).all():
        warn(f"SNS asks to confirm {kept.confirmation.topic}: runbook alerts confirm-sns")


def _elsewhere(config: ConfigOption) -> "Mapping[str, str]":
    """The environments of services that belong to another one, by the settings file if there is one."""
    from deployments.cli.sources import find_sources, read_settings

    path = find_sources(config, None).config
    return {} if path is None else read_settings(path, systems=False).routing.elsewhere


def _table(found: "list[AlertRecord]", elsewhere: "Mapping[str, str]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from deployments.progress.symbols import plain

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("since (UTC)", "source", "service: alert", "told", "incident"):
        table.add_column(name, no_wrap=name != "service: alert", overflow="fold")
    for alert in found:
        table.add_row(
            f"{alert.turned_at:%Y-%m-%d %H:%M}",
            Text(plain(alert.source)),
            Text(f"{plain(alert.service)}: {plain(alert.name)}"),
            str(alert.received),
            _incident(alert, elsewhere.get(alert.service, "")),
        )
    return table


_WIDE = 120
"""From so many columns on, an alert is one row; else what it is stands above where it comes from."""


def _narrow_list(found: "list[AlertRecord]", elsewhere: "Mapping[str, str]") -> "Group":
    """The same in lines, so that a narrow terminal loses no name."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from deployments.progress.symbols import plain

    parts: list[Text | Padding] = []
    for alert in found:
        parts.append(Text(f"{plain(alert.service)}: {plain(alert.name)}", style="bold"))
        source = f"since {alert.turned_at:%Y-%m-%d %H:%M} UTC, {plain(alert.source)}, told {alert.received}x"
        where = Text("incident: ").append(_incident(alert, elsewhere.get(alert.service, "")))
        parts += [Padding(Text(source, style="dim"), (0, 0, 0, 2)), Padding(where, (0, 0, 0, 2))]
    return Group(*parts)


def _incident(alert: "AlertRecord", environment: str) -> "Text":
    from rich.text import Text

    if alert.incident:
        return Text(alert.incident)
    return Text(f"none; it belongs to {environment}" if environment else "none", style="bold yellow")
