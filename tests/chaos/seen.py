"""What the outside world has seen of an incident: each effect, and how often."""

import json
import re
from collections import Counter

from runbook.channels.cards.questions import questions
from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.incidents.incident import Incident
from tests.chaos.crash_points import tail
from tests.fixtures.cases import Case

Seen = Counter[str]


def seen_outside(case: Case) -> Seen:
    """Each effect as its system has it, under a name that is the same in each incident of a scenario."""
    return (
        _messages(case) + _files_again(case) + _mails(case) + _updates(case) + _calls(case) + _changes(case)
    )


def wrongly_told(case: Case, incident: Incident) -> tuple[Seen, Seen]:
    """What the readers of e-mails and of Teams got twice, and what they lack though nobody says so.

    Nobody can look there, so what is in doubt may be missing: the journal says that a person must check. A
    message in Teams names nothing, so there the messages are counted.
    """
    ids = Counter(mail.effect for mail in case.world.systems.mail.taken)
    twice = Counter({f"{effect} again": times - 1 for effect, times in ids.items() if times > 1})
    lost = Counter[str]()
    for kind in ("email", "email-support"):
        lost += Counter(it.id for it in _of(incident, kind) if _has_to_be_there(it) and not ids[it.id])
    for kind, name in (("teams", "team"), ("teams-support", "support")):
        posted, effects = len(case.world.systems.teams[name].posted), _of(incident, kind)
        twice += Counter({f"{kind} more than was sent": posted - len(effects)})
        lost += Counter({f"{kind} less than was sent": sum(map(_has_to_be_there, effects)) - posted})
    return twice, lost


def in_doubt(incident: Incident) -> Seen:
    """The messages of which the journal says that nobody knows whether they arrived; each is no loss."""
    found = (it for kind in _UNSEARCHABLE for it in _of(incident, kind))
    return Counter(tail(incident.id, it.id) for it in found if it.outcome is EffectOutcome.UNSETTLED)


_UNSEARCHABLE = ("email", "email-support", "teams", "teams-support")


def _of(incident: Incident, kind: str) -> list[Effect]:
    return [it for it in incident.effects.values() if it.kind == kind]


def _has_to_be_there(effect: Effect) -> bool:
    """One that was begun and never settled is lost without a word."""
    return effect.outcome not in (EffectOutcome.UNSETTLED, EffectOutcome.FAILED)


def _mails(case: Case) -> Seen:
    """Each kind of e-mail once: a state may be told again, and `wrongly_told` sees what comes twice."""
    mails = case.world.systems.mail.taken
    return Counter({tail(case.incident_id, mail.effect): 1 for mail in mails})


def is_asked(case: Case, incident: Incident) -> bool:
    """Whether the question that is open stands in Slack, and was sent wherever else people read."""
    if incident.pending_gate is None:
        return False
    name = questions(incident)[-1].name
    return EffectId.of_message(incident.id, "slack", name) in _posted(case) and is_sent(incident, name)


def is_sent(incident: Incident, name: MessageName) -> bool:
    """Whether a message went to each reader, as far as anybody can tell."""
    sent = (incident.effects.get(EffectId.of_message(incident.id, kind, name)) for kind in ("email", "teams"))
    return all(effect is not None and effect.outcome is not None for effect in sent)


def _posted(case: Case) -> list[str]:
    messages = case.world.systems.slack.messages
    return [it["metadata"]["event_payload"]["effect_id"] for it in messages if "files" not in it]


def _messages(case: Case) -> Seen:
    return Counter(tail(case.incident_id, effect_id) for effect_id in _posted(case))


def _files_again(case: Case) -> Seen:
    """The files that were shared more than once: whether one is shared at all is up to the clock."""
    messages = case.world.systems.slack.messages
    names = Counter(file["name"] for message in messages for file in message.get("files", []))
    return Counter({f"slack {name} again": times - 1 for name, times in names.items() if times > 1})


def _updates(case: Case) -> Seen:
    """A second public incident would be an effect done twice, as a second update is."""
    incidents = case.world.systems.statuspage_api.incidents
    updates = Counter(
        f"status-page/{update['status']}" for incident in incidents for update in incident["incident_updates"]
    )
    return updates + Counter({"status-page incident": len(incidents)})


def _calls(case: Case) -> Seen:
    """PagerDuty makes one alert of all that has one key, so a repeat under it calls nobody twice."""
    return Counter(tail(case.incident_id, page.dedup_key) for page in case.world.systems.pagerduty.pages)


def _changes(case: Case) -> Seen:
    """The changes of the cluster by the effect that each names."""
    named = re.compile(rf"{re.escape(case.incident_id)}/([a-z0-9-]+)")
    texts = (json.dumps(request["body"]) for request in case.changes())
    return Counter(f"change {'/'.join(sorted(set(named.findall(text)))) or text}" for text in texts)
