"""`runbook up`: everything that a single machine needs, in the foreground."""

import os
from pathlib import Path

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import ConfigOption
from deployments.cli.output import console

STATE = Path(".runbook")


async def up(*, config: ConfigOption = None) -> int:
    """Start Prefect, the worker and the alert receiver here.

    Ctrl-C stops them all. With PREFECT_API_URL set, that Prefect is used and none is started.
    """
    from deployments.cli.foreground import until_stopped
    from deployments.cli.sources import read_settings
    from deployments.output import never_fail
    from deployments.settings import DEFAULT_CONFIG, find_config
    from deployments.stack import Stack

    path = find_config(config)
    if path is None:
        raise CommandError(
            "there is no settings file",
            f"copy deployments/runbook.example.toml to {DEFAULT_CONFIG}, or give --config FILE",
            code=ExitCode.USAGE,
        )
    settings = read_settings(path)
    given = os.environ.get("PREFECT_API_URL")
    never_fail()
    out = console()
    out.print("Starting Prefect, the worker and the alert receiver ...")
    async with Stack(settings, config=path, state=STATE, api_url=given) as stack:
        for line in (
            f"Prefect:       {stack.ui_url}",
            f"Alerts:        {stack.receiver_url}/alerts/alertmanager",
            f"Logs:          {STATE / 'logs'}",
            f"Other shells:  export PREFECT_API_URL={stack.api_url}",
            "Ready. Ctrl-C stops it.",
        ):
            out.print(line, soft_wrap=True)  # unwrapped, to be copied
        await until_stopped(stack.watch())
    return ExitCode.OK
