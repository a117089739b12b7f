"""Each message as it would be sent now, of an incident, else of a sample incident."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from runbook.actions.specs.hand_off import HAND_OFF
from runbook.approvals.approvals import still_needed
from runbook.channels.cards.public_texts import public_text_card, public_texts
from runbook.channels.cards.questions import question_card, questions
from runbook.channels.cards.root import root_card
from runbook.channels.messages import (
    EXTERNAL,
    Message,
    MessageFacts,
    escalation_message,
    external_message,
    hand_off_message,
    message_facts,
    new_verdict_message,
    notice_message,
    update_message,
)
from runbook.channels.reminders import reminder_message, switch_message
from runbook.channels.samples.incidents import NOW, sample_incidents
from runbook.channels.text_messages import TEXT
from runbook.channels.told_state import told_state
from runbook.clocks.response import response_clock, response_words
from runbook.incidents import summary
from runbook.incidents.events import ActionFinished, IncidentEscalated, LeadAssigned, SwitchChecked
from runbook.incidents.incident import Incident
from runbook.incidents.people import lead_of
from runbook.incidents.sentences import sentence
from runbook.incidents.state import State
from runbook.policy.policy import Policy
from runbook.support.facts import support_message
from runbook.templates.own import OwnTemplates, TemplateFailed, render_own

_LINK = "https://prefect.example.com/runs/flow-run/00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Sample:
    """What a template is filled with; `incident` is a sample where the one that was asked for has no such."""

    incident: Incident
    content: Message | MessageFacts
    made_up: bool


@dataclass(frozen=True)
class _Moment:
    """An incident at a time (aware UTC), and the policy that it is shown by."""

    incident: Incident
    policy: Policy
    now: datetime

    @property
    def link(self) -> str:
        """Where its run is in Prefect."""
        return summary.flow_run_url(self.incident) or _LINK


def message_names() -> tuple[str, ...]:
    """The file name of each template that a team may replace."""
    texts = (f"{name}{TEXT}" for name in (*_IN_SLACK, *_IN_TEXT) if name != "root")  # which changes in place
    return (*(f"{name}.slack.j2" for name in _IN_SLACK), *texts, EXTERNAL)


def sample_of(template: str, incident: Incident | None, *, policy: Policy, now: datetime) -> Sample:
    """The message of that template for this incident at `now` (aware UTC), else for a sample incident.

    Raises:
        KeyError: there is no such template.
    """
    if template not in message_names():
        raise KeyError(template)
    build = _facts if template == EXTERNAL else {**_IN_SLACK, **_IN_TEXT}[template.partition(".")[0]]
    if incident is not None and (content := build(_Moment(incident, policy, now))) is not None:
        return Sample(incident, content, made_up=False)
    for made_up in sample_incidents():
        if (content := build(_Moment(made_up, policy, NOW))) is not None:
            return Sample(made_up, content, made_up=True)
    raise LookupError(f"no sample incident has a message of {template}")


def failure_of(template: str, own: OwnTemplates) -> str:
    """Why the team's own template cannot be rendered for a sample incident; empty where it can.

    Raises:
        KeyError: there is no such template.
    """
    content = sample_of(template, None, policy=Policy(), now=NOW).content
    if isinstance(content, MessageFacts):
        return external_message(content, own).fallback
    try:
        for in_teams in (False, True) if template.endswith(TEXT) else (False,):
            render_own(template, own, content.values, in_teams=in_teams)
    except TemplateFailed as failure:
        return str(failure)
    return ""


def _facts(at: _Moment) -> MessageFacts:
    good = at.incident.outcome is None or at.incident.outcome.good
    return message_facts(
        at.incident,
        state=told_state(at.incident, at.policy) if good else State.INVESTIGATING,
        policy=at.policy,
        now=at.now,
        commander=lead_of(at.incident) or at.policy.incident_commander,
        update_interval=at.policy.next_update_in(at.incident.rating) if at.incident.rating else None,
        time_zone=at.policy.calendar.time_zone,
        response=response_words(response_clock(at.incident, at.policy), at.now, at.policy.calendar.time_zone),
        link=at.link,
        public_title=at.policy.public_titles.get(at.incident.service, ""),
    )


def _update(at: _Moment) -> Message:
    return update_message(_facts(at))


def _support(at: _Moment) -> Message:
    return support_message(_facts(at))


def _root(at: _Moment) -> Message:
    return root_card(at.incident, channel="slack", policy=at.policy, now=at.now, link=at.link)


def _question(at: _Moment) -> Message | None:
    asked = questions(at.incident)
    if not asked:
        return None
    return question_card(at.incident, asked[-1], policy=at.policy, now=at.now, link=at.link, newest=True)


def _public_text(at: _Moment) -> Message | None:
    asked = public_texts(at.incident, at.policy)
    if not asked:
        return None
    text, waits = asked[-1]
    return public_text_card(at.incident, text, policy=at.policy, link=at.link, waits=waits)


def _reminder(at: _Moment) -> Message | None:
    gate = at.incident.pending_gate
    plan = at.incident.previews.get(gate.action_id) if gate else None
    if gate is None:
        return None
    needed = still_needed(at.incident, plan, at.policy) if plan else ""
    return reminder_message(
        at.incident, gate, needed=needed, link=at.link, time_zone=at.policy.calendar.time_zone
    )


def _escalation(at: _Moment) -> Message | None:
    paged = at.incident.last(IncidentEscalated)
    return escalation_message(paged.because, commands=paged.commands, link=at.link) if paged else None


def _hand_off(at: _Moment) -> Message | None:
    plan = at.incident.decision.plan if at.incident.decision else ()
    texts = (action.because for action in plan if action.name == HAND_OFF.name)
    return next(map(hand_off_message, texts), None)


def _notice(at: _Moment) -> Message | None:
    assigned = at.incident.last(LeadAssigned)
    return notice_message(sentence(assigned), link=at.link) if assigned else None


def _new_verdict(at: _Moment) -> Message | None:
    ended = [it.result for it in at.incident.round_ends if isinstance(it, ActionFinished)]
    return new_verdict_message(ended[-1].action.spec.title, ended[-1].detail) if ended else None


def _switch_left_on(at: _Moment) -> Message | None:
    checked = at.incident.last(SwitchChecked)
    result = at.incident.results.get(checked.action_id) if checked else None
    if checked is None or result is None:
        return None
    command = f"kubectl set env {result.action.target} {checked.switch.partition('=')[0]}-"
    return switch_message(
        at.incident, result.action, checked, command=command, time_zone=at.policy.calendar.time_zone
    )


_IN_SLACK: Mapping[str, Callable[[_Moment], Message | None]] = {
    "root": _root,
    "internal": _update,
    "public_text": _public_text,
    "question": _question,
    "reminder": _reminder,
    "escalation": _escalation,
    "hand_off": _hand_off,
    "new_verdict": _new_verdict,
    "switch_left_on": _switch_left_on,
    "notice": _notice,
}
"""How the message of each of Slack's templates is made, the most read first."""

_IN_TEXT: Mapping[str, Callable[[_Moment], Message | None]] = {"support": _support}
"""The same for what Slack has no template of."""
