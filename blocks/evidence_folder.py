"""Remove evidence from the folder that it was written to, where Prefect's block only writes and reads."""

import asyncio
import shutil
from pathlib import Path

from prefect.filesystems import LocalFileSystem

from blocks.errors import Refused


async def has_collections(folder: LocalFileSystem, incident_id: str) -> bool:
    """Whether there is a collection of evidence in the incident's folder.

    Raises:
        Refused: the folder cannot be read, or the id names no folder of its own.
    """
    return bool(await asyncio.to_thread(_collections, _folder_of(folder, incident_id)))


async def remove_collections(folder: LocalFileSystem, incident_id: str) -> None:
    """Remove the collections in the incident's folder; what was drafted beside them stays.

    What is gone already is no error: whatever ended it early, the next call removes the rest.

    Raises:
        Refused: something cannot be removed, or the id names no folder of its own.
    """
    for path in await asyncio.to_thread(_collections, _folder_of(folder, incident_id)):
        await asyncio.to_thread(_remove, path)


async def remove_folder(folder: LocalFileSystem, incident_id: str) -> None:
    """Remove the incident's folder with all that is in it, as `remove_collections` does.

    Raises:
        Refused: something cannot be removed, or the id names no folder of its own.
    """
    await asyncio.to_thread(_remove, _folder_of(folder, incident_id))


def _folder_of(folder: LocalFileSystem, incident_id: str) -> Path:
    base = Path(folder.basepath or ".").expanduser().resolve()
    path = base / incident_id
    if not incident_id or path.name != incident_id or path.parent != base:
        raise Refused("evidence folder", f"{incident_id!r} is no folder in it", "Look at its journal")
    return path


def _collections(path: Path) -> list[Path]:
    try:
        return sorted(each for each in path.iterdir() if each.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _refused(path, error) from None


def _remove(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refused(path, error) from None


def _refused(path: Path, error: OSError) -> Refused:
    reason = error.strerror or type(error).__name__
    return Refused("evidence folder", f"{path}: {reason}", "Let the worker write there")
