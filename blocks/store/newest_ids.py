"""The newest ids of a store in a file, for who cannot wait: only the index of incidents is read."""

import sqlite3
from contextlib import closing, suppress
from urllib.parse import quote

from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from runbook.incidents.ids import INCIDENT_ID

_PATIENCE_SECONDS = 0.2
_NEWEST = "SELECT id, service FROM incidents ORDER BY opened_at DESC LIMIT ?"


def newest_ids(url: SecretStr, *, limit: int = 20) -> dict[str, str]:
    """The service of each of the newest incidents, newest first; empty for a database that is no file.

    A file that is not there, is locked or is no store has none either: nothing is created and nobody waits.
    """
    with suppress(ArgumentError, ValueError, sqlite3.Error):
        address = make_url(url.get_secret_value())
        if address.get_backend_name() != "sqlite" or not address.database:
            return {}
        file = f"file:{quote(address.database)}?mode=ro"
        with closing(sqlite3.connect(file, uri=True, timeout=_PATIENCE_SECONDS)) as connection:
            rows = connection.execute(_NEWEST, (limit,)).fetchall()
        return {incident: service for incident, service in rows if INCIDENT_ID.fullmatch(incident)}
    return {}
