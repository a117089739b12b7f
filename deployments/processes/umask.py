"""Each of our processes creates files for its owner only, whatever the shell says that started it."""

import os

UMASK = 0o077


def keep_files_private() -> None:
    """For the first line of an entry point: processes and forks that come of this one inherit it."""
    os.umask(UMASK)
