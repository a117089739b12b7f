"""An incident as JSON: the same names for `--json` of every command and for the receiver's answers."""

from datetime import datetime

from pydantic import JsonValue

from runbook.actions.essence import essence
from runbook.approvals.approvals import awaited
from runbook.approvals.gates import PendingGate
from runbook.channels.next_up import next_up
from runbook.channels.told_state import told_instead
from runbook.channels.untold import untold
from runbook.clocks.response import response_clock
from runbook.incidents.events import EvidenceCollected, IncidentEscalated, PostmortemDrafted, RunStarted
from runbook.incidents.incident import Incident
from runbook.incidents.people import acknowledged_by, comms_lead_of, lead_of, notes_of, support_of
from runbook.policy.policy import Policy
from runbook.public.gate import waiting
from runbook.public.proposals import Proposal
from runbook.value import Value

Facts = dict[str, JsonValue]


class Wanted(Value):
    """Which incidents of a list are meant; what is empty leaves nothing out.

    `since` is aware UTC. `search` is found in the id, the service, the alert, the verdict, the lead or the
    question, whatever the case of its letters.
    """

    waiting: bool = False
    service: str = ""
    state: str = ""
    search: str = ""
    since: datetime | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Wanted()

    def takes(self, facts: Facts) -> bool:
        """Whether the incident with this `headline` is one of them."""
        words = (facts.get(name) for name in _SEARCHED)
        opened = datetime.fromisoformat(str(facts["opened_at"]))
        return (
            (not self.waiting or bool(facts.get("waits_for")))
            and (not self.service or facts.get("service") == self.service)
            and (not self.state or str(facts.get("state")).lower() == self.state.lower())
            and (self.since is None or opened >= self.since)
            and (not self.search or any(self.search.lower() in str(word or "").lower() for word in words))
        )


_SEARCHED = ("incident", "service", "alert_name", "verdict", "lead", "asks")


def headline(incident: Incident, policy: Policy) -> Facts:
    """What a list of incidents shows of each; the present policy says by when somebody has to respond."""
    decision, severity, gate = incident.decision, incident.severity, incident.pending_gate
    return {
        "incident": incident.id,
        "service": incident.service,
        "alert_name": incident.alert.name,
        "environment": incident.environment,
        "dry_run": incident.dry_run,
        "opened_at": stamp(incident.opened_at),
        "open": not incident.closed,
        "state": incident.state.value,
        "severity": severity.severity.value if severity else None,
        "verdict": decision.verdict.value if decision else None,
        "error_type": decision.error_type.value if decision else None,
        "outcome": incident.outcome.value if incident.outcome else None,
        "lead": lead_of(incident),
        "waits_for": "answer" if gate else "person" if incident.pause else None,
        "asks": gate.question if gate else None,
        "public_text": next((it.text.state for it in waiting(incident, policy)), None),
        "response": response_clock(incident, policy).model_dump(mode="json"),
        "duration_seconds": incident.duration.total_seconds() if incident.duration else None,
    }


def everything(incident: Incident, policy: Policy) -> Facts:
    """One incident in full, with its journal; the present policy says who may answer and what comes next."""
    return headline(incident, policy) | {
        "alert": incident.alert.model_dump(mode="json"),
        "told": told_instead(incident, policy) or None,
        "comms_lead": comms_lead_of(incident),
        "support": support_of(incident),
        "acknowledged_by": list(acknowledged_by(incident)),
        "notes": [note.model_dump(mode="json") for note in notes_of(incident)],
        "path": path(incident),
        "actions": actions(incident),
        "messages": messages(incident),
        "escalations": [event.because for event in incident.events(IncidentEscalated)],
        "untold": [each.model_dump(mode="json") for each in untold(incident)],
        "gate": _question(incident, policy),
        "public_texts": [_public_text(it) for it in waiting(incident, policy)],
        "next": [each.model_dump(mode="json") for each in next_up(incident, policy)],
        "artifacts": list(incident.artifacts),
        "evidence": [event.model_dump(mode="json") for event in incident.events(EvidenceCollected)],
        "postmortem": postmortem(incident),
        "flow_run": flow_run_url(incident),
        "journal": [recorded.model_dump(mode="json") for recorded in incident.journal],
    }


def path(incident: Incident) -> list[JsonValue]:
    """The labels of the branches that the newest decision took."""
    return [branch.label for branch in incident.decision.path] if incident.decision else []


def actions(incident: Incident) -> list[JsonValue]:
    """The actions that have ended, in order."""
    return [
        {
            "name": str(result.action.name),
            "target": result.action.target,
            "approved_by": result.approved_by,
            "outcome": result.outcome.value,
        }
        for result in incident.results.values()
    ]


def messages(incident: Incident) -> list[JsonValue]:
    """What was told to whom, in order."""
    return [{"channel": told.channel, "state": told.state} for told in incident.announcements]


def gate_facts(incident: Incident, gate: PendingGate | None) -> Facts | None:
    """The open question with the diff that it is about."""
    if gate is None:
        return None
    plan = incident.previews.get(gate.action_id)
    facts: Facts = gate.model_dump(mode="json")
    return facts | {"diff": plan.diff if plan else ""}


def _question(incident: Incident, policy: Policy) -> Facts | None:
    """The open question with the change in one line, and the approvals that it has and takes."""
    gate = incident.pending_gate
    facts = gate_facts(incident, gate)
    plan = incident.previews.get(gate.action_id) if gate else None
    if facts is None or plan is None:
        return facts
    asked = awaited(incident, plan, policy)
    return facts | {"essence": essence(plan), "approvals": asked.model_dump(mode="json")}


def _public_text(asked: Proposal) -> Facts:
    """A text for the public that waits for a yes, with the digest that the yes names."""
    return asked.text.model_dump(mode="json") | {"proposal": asked.text.digest, "asked_at": stamp(asked.at)}


def postmortem(incident: Incident) -> str | None:
    """Where the newest draft is."""
    drafted = incident.last(PostmortemDrafted)
    return drafted.path if drafted else None


def evidence_folder(incident: Incident) -> str | None:
    """Where the newest collection of evidence is."""
    collected = incident.last(EvidenceCollected)
    return collected.folder if collected else None


def flow_run_url(incident: Incident) -> str | None:
    """The newest flow run in Prefect's UI."""
    started = incident.last(RunStarted)
    return started.url or None if started else None


def stamp(at: datetime) -> str:
    """A time as RFC 3339 in UTC, to the second."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
