"""What a command left running, found by the folder that it worked in."""

import time
from pathlib import Path


def processes_in(folder: Path) -> list[str]:
    """Command lines of the processes that were started in a folder or name it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_text().replace("\0", " ")
            place = (entry / "cwd").readlink()
        except OSError:
            continue  # it ended while we looked, or is not ours
        if str(folder) in command or place == folder:
            found.append(command)
    return found


def wait_until_gone(folder: Path, seconds: float = 30) -> list[str]:
    """What still runs in the folder after some time; empty as soon as nothing does."""
    deadline = time.monotonic() + seconds
    while (left := processes_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left
