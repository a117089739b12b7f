"""Which Prefect server a command speaks to: the named one, or the one that `runbook up` runs here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployments.cli.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from deployments.prefect.access import Access


@contextmanager
def chosen_prefect(config: Path | None = None) -> Iterator[str]:
    """Have Prefect's clients speak to the right server meanwhile; yields the address of its API.

    PREFECT_API_URL goes first, then the server of this folder or of the settings file's, then Prefect's
    profile. The password of a server of ours is found as well, unless PREFECT_API_AUTH_STRING has one.

    Raises:
        CommandError: no server is named; Prefect would start one of its own, which knows no incident.
    """
    if _nothing_names_a_server(config):
        raise _unnamed(config)
    from prefect.settings import (
        PREFECT_API_AUTH_STRING,
        PREFECT_API_KEY,
        PREFECT_API_URL,
        PREFECT_UI_URL,
        get_current_settings,
        temporary_settings,
    )

    named = get_current_settings().api
    ours = running_server(config)
    if ours is not None and not os.environ.get("PREFECT_API_URL"):
        changed: dict[Any, Any] = {
            PREFECT_API_URL: ours.api_url,
            PREFECT_UI_URL: ours.ui_url,
            PREFECT_API_AUTH_STRING: ours.password,
        }
        with temporary_settings(changed, restore_defaults={PREFECT_API_KEY}):
            yield ours.api_url
    elif not named.url:
        raise _unnamed(config)
    elif ours is not None and ours.serves(named.url) and named.auth_string is None:
        with temporary_settings({PREFECT_API_AUTH_STRING: ours.password}):
            yield named.url
    else:
        yield named.url


def _unnamed(config: Path | None) -> CommandError:
    from deployments.cli.people.door import URL_VARIABLE
    from deployments.settings.settings import find_config

    advice = "set PREFECT_API_URL (`runbook up` prints it), or start one with `runbook up`"
    if config is not None:
        advice = f"set PREFECT_API_URL, or start one with `runbook up --config {config}`"
    elif find_config(config) is None:
        advice = "set PREFECT_API_URL (`runbook up` prints it), or give --config FILE"
        if os.environ.get(URL_VARIABLE):
            advice += f"; {URL_VARIABLE} is for reading and answering incidents only"
    return CommandError("no Prefect server is named", advice, code=ExitCode.USAGE)


def _nothing_names_a_server(config: Path | None) -> bool:
    """Whether none can be named, so that Prefect, which takes a second to import, need not say so.

    Its settings come from variables, from files of the working folder and from the profiles in its home.
    """
    if any(name.upper().startswith("PREFECT_") for name in os.environ):
        return False
    places = (
        Path("prefect.toml"),
        Path("pyproject.toml"),
        Path(".env"),
        Path.home() / ".prefect/profiles.toml",
    )
    return not any(place.exists() for place in places) and running_server(config) is None


def running_server(config: Path | None) -> "Access | None":
    """The running server of ours that belongs to a settings file or to this folder."""
    from blocks.files.private_files import STATE_FOLDER
    from deployments.prefect.access import find_access
    from deployments.settings.settings import find_config

    here = Path(STATE_FOLDER)
    path = find_config(config)
    if path is None:
        return find_access([here])
    return find_access(
        [path.parent, path.parent / STATE_FOLDER, here]
    )  # a drill's state is beside its settings
