"""What was written down outside the journal."""

from typing import Literal

from runbook.incidents.events.base import JournalEvent
from runbook.outside_text import OutsideLine, OutsideName, OutsideText


class EvidenceCollected(JournalEvent):
    """Evidence was written and sealed. `files` maps each name to its SHA-256."""

    type: Literal["EvidenceCollected"] = "EvidenceCollected"
    collection: str
    folder: str
    manifest_sha256: str
    files: dict[str, str]
    missing: dict[OutsideName, OutsideText] = {}

    @property
    def journal_key(self) -> str:
        """Once for each collection."""
        return f"evidence:{self.collection}"


class FileNotWritten(JournalEvent):
    """A file of the runbook's own could not be written, or not all of them; the response goes on without it.

    `what` is what people call it: `evidence before-mitigation`, `paper runbook`, `post-mortem`.
    """

    type: Literal["FileNotWritten"] = "FileNotWritten"
    what: str
    path: str
    because: OutsideLine

    @staticmethod
    def key_of(digest: str) -> str:
        """The key of a file and cause with that digest."""
        return f"not-written:{digest}"


class PostmortemDrafted(JournalEvent):
    """A post-mortem draft was written."""

    type: Literal["PostmortemDrafted"] = "PostmortemDrafted"
    path: str
    sha256: str

    @staticmethod
    def key_of(number: int) -> str:
        """The key of a draft, counted from 1."""
        return f"postmortem:{number}"


class ArtifactPublished(JournalEvent):
    """An artifact is to be seen in Prefect. `plan_digest` says which plan it shows, where it shows one."""

    type: Literal["ArtifactPublished"] = "ArtifactPublished"
    key: str
    kind: str
    plan_digest: str = ""

    @property
    def journal_key(self) -> str | None:
        """Once for each artifact, but for plans, which are published again where they have changed."""
        return None if self.plan_digest else f"artifact:{self.key}"
