"""Files in the folder of the evidence: for their owner only, written whole or not at all, and removed again.

Prefect's block says where the folder is. What it writes itself everybody may read, and it may be half a file
where the disk is full.
"""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path

from prefect.filesystems import LocalFileSystem

from blocks.files.owners import require_own_folder
from blocks.files.private_files import make_private, write_private
from blocks.transport.errors import Refused
from blocks.transport.threads import Threads

WRITE_SECONDS = 30.0
"""How long a file may take to be on the disk: one that hangs must not hold up the response."""

_SYSTEM = "evidence folder"
_THREADS = Threads(_SYSTEM, 2)


class NotWritten(Refused):
    """A file could not be written; nothing of it is there."""


def path_of(folder: LocalFileSystem, name: str) -> str:
    """Where a file of that name is, or would be."""
    return f"{folder.basepath}/{name}"


async def write_file(folder: LocalFileSystem, name: str, content: bytes) -> str:
    """Write a file for its owner only, over an older one if there is one; return its path.

    `name` begins with the incident's id.

    Raises:
        Refused: the name does not lead into an incident's folder.
        NotWritten: the disk is full or takes too long, the folder is not ours to write in, is another
            user's, or the like.
    """
    incident_id, _, within = name.partition("/")
    of_incident = _folder_of(folder, incident_id)
    path = (of_incident / within).resolve()
    if of_incident not in path.parents:
        raise Refused(_SYSTEM, f"{name!r} is not a file in it", "Check the incident's journal")
    try:
        async with asyncio.timeout(WRITE_SECONDS):
            await _THREADS.run(lambda: _write(of_incident, path, content))
    except TimeoutError:
        advice = "Check the disk"
        raise NotWritten(
            _SYSTEM, f"{path}: could not be written within {WRITE_SECONDS:.0f} s", advice
        ) from None
    except OSError as error:
        advice = "Free space there, or give the worker write access"
        raise NotWritten(_SYSTEM, f"{path}: {_reason(error)}", advice) from None
    return path_of(folder, name)


def _write(of_incident: Path, path: Path, content: bytes) -> None:
    """An incident's folder is ours, so one that an earlier release left open is closed.

    Raises:
        NotWritten: another user made it.
    """
    for each in (of_incident, *(each for each in path.parents if of_incident in each.parents)):
        try:
            require_own_folder(each)
        except Refused as error:
            raise NotWritten(_SYSTEM, error.detail, error.next_step) from None
    make_private(of_incident)
    with suppress(PermissionError):
        of_incident.chmod(0o700)
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
    base = _base(folder)
    path = base / incident_id
    if incident_id in ("", "..") or path.name != incident_id or path.parent != base:
        raise Refused(_SYSTEM, f"{incident_id!r} is not a folder in it", "Check its journal")
    return path


def _base(folder: LocalFileSystem) -> Path:
    return Path(folder.basepath or ".").expanduser().resolve()


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
    return Refused(_SYSTEM, f"{path}: {_reason(error)}", "Give the worker write access")


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
