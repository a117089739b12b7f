"""What all events of a journal have in common."""

from runbook.value import Value


class JournalEvent(Value):
    """Something that has happened to an incident."""

    @property
    def journal_key(self) -> str | None:
        """What the event is written under so that it is written once; `None` if it may happen again."""
        return None
