"""`runbook completion`: what a shell needs to complete commands, options and incidents."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from deployments.cli.errors import ExitCode
from deployments.cli.output import write

if TYPE_CHECKING:
    from cyclopts.completion import CompletionContext


async def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Print the script with which a shell completes commands, options, their values and incident ids.

    Ids are completed where the incident store is a file on this machine.

    Parameters
    ----------
    shell
        For bash: source <(runbook completion bash). For zsh: save it as _runbook in a folder of your fpath.
        For fish: save it as ~/.config/fish/completions/runbook.fish.
    """
    from deployments.cli.app import make_app

    write(make_app().generate_completion(shell=shell).rstrip("\n"))
    return ExitCode.OK


def complete_incident(context: "CompletionContext") -> dict[str, str]:
    """`latest` and the newest ids, each with its service; ids only where they are found at once."""
    from blocks.store.newest_ids import newest_ids
    from deployments.cli.people.door import URL_VARIABLE
    from deployments.settings.settings import ConfigurationError, find_config, load_settings

    known = {"latest": "the newest incident"}
    if os.environ.get(URL_VARIABLE):
        return known
    option = context.get("config")
    given = option.raw if option is not None else None
    path = find_config(Path(given) if given else None)
    if path is None:
        return known
    try:
        return known | newest_ids(load_settings(path, systems=False).store_url)
    except (ConfigurationError, OSError):
        return known
