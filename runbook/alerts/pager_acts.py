"""What a person did at PagerDuty: they acknowledged a page of ours, or the incident there that alerted us.

Source: PagerDuty's "Webhooks Overview": `event.agent` is who did it, a `user_reference` where that is a
person; `event.data.incident_key` is the `dedup_key` of an incident that was triggered by its Events API.
"""

from typing import Any

from pydantic import BaseModel, ValidationError

from runbook.incidents.effect_ids import EffectId
from runbook.incidents.ids import INCIDENT_ID
from runbook.outside_text import OutsideName
from runbook.value import Value

PAGER = "pager"
"""What the ids of our pages have between the incident and the name of the page."""

_ACKNOWLEDGED, _RESOLVED = "incident.acknowledged", "incident.resolved"


class PagerAct(Value):
    """An acknowledgement by a person there.

    `account` is the id of their account, `called` what they call themselves. `delivery` is the event: one
    that is sent again has the same. `incident` is ours where it is about a page of ours, else empty.
    """

    account: OutsideName
    called: OutsideName = ""
    delivery: str
    incident: str = ""


class _Agent(BaseModel):
    id: str
    type: str
    summary: str | None = None


class _Data(BaseModel):
    type: str
    incident_key: str | None = None


class _Event(BaseModel):
    id: str
    event_type: str
    agent: _Agent
    data: _Data


class _Body(BaseModel):
    event: _Event


def incident_of_page(incident_key: str) -> str:
    """The id of our incident that a page with this key is about; empty where it is no page of ours."""
    key = EffectId(incident_key)
    ours = key.owner == PAGER and key.message.is_page and INCIDENT_ID.fullmatch(key.incident_id)
    return key.incident_id if ours else ""


def pager_act(payload: Any) -> PagerAct | None:
    """The acknowledgement that a webhook tells of; `None` where it tells of none by a person.

    Whoever resolves a page of ours has seen it, and that is all it means: an incident ends with its recovery.
    What resolves an alert is its recovery, too, and no act. What we do there ourselves has another agent.
    """
    try:
        event = _Body.model_validate(payload).event
    except ValidationError:
        return None
    person = event.agent.type in ("user_reference", "user") and event.agent.id.strip()
    if event.data.type != "incident" or not person or not event.id:
        return None
    incident = incident_of_page(event.data.incident_key or "")
    if event.event_type != _ACKNOWLEDGED and not (incident and event.event_type == _RESOLVED):
        return None
    act = PagerAct(
        account=event.agent.id, called=event.agent.summary or "", delivery=event.id, incident=incident
    )
    return act if act.account else None  # nobody, once what cannot be seen is taken out
