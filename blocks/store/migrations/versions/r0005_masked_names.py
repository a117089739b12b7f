"""Names and identities as alerts have them now: where one holds a secret, masked with a hash, or a hash.

The tables stay as they are. The next message about such an alert finds what is known of it, and its service's
open incident.
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic.operations import Operations

from runbook.outside_text import let_in_identity, let_in_name

revision = "0005"
down_revision = "0004"

_NAMES: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("incidents", "service", let_in_name),
    ("alerts", "service", let_in_name),
    ("episodes", "service", let_in_name),
    ("alerts", "key", let_in_identity),
    ("episodes", "key", let_in_identity),
    ("deliveries", "delivery", let_in_identity),
)


def upgrade(op: Operations) -> None:
    """Exchange the names that the door would change."""
    connection = op.get_bind()
    for table, column, let_in in _NAMES:
        of = sa.table(table, sa.column(column, sa.String(255)))
        name = of.c[column]
        for known in connection.execute(sa.select(name).distinct()).scalars().all():
            inside = let_in(known)
            if inside != known:
                connection.execute(sa.update(of).where(name == known).values({column: inside}))
