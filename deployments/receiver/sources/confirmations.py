"""SNS topics that ask to be confirmed: kept by the receiver until a person does it with a command.

A file for each topic in a folder for our own user: what it holds lets its reader subscribe to the topic, so
it is neither in the log nor in a journal.
"""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from blocks.files.private_files import write_private
from runbook.alerts.mapping.sns import Confirmation, confirms
from runbook.value import Value

MOST = 20
"""Topics that are kept; a team has a few."""


class TooMany(Exception):
    """More topics ask than are kept."""


class KeptConfirmation(Value):
    """A topic that asks, through which source, and when it asked last (aware UTC)."""

    source: str
    confirmation: Confirmation
    asked_at: datetime


class Confirmations:
    """The topics that ask, in a folder that need not be there yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, source: str, confirmation: Confirmation) -> None:
        """Keep it; a topic that asks again has a new address.

        Raises:
            TooMany: too many other topics ask already.
            OSError: it cannot be written.
        """
        path = self._path(source, confirmation.topic)
        if not path.exists() and len(self._paths()) >= MOST:
            raise TooMany
        kept = KeptConfirmation(source=source, confirmation=confirmation, asked_at=datetime.now(UTC))
        write_private(path, kept.model_dump_json().encode())

    def all(self) -> list[KeptConfirmation]:
        """All that ask, the newest first. A file whose address does not confirm its topic is none."""
        found = []
        for path in self._paths():
            try:
                kept = KeptConfirmation.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):
                continue
            if confirms(kept.confirmation.url, kept.confirmation.topic):
                found.append(kept)
        return sorted(found, key=lambda kept: kept.asked_at, reverse=True)

    def forget(self, kept: KeptConfirmation) -> None:
        """It is confirmed, or nobody wants it."""
        self._path(kept.source, kept.confirmation.topic).unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))

    def _path(self, source: str, topic: str) -> Path:
        return self._folder / f"{sha256(f'{source} {topic}'.encode()).hexdigest()[:32]}.json"
