"""Upgrades of the incident store's tables, as alembic revisions.

To change a table: change `blocks/store/database/tables.py`, add a file to `versions/` that does the same to
tables with rows in them, and set `HEAD` in `blocks/store/database/schema.py` to its revision. A revision
stays as it was released, so it names columns itself and imports no table. It gets alembic's `Operations` as
an argument: `alembic.op` is one for the whole process, and a process may open several stores. There is no way
back: a release that is older than its tables refuses them, so keep a copy of the database before an upgrade.
"""

__all__ = ["upgrade"]
