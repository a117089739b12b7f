"""The folders that the settings name: made at every start, closed to others, and told where they are new."""

import logging
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from blocks.files.private_files import STATE_FOLDER, private_folder
from blocks.transport.errors import Refused

log = logging.getLogger("runbook.settings")


def make_folders(store_url: SecretStr, evidence: Path) -> list[str]:
    """Make the folders of an SQLite store and of the evidence, see `Settings.make_folders`.

    Raises:
        Refused: others can write in one of them, or the store's would be in a folder that is not there.
        OSError: there can be no folder for the store.
    """
    lines: list[str] = []
    url = make_url(store_url.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        lines += _store(Path(url.database).parent)
    try:
        new = _told_new(evidence, "[evidence] folder")
        lines += [*private_folder(evidence), *new]
    except OSError as error:
        log.warning("There is no folder for the evidence: %s", error)
    return lines


def _store(folder: Path) -> list[str]:
    """Two missing folders in a row are a path that is mistyped: an empty store there would look like ours."""
    if not folder.exists() and not folder.parent.exists() and STATE_FOLDER not in folder.parts:
        cause = f"there is no folder {folder.parent} in which {folder.name} could be made for the store"
        raise Refused("incident store", cause, f"Correct `url` in [store], or: mkdir -p {folder}")
    new = _told_new(folder, "[store] url")
    return [*private_folder(folder), *new]


def _told_new(folder: Path, setting: str) -> list[str]:
    """What is said of a folder that is not there yet; that of our state is made without a word."""
    if folder.exists() or STATE_FOLDER in folder.parts:
        return []
    return [f"{setting}: {folder} did not exist and was created"]
