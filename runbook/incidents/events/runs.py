"""The flow runs that work on an incident."""

from typing import ClassVar, Literal

from runbook.approvals.identity import Identity
from runbook.incidents.events.base import JournalEvent
from runbook.outside_text import OutsideName, OutsideText


class RunStarted(JournalEvent):
    """A flow run works on the incident; there may be several after crashes. A dry run changes nothing."""

    type: Literal["RunStarted"] = "RunStarted"
    flow_run_id: str
    url: str = ""
    dry_run: bool = False

    KEYS: ClassVar[str] = "run:"
    """How its keys begin."""

    @classmethod
    def key_of(cls, flow_run_id: str) -> str:
        """The key of a flow run, however often it starts."""
        return f"{cls.KEYS}{flow_run_id}"

    @property
    def journal_key(self) -> str:
        """Once for each flow run."""
        return self.key_of(self.flow_run_id)


class RunContinued(JournalEvent):
    """A run that had stopped is started again, or another one in its place; `because` says what was seen."""

    type: Literal["RunContinued"] = "RunContinued"
    flow_run_id: str
    because: OutsideText


class ResponseResumed(JournalEvent):
    """A person hands the response back to the runbook; `done` is what was done by hand, in their words."""

    type: Literal["ResponseResumed"] = "ResponseResumed"
    by: OutsideName
    done: OutsideText
    identity: Identity | None = None
