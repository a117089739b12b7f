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
    from rich.text import Text

    from blocks.environment import Environment
    from blocks.files.private_files import private_folder
    from blocks.transport.translating import bare_url
    from deployments.cli.sources import read_settings
    from deployments.prefect.configure import blocks
    from deployments.processes.foreground import until_stopped
    from deployments.processes.output import never_fail
    from deployments.processes.stack import Stack
    from deployments.progress.parts import hanging
    from deployments.settings.missing import missing
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
    lacking = missing(settings, Environment.of(settings.prefect.environment, blocks(settings)))
    out.print("Starting Prefect, the worker and the alert receiver ...")
    async with Stack(settings, config=path, state=STATE, api_url=given) as stack:
        for line in (
            f"Prefect:       {_with_local(bare_url(stack.ui_url), stack.api_url.removesuffix('/api'))}",
            *(f"Password:      {password}" for password in stack.login(terminal=sys.stdout.isatty())),
            f"Receiver:      {_with_local(stack.alerts_url, stack.receiver_url)}",
            f"Logs:          {STATE / 'logs'}",
            f"Other shells:  {stack.exports}",
            *(["               (`runbook` in this folder needs neither)"] if stack.access else []),
        ):
            out.print(line, soft_wrap=True)  # unwrapped, to be copied
        for each in lacking:
            wrapped = hanging("Missing:       ", Text(str(each), style="default"), style="yellow")
            whole = Text.assemble(("Missing:       ", "yellow"), str(each))
            out.print(wrapped if out.is_terminal else whole, soft_wrap=not out.is_terminal)
        out.print("Ready. Ctrl-C stops it.")
        await until_stopped(stack.watch())
    return ExitCode.OK


def _with_local(public: str, local: str) -> str:
    """The address for people, and the one on this machine where it is another."""
    from blocks.transport.translating import bare_url

    return public if public == local else f"{public} (on this machine {bare_url(local)})"
