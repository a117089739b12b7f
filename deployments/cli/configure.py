"""`runbook configure`: the settings file becomes blocks, a work pool and deployments in Prefect."""

from pathlib import Path

from deployments.cli.errors import ExitCode
from deployments.cli.options import JsonOption, Switch
from deployments.cli.output import console, print_json, warn

STYLES = {"created": "green", "updated": "yellow", "deleted": "red", "unchanged": "dim"}


async def configure(file: Path, /, *, only_blocks: Switch = False, json: JsonOption = False) -> int:
    """Save a settings file in Prefect.

    Running it again changes nothing. PREFECT_API_URL names the server.

    Parameters
    ----------
    file
        Settings file; deployments/runbook.example.toml explains every key.
    only_blocks
        Save the blocks, and leave work pool and deployments as they are: for a second environment whose
        services the settings of the first one name in [services]. Save the first one again after it: its
        housekeeping is then scheduled for both.
    """
    from deployments.cli.sources import prefect_client, read_settings
    from deployments.prefect.configure import configure as save

    settings = read_settings(file)
    for line in settings.make_folders():
        warn(line)
    async with prefect_client(file):
        changes = await save(settings, only_blocks=only_blocks)
    if json:
        print_json(
            [{"kind": item.kind, "name": item.name, "outcome": item.outcome.value} for item in changes]
        )
        return ExitCode.OK
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for item in changes:
        table.add_row(Text(item.outcome.value, style=STYLES[item.outcome.value]), item.kind, item.name)
    console().print(table)
    return ExitCode.OK
