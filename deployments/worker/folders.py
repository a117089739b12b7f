"""The worker's folder for temporary files, and the removal of folders that killed workers have left."""

import os
import shutil
import socket
import stat
import tempfile
import time
from pathlib import Path

ZYGOTE = "zygote"
"""The name of the socket in it, at which a worker that lives is asked for processes."""

_PREFIX = "runbook-worker-"
_UNBOUND_SECONDS = 3600.0
"""After so long, a folder without the socket is not one of a worker that is starting."""


def new_folder() -> Path:
    """Create a folder that only its owner can read. Left-over folders of our workers are removed first.

    Raises:
        OSError: it cannot be created.
    """
    remove_left_over(Path(tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(prefix=_PREFIX))


def remove_left_over(parent: Path) -> None:
    """Remove the folders of our user's workers that were killed and could not do it themselves."""
    for path in parent.glob(f"{_PREFIX}*"):
        if _is_ours(path) and _is_gone(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _is_gone(path: Path) -> bool:
    """Whether nothing listens at the socket. A process id would not tell, because it may have been reused."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(1.0)
        try:
            asking.connect(str(path / ZYGOTE))
        except ConnectionRefusedError:
            return True
        except FileNotFoundError:
            return _age(path) > _UNBOUND_SECONDS
        except OSError:
            return False
    return False


def _age(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:
        return 0.0
