"""`runbook up`: everything that a single machine needs, in the foreground."""

import os
import sys
from pathlib import Path

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import FileOption
from deployments.cli.output import console, warn

STATE = Path(".runbook")


async def up(*, config: FileOption = None) -> int:
    """Start Prefect, the worker and the alert receiver here.

    Ctrl-C stops them all. With PREFECT_API_URL set, that Prefect is used and none is started. Prefect's UI
    asks for the password that is printed; commands in this folder find it.
    """
    from blocks.files.private_files import private_folder
    from blocks.transport.errors import bare_url
    from deployments.cli.sources import read_settings
    from deployments.processes.foreground import until_stopped
    from deployments.processes.output import never_fail
    from deployments.processes.stack import Stack
    from deployments.settings.settings import DEFAULT_CONFIG, find_config

    path = find_config(config)
    if path is None:
        raise CommandError(
            "there is no settings file",
            f"copy deployments/runbook.example.toml to {DEFAULT_CONFIG}, or give --config FILE",
            code=ExitCode.USAGE,
        )
    settings = read_settings(path)
    given = os.environ.get("PREFECT_API_URL")
    for line in dict.fromkeys((*private_folder(STATE, thoroughly=True), *settings.make_folders())):
        warn(line)
    never_fail()
    out = console()
    out.print("Starting Prefect, the worker and the alert receiver ...")
    async with Stack(settings, config=path, state=STATE, api_url=given) as stack:
        for line in (
            f"Prefect:       {bare_url(stack.ui_url)}",
            *(f"Password:      {password}" for password in stack.login(terminal=sys.stdout.isatty())),
            f"Alerts:        {stack.receiver_url}/alerts/alertmanager",
            f"Logs:          {STATE / 'logs'}",
            f"Other shells:  {stack.exports}",
            *(["               (`runbook` in this folder needs neither)"] if stack.access else []),
            "Ready. Ctrl-C stops it.",
        ):
            out.print(line, soft_wrap=True)  # unwrapped, to be copied
        await until_stopped(stack.watch())
    return ExitCode.OK
