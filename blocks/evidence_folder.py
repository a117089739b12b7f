"""Evidence, drafts and paper runbooks in the folder of Prefect's block, which lets everybody read them."""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path

from prefect.filesystems import LocalFileSystem

from blocks.errors import Refused
from blocks.private_files import make_private, write_private


async def write_evidence(folder: LocalFileSystem, path: str, content: bytes) -> None:
    """Write a file for its owner only, whole or not at all. `path` begins with the incident's id.

    Raises:
        Refused: the path does not lead into an incident's folder.
        OSError: it cannot be written.
    """
    incident_id, _, name = path.partition("/")
    within = _folder_of(folder, incident_id)
    target = (within / name).resolve()
    if within not in target.parents:
        raise Refused("evidence folder", f"{path!r} is no file in it", "Look at the incident's journal")
    await asyncio.to_thread(_write, within, target, content)


def _write(incident: Path, path: Path, content: bytes) -> None:
    """An incident's folder is ours, so one that an earlier release left open is closed."""
    make_private(incident)
    with suppress(PermissionError):
        incident.chmod(0o700)
    write_private(path, content)


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
