"""The first message of an incident's thread: where things stand now, changed in place whenever that changes.

It is built from the journal, and from the time alone where a promised update or a person is overdue. So
whoever comes by can build it at any moment, and it is the same for all of them.
"""

from datetime import datetime

from runbook.channels.buttons import Button, ButtonKind
from runbook.channels.cards.card import Card
from runbook.channels.local_time import clock_after
from runbook.channels.messages import message_facts
from runbook.channels.told_state import forced_state, told_state
from runbook.channels.untold import failing_channels, untold
from runbook.channels.wording import OUTCOMES, service_title, verdict_words
from runbook.clocks.response import response_clock, response_words
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.incidents.people import acknowledged_by, comms_lead_of, lead_of, support_of
from runbook.incidents.report import question_of
from runbook.incidents.state import State
from runbook.policy.policy import Policy
from runbook.public.gate import waiting

_BUTTONS = (
    ButtonKind.TAKE,
    ButtonKind.SEVERITY,
    ButtonKind.NOTE,
    ButtonKind.FALSE_ALARM,
    ButtonKind.STATE,
    ButtonKind.UPDATE,
    ButtonKind.COMMS,
    ButtonKind.SUPPORT,
    ButtonKind.HAND_OVER,
    ButtonKind.PACKET,
)


_FOR_COLLEAGUES = "announce"
"""The policy by which colleagues are told, as the authority of an effect names it."""


def root_card(
    incident: Incident,
    *,
    channel: str,
    policy: Policy,
    now: datetime,
    link: str,
    promised: datetime | None = None,
) -> Card:
    """The first message as it is true at `now` (aware UTC) in this channel; no buttons once it is over.

    `promised` is the time of an update that this very message promises, and the journal does not have yet.
    """
    zone = policy.calendar.time_zone
    state = told_state(incident, policy)
    facts = message_facts(
        incident,
        state=state if incident.outcome is None or incident.outcome.good else State.INVESTIGATING,
        policy=policy,
        now=now,
        commander=lead_of(incident) or policy.incident_commander,
        update_interval=None,
        time_zone=zone,
        link=link,
        response=response_words(response_clock(incident, policy), now, zone),
    )
    over, due = incident.outcome is not None, promised or _promised(incident, channel)
    values = {
        "facts": facts,
        "service": service_title(incident.service),
        "incident": incident,
        "state": _state(incident, policy),
        "since": clock_after(incident.begun_at, incident.opened_at, zone),
        "severity": _severity(incident),
        "verdict": verdict_words(incident.decision) if incident.decision else "not known yet",
        "asked": _asked(incident),
        "next_update": "None" if over else _next_update(due, incident, now, zone),
        "comms_lead": comms_lead_of(incident) or "",
        "support": support_of(incident) or "",
        "acknowledged": acknowledged_by(incident),
        "untold": [
            *[known.sentence for known in untold(incident)][-1:],
            *failing_channels(incident, besides=channel),
        ],
        "evidence": _evidence(incident),
        "status_page": _status_page(incident, channel),
        "public_text": ", ".join(it.text.state for it in waiting(incident, policy)),
    }
    buttons = () if over else tuple(Button(kind=kind, incident=incident.id) for kind in _BUTTONS)
    return Card("root", values, buttons)


def _state(incident: Incident, policy: Policy) -> str:
    """The state in the words of the announcements; how it ended where that is not simply resolved."""
    if incident.outcome is None:
        by_word = " (not proved by the runbook)" if forced_state(incident, policy) else ""
        return f"{told_state(incident, policy).value}{by_word}"
    if incident.outcome.good:
        return f"{State.RESOLVED.value} ({OUTCOMES[incident.outcome]})"
    return f"ENDED ({OUTCOMES[incident.outcome]})"


def _severity(incident: Incident) -> str:
    if (assessed := incident.severity) is not None:
        return f"{assessed.severity.value} by {assessed.by}: {assessed.because}"
    said = incident.alert.severity
    return f"{said.value}, as the alert says" if said else "not rated yet"


def _asked(incident: Incident) -> str:
    gate = incident.pending_gate
    if gate is None:
        return ""
    plan = incident.previews.get(gate.action_id)
    if plan is not None and plan.known_as(gate.plan_digest):
        return question_of(plan)
    return gate.question.partition("\n")[0].strip("# ")


def _promised(incident: Incident, channel: str) -> datetime | None:
    """When the next update is due, as the channel was told last."""
    told = [it.next_update_at for it in incident.announcements if it.channel == channel]
    return told[-1] if told else None


def _next_update(promised: datetime | None, incident: Incident, now: datetime, time_zone: str) -> str:
    if promised is None:
        return "when there is news"
    at = clock_after(promised, incident.opened_at, time_zone)
    return at if now < promised else f"overdue, it was due at {at}"


def _evidence(incident: Incident) -> str:
    """Where the evidence is kept: the folder of all collections."""
    collected = incident.last(e.EvidenceCollected)
    return collected.folder.rpartition("/")[0] or collected.folder if collected else ""


def _status_page(incident: Incident, channel: str) -> str:
    """What the public was told last; empty where it was told nothing.

    Colleagues are told by the policy's `announce`, and are promised a next update, which the public never is.
    """
    ours = {told.channel for told in incident.announcements if told.next_update_at}
    ours |= {it.kind for it in incident.effects.values() if it.authority.reference == _FOR_COLLEAGUES}
    others = [told for told in incident.announcements if told.channel not in {channel, *ours}]
    return others[-1].state if others else ""
