"""The hand-over packet: what the next lead has to know, read from the journal alone."""

from datetime import datetime

from runbook.channels.local_time import clock_after, in_zone
from runbook.channels.next_up import next_up
from runbook.channels.told_state import told_instead
from runbook.channels.untold import untold_because
from runbook.channels.wording import ACTION_OUTCOMES, OUTCOMES, verdict_words
from runbook.clocks.response import response_clock, response_words
from runbook.incidents import events as e
from runbook.incidents.current_action import current_action
from runbook.incidents.incident import Incident
from runbook.incidents.people import acknowledged_by, comms_lead_of, lead_of, notes_of, support_of
from runbook.incidents.report import DIGEST_LETTERS, question_of
from runbook.incidents.state import State
from runbook.incidents.summary import evidence_folder, flow_run_url, postmortem
from runbook.outside_text import one_line
from runbook.policy.policy import Policy
from runbook.public.gate import waiting
from runbook.redaction import redact_secrets
from runbook.templates.environments import render_markdown
from runbook.value import Value

MOST_NOTES = 10
"""The newest notes; `runbook incident --full` has all."""

MOST_REASONS = 5


class Done(Value):
    """A change that was begun: what it was, how it ended, and how it is taken back."""

    title: str
    target: str
    outcome: str
    undo: str


class Packet(Value):
    """What is handed over; texts are for people, and empty where there is nothing to say."""

    incident: str
    service: str
    state: str
    severity: str
    verdict: str
    because: tuple[str, ...] = ()
    response: str
    now_doing: str
    roles: dict[str, str]
    acknowledged_by: tuple[str, ...] = ()
    asks: str = ""
    public_texts: tuple[str, ...] = ()
    done: tuple[Done, ...] = ()
    pages: tuple[str, ...] = ()
    promises: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    links: dict[str, str] = {}


def packet_of(incident: Incident, policy: Policy, *, now: datetime) -> Packet:
    """The packet as it is true at `now` (aware UTC); times are on the clocks of the policy's calendar."""
    decision, zone = incident.decision, policy.calendar.time_zone

    def at(moment: datetime) -> str:
        return clock_after(moment, incident.opened_at, zone)

    links = {
        "run": flow_run_url(incident),
        "evidence": evidence_folder(incident),
        "post-mortem": postmortem(incident),
    }
    ended = f" ({OUTCOMES[incident.outcome]})" if incident.outcome else ""
    instead = told_instead(incident, policy)
    told = f"; people are told {instead}" if instead else ""
    return Packet(
        incident=incident.id,
        service=incident.service,
        state=f"{incident.state.value}{ended}, opened at {at(incident.opened_at)}{told}",
        severity=_severity(incident),
        verdict=verdict_words(decision) if decision else "none yet",
        because=decision.because[:MOST_REASONS] if decision else (),
        response=response_words(response_clock(incident, policy), now, zone),
        now_doing=current_action(incident),
        roles={
            "lead": lead_of(incident) or policy.incident_commander,
            "communications": comms_lead_of(incident) or "",
            "support": support_of(incident) or "",
        },
        acknowledged_by=acknowledged_by(incident),
        asks=_asks(incident),
        public_texts=tuple(
            f"{it.text.state} ({it.text.digest[:DIGEST_LETTERS]}): {one_line(it.text.body)}"
            for it in waiting(incident, policy)
        ),
        done=_done(incident),
        pages=_pages(incident, zone),
        promises=tuple(
            f"{at(each.at)}: {each.what}" if each.at else each.what for each in next_up(incident, policy)
        ),
        notes=tuple(f"{at(note.at)} {note.by}: {note.text}" for note in notes_of(incident)[-MOST_NOTES:]),
        links={name: where for name, where in links.items() if where},
    )


def packet_markdown(packet: Packet) -> str:
    """The packet as a page, with secrets masked and every text escaped."""
    return redact_secrets(render_markdown("handover.md.j2", packet=packet)) + "\n"


def _severity(incident: Incident) -> str:
    rated = incident.severity
    return f"{rated.severity.value} by {rated.by}: {rated.because}" if rated else "not rated"


def _asks(incident: Incident) -> str:
    gate = incident.pending_gate
    if gate is None:
        return incident.pause.because if incident.pause else ""
    plan = incident.previews.get(gate.action_id)
    return question_of(plan) if plan is not None else gate.question.partition("\n")[0].strip("# ")


def _done(incident: Incident) -> tuple[Done, ...]:
    """The changes of which a request was made, or may have been."""
    found = []
    for plan in incident.previews.values():
        if not incident.has_begun(plan.action):
            continue
        result = incident.results.get(plan.action.id)
        found.append(
            Done(
                title=plan.action.spec.title,
                target=plan.action.target,
                outcome=ACTION_OUTCOMES[result.outcome] if result else "under way, or in doubt",
                undo=plan.action.spec.undo,
            )
        )
    return tuple(found)


def _pages(incident: Incident, zone: str) -> tuple[str, ...]:
    """The pages since the last acknowledgement: nobody has said that they have them."""
    if incident.state in (State.RESOLVED, State.CLOSED):
        return ()
    numbers = {id(event): number for number, event in enumerate(incident.events(e.IncidentEscalated), 1)}
    return tuple(
        _page(item.event.because, f"{in_zone(item.at, zone):%H:%M %Z}", untold_because(incident, number))
        for item in incident.since(e.IncidentAcknowledged)
        if isinstance(item.event, e.IncidentEscalated)
        for number in [numbers[id(item.event)]]
    )


def _page(because: str, at: str, why_not: str) -> str:
    return f"Nobody could be told at {at} ({why_not}): {because}" if why_not else f"Paged at {at}: {because}"
