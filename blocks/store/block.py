"""The block under which Prefect keeps where the incident store is."""

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, SecretStr

from blocks.store.journal import IncidentStore


class IncidentStoreBlock(Block):
    """Where incidents and their journals are kept."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str] = "Runbook incident store"
    _block_type_slug: ClassVar[str] = "runbook-incident-store"
    _description: ClassVar[str] = "The append-only journal of every incident, in SQLite or PostgreSQL."

    url: SecretStr = Field(
        title="Database URL",
        description="SQLAlchemy URL, sqlite+aiosqlite:///… or postgresql+psycopg://…; may hold a password.",
    )

    @property
    def store(self) -> IncidentStore:
        """The store at this address."""
        return IncidentStore(url=self.url)
