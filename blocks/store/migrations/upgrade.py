"""Bring the tables of an earlier release to the newest version, in the caller's transaction."""

from collections.abc import Iterable
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from blocks.store.database.schema import HEAD, VERSIONS
from blocks.store.migrations.unversioned import recognise
from blocks.transport.errors import Refused


def upgrade(connection: Connection, version: str | None) -> None:
    """Upgrade from that version; `None` stands for tables that have no version beside them.

    Raises:
        Refused: this release does not know the version or the tables; nothing was changed.
    """
    scripts = revisions()
    if version is None:
        _context(connection, scripts).stamp(scripts, recognise(connection))
    elif version not in {script.revision for script in scripts.walk_revisions()}:
        raise Refused(
            "incident store",
            f"its tables have version {version}, but this release supports versions up to {HEAD}",
            "Start the release that used this database last, or a newer one",
        )
    migrate(connection)


def migrate(connection: Connection) -> None:
    """Run the revisions that the version in the database lacks; without any version, all of them."""
    context = _context(connection, revisions())
    context.run_migrations(op=Operations(context))


def revisions() -> ScriptDirectory:
    """All revisions of this release."""
    return ScriptDirectory(str(Path(__file__).parent))


def _context(connection: Connection, scripts: ScriptDirectory) -> MigrationContext:
    def steps(versions: tuple[str, ...], _context: MigrationContext) -> Iterable[RevisionStep]:
        newer = list(scripts.iterate_revisions(HEAD, versions or "base"))
        return [MigrationStep.upgrade_from_script(scripts.revision_map, item) for item in reversed(newer)]

    options = {"fn": steps, "version_table": VERSIONS.name}
    return MigrationContext.configure(connection, opts=options)
