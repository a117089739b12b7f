"""The store that a worker's own settings name: its runs believe no other.

Blocks lie in Prefect, where whoever may edit them could lead a run to a store of theirs, with approvals that
they wrote themselves. So a worker that has a settings file gives its runs the digest of its store's address,
and a run with another store's block refuses to act.
"""

import os
from collections.abc import MutableMapping
from hashlib import sha256
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from blocks.transport.errors import Refused

VARIABLE = "RUNBOOK_STORE_DIGEST"
"""The digest of the store's address, in the environment of a worker and its runs; absent, any store is taken.

Runs cannot choose it: the work pool's template and our worker leave them no environment of their own.
"""


def address_digest(url: SecretStr) -> str:
    """SHA-256 over what identifies the tables: driver, user, server, database, options; no password.

    A file is what it is by its real path. What is no address has a digest too.
    """
    try:
        parsed = make_url(url.get_secret_value())
    except (ArgumentError, ValueError):
        return sha256(url.get_secret_value().encode()).hexdigest()
    database = parsed.database or ""
    if parsed.get_backend_name() == "sqlite" and database and database != ":memory:":
        database = str(Path(database).resolve())
    options = sorted((name, str(value)) for name, value in parsed.query.items() if name != "password")
    parts = (parsed.drivername, parsed.username, parsed.host, parsed.port, database, options)
    return sha256(repr(parts).encode()).hexdigest()


def give_to_runs(url: SecretStr, environment: MutableMapping[str, str]) -> None:
    """Put the digest of the store's address where runs find it."""
    environment[VARIABLE] = address_digest(url)


def require_own_store(url: SecretStr, *, environment: str) -> None:
    """Make sure that a run's store is the one that its worker's settings name.

    Raises:
        Refused: it is another one.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted is not None and address_digest(url) != wanted:
        raise Refused(
            "incident store",
            f"the block of environment {environment!r} names a different store than this worker's settings",
            "Run `runbook configure` with the worker's settings file. If nobody moved the store, "
            "find out who edited the block in Prefect. An environment with a different store "
            "needs its own work pool and worker",
        )
