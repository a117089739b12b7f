"""How many connections there can be: as many as this process may open files for."""

import os
import resource
import sys

OWN_FILES = 32
"""Kept for what the receiver opens for itself: its store, Prefect's client, pager and channel."""


LEAST_CONNECTIONS = 8


class TooFewFiles(Exception):
    """This process may open so few files that it could not serve."""


def places(wanted: int) -> int:
    """How many connections there can be: as many as wanted, or as this process's limit of files allows.

    Raises:
        TooFewFiles: hardly any.
    """
    limit, opened = files()
    found = min(wanted, limit - opened - OWN_FILES)
    if found < LEAST_CONNECTIONS:
        advice = f"raise the limit, `ulimit -n {opened + OWN_FILES + LEAST_CONNECTIONS}` at least"
        raise TooFewFiles(f"this process may open only {limit} files: {advice}")
    return found


def files() -> tuple[int, int]:
    """How many files this process may open, and how many are open."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    folder = "/proc/self/fd" if os.path.exists("/proc/self/fd") else "/dev/fd"
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit, len(os.listdir(folder))
