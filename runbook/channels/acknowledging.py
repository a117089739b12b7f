"""The pages that somebody has acknowledged here, and that the pager does not know of yet."""

from collections.abc import Collection
from datetime import datetime

from runbook.approvals.authority import act_counts
from runbook.channels.reminders import is_time
from runbook.incidents.effect_ids import EffectId
from runbook.incidents.effects import SUCCEEDED, Effect, EffectOutcome
from runbook.incidents.events import EffectIntended, EffectSettled, IncidentAcknowledged
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.value import Value

_PERHAPS = (*SUCCEEDED, EffectOutcome.UNSETTLED)


class AcknowledgedPage(Value):
    """A page (as last recorded) that is to be acknowledged at the pager, and the act that says so."""

    page: Effect
    act: IncidentAcknowledged


def due_acknowledgements(
    incident: Incident, *, pagers: Collection[str], policy: Policy, now: datetime
) -> list[AcknowledgedPage]:
    """The pages that were sent before somebody who may has acknowledged the incident, each once.

    A page that comes after it is for another reason. The end of the incident ends all of them. What the pager
    did not take is due again, ever more slowly.
    """
    if incident.resolved:
        return []
    in_force, known = policy_in_force(incident, policy), incident.effects
    sent: dict[str, None] = {}
    acknowledged: dict[str, tuple[IncidentAcknowledged, datetime]] = {}
    for item in incident.journal:
        event = item.event
        if isinstance(event, EffectIntended | EffectSettled):
            if event.effect.kind in pagers and event.effect.message.is_page:
                sent.setdefault(event.effect.id)
        elif isinstance(event, IncidentAcknowledged) and act_counts(incident, event, in_force):
            for page in sent:
                acknowledged.setdefault(page, (event, item.at))
    return [
        AcknowledgedPage(page=known[page], act=act)
        for page, (act, at) in acknowledged.items()
        if known[page].outcome in _PERHAPS
        and not _is_over(incident, known[page])
        and is_time(incident, at, now)
    ]


def _is_over(incident: Incident, page: Effect) -> bool:
    """Whether the pager knows that it is acknowledged, or was told that it has ended."""
    name, known = page.message, incident.effects
    ids = (EffectId.of_message(incident.id, page.kind, each) for each in (name.acknowledgement, name.end))
    return any(known[each].outcome in SUCCEEDED for each in ids if each in known)
