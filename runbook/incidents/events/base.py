"""What all events of a journal have in common."""

from runbook.value import Value


class JournalEvent(Value):
    """Something that has happened to an incident."""

    @property
    def journal_key(self) -> str | None:
        """What the event is written under so that it is written once; `None` if it may happen again."""
        return None


def numbered(name: str, reopened: int) -> str:
    """The key of what happens once in the first life of an incident, and once after each reopening."""
    return f"{name}:{reopened + 1}" if reopened else name
