"""Sections that say where something lies: the incident store and the evidence."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DRIVERS = ("sqlite+aiosqlite", "postgresql+psycopg")


class Section(BaseModel):
    """A section of the settings file, without keys that it does not have."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(Section):
    """Section `[store]`: where the incidents are kept. A relative SQLite path is relative to the file."""

    url: SecretStr = Field(default=SecretStr("sqlite+aiosqlite:///.runbook/incidents.db"))

    def url_seen_from(self, folder: Path) -> SecretStr:
        """The address with an absolute path.

        Raises:
            ValueError: it is no database URL, or its driver is none of ours; the text holds no password.
        """
        try:
            url = make_url(self.url.get_secret_value())
        except (ArgumentError, ValueError):  # of a port that is none, the text quotes the password
            raise ValueError("not a database URL") from None
        if url.drivername not in DRIVERS:
            raise ValueError(f"the driver is not one of {', '.join(DRIVERS)}")
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            url = url.set(database=str(folder / Path(url.database).expanduser()))
        return SecretStr(url.render_as_string(hide_password=False))


class EvidenceSettings(Section):
    """Section `[evidence]`: where the evidence is kept."""

    folder: Path = Path(".runbook/evidence")
