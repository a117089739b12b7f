"""Every act of a person with what it says at each door, and the event that it is."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from runbook.approvals.identity import Identity
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.incidents import events as e
from tests.deployments.journal_samples import OPENED_AT
from tests.runbook.public_texts import PROPOSED

AT = OPENED_AT + timedelta(minutes=-30)
"""When what the late note tells happened: it can be written today, however long ago the sample is."""


@dataclass(frozen=True)
class Case:
    """An act of ana: the command without the incident, the path and body of the API, the form in Prefect.

    `wakes`: its run has to go on, for which Prefect is asked. `again`: it is written as often as it is said.
    """

    name: str
    command: tuple[str, ...]
    path: str
    body: dict[str, str]
    form: dict[str, str]
    event: type[e.Event]
    fields: dict[str, Any] = field(default_factory=dict)
    wakes: bool = False
    again: bool = False

    def of(self, by: str, identity: Identity) -> e.Event:
        """The event where this person did it."""
        if self.event is e.SeverityOverridden:
            level, why = Severity(self.form["level"]), self.form["text"]
            assessment = SeverityAssessment(severity=level, because=why, by=by)
            return e.SeverityOverridden(assessment=assessment, identity=identity)
        own = {"lead": by} if self.fields.get("lead") == "" else {}
        said = {"type": self.event.__name__, "by": by, "identity": identity}
        return e.EVENT.validate_python(said | self.fields | own)


CASES = [
    Case("take", ("take",), "lead", {}, {"act": "take"}, e.LeadAssigned, {"lead": ""}),
    Case(
        "assign",
        ("assign", "bob"),
        "lead",
        {"name": "bob"},
        {"act": "assign", "name": "bob"},
        e.LeadAssigned,
        {"lead": "bob"},
    ),
    Case(
        "comms",
        ("comms", "cyd"),
        "comms",
        {"name": "cyd"},
        {"act": "comms", "name": "cyd"},
        e.CommsLeadAssigned,
        {"lead": "cyd"},
    ),
    Case(
        "support",
        ("support", "dee"),
        "support",
        {"name": "dee"},
        {"act": "support", "name": "dee"},
        e.SupportAssigned,
        {"lead": "dee"},
    ),
    Case("update", ("update",), "updates", {}, {"act": "update"}, e.UpdateRequested),
    Case("ack", ("ack",), "acknowledgements", {}, {"act": "ack"}, e.IncidentAcknowledged),
    Case(
        "resolve",
        ("resolve", "--outcome", "not-ours", "--reason", "the proxy team has it", "--done", "moved traffic"),
        "resolution",
        {"outcome": "not-ours", "reason": "the proxy team has it", "done": "moved traffic"},
        {"act": "resolve", "outcome": "not-ours", "text": "the proxy team has it", "done": "moved traffic"},
        e.IncidentResolved,
        {"outcome": "not_ours", "because": ("the proxy team has it",), "done": "moved traffic"},
        wakes=True,
    ),
    Case(
        "note",
        ("note", "they roll back"),
        "notes",
        {"text": "they roll back"},
        {"act": "note", "text": "they roll back"},
        e.NoteAdded,
        {"text": "they roll back"},
        again=True,
    ),
    Case(
        "state",
        ("state", "monitoring", "--reason", "they rolled back"),
        "state",
        {"state": "monitoring", "reason": "they rolled back"},
        {"act": "state", "state": "monitoring", "text": "they rolled back"},
        e.StateForced,
        {"state": "MONITORING", "because": "they rolled back"},
    ),
    Case(
        "late note",
        ("note", "first errors", "--at", AT.isoformat()),
        "notes",
        {"text": "first errors", "at": AT.isoformat()},
        {"act": "note", "text": "first errors", "at": AT.isoformat()},
        e.NoteAdded,
        {"text": "first errors", "happened_at": AT},
        again=True,
    ),
]
"""Each act; where the lead is empty, it is whoever acts."""

SEVERITY = Case(
    "severity",
    ("severity", "P2", "--reason", "one customer"),
    "severity",
    {"severity": "P2", "reason": "one customer"},
    {"act": "severity", "level": "P2", "text": "one customer"},
    e.SeverityOverridden,
)
RESUME = Case(
    "resume",
    ("resume", "--done", "restarted it"),
    "resumption",
    {"done": "restarted it"},
    {"act": "resume", "done": "restarted it"},
    e.ResponseResumed,
    {"done": "restarted it"},
    wakes=True,
    again=True,
)
DIGEST = PROPOSED.digest
ON_A_TEXT = [
    Case(
        "publish",
        ("publish", "--proposal", DIGEST[:12]),
        "publication",
        {"proposal": DIGEST[:12]},
        {"act": "publish", "proposal": DIGEST[:12]},
        e.PublicTextApproved,
        {"proposal": DIGEST},
    ),
    Case(
        "publish in other words",
        ("publish", "--proposal", DIGEST, "--text", "words.txt"),
        "publication",
        {"proposal": DIGEST, "text": "Some events arrive late."},
        {"act": "publish", "proposal": DIGEST, "text": "Some events arrive late."},
        e.PublicTextApproved,
        {"proposal": DIGEST, "body": "Some events arrive late."},
    ),
    Case(
        "publish under another title",
        ("publish", "--proposal", DIGEST, "--title", "Delayed events"),
        "publication",
        {"proposal": DIGEST, "title": "Delayed events"},
        {"act": "publish", "proposal": DIGEST, "title": "Delayed events"},
        e.PublicTextApproved,
        {"proposal": DIGEST, "title": "Delayed events"},
    ),
    Case(
        "withhold",
        ("withhold", "--proposal", DIGEST, "--reason", "not sure yet"),
        "withholding",
        {"proposal": DIGEST, "reason": "not sure yet"},
        {"act": "withhold", "proposal": DIGEST, "text": "not sure yet"},
        e.PublicTextWithheld,
        {"proposal": DIGEST, "because": "not sure yet"},
    ),
]
"""What is said to a text for the public: to `PROPOSED`, once that waits."""

IN_THE_FORM = [*CASES, SEVERITY, RESUME]
"""What the form takes. The last two have commands and paths of their own, with answers of their own."""
