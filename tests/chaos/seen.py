"""What the outside world has seen of an incident: each effect, and how often."""

import json
import re
from collections import Counter

from runbook.channels.cards.questions import questions
from runbook.incidents.effect_ids import EffectId
from runbook.incidents.incident import Incident
from tests.chaos.crash_points import tail
from tests.fixtures.cases import Case

Seen = Counter[str]


def seen_outside(case: Case) -> Seen:
    """Each effect as its system has it, under a name that is the same in each incident of a scenario."""
    return _messages(case) + _files_again(case) + _updates(case) + _calls(case) + _changes(case)


def is_asked_in_slack(case: Case, incident: Incident) -> bool:
    """Whether the question that is open stands in the channel."""
    if incident.pending_gate is None:
        return False
    effect_id = EffectId.of_message(incident.id, "slack", questions(incident)[-1].name)
    return effect_id in _posted(case)


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
