"""`runbook configure`: the settings file becomes blocks, a work pool and deployments in Prefect."""

from pathlib import Path

from deployments.cli.errors import ExitCode
from deployments.cli.options import JsonOption
from deployments.cli.output import console, print_json, warn

STYLES = {"created": "green", "updated": "yellow", "deleted": "red", "unchanged": "dim"}


async def configure(file: Path, /, *, json: JsonOption = False) -> int:
    """Save a settings file in Prefect.

    Running it again changes nothing. PREFECT_API_URL names the server.

    Parameters
    ----------
    file
        Settings file; deployments/runbook.example.toml explains every key.
    """
    from deployments.cli.sources import prefect_client, read_settings
    from deployments.prefect.configure import configure as save

    settings = read_settings(file)
    for line in settings.make_folders():
        warn(line)
    async with prefect_client(file):
        changes = await save(settings)
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
