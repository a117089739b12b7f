"""Who acknowledges at the pager has acknowledged the incident: the pager's signed webhook says who it was."""

import asyncio
import logging
from dataclasses import replace
from functools import partial

from blocks.transport.prefect_api import prefect_client
from deployments.processes.json_log import log_event
from deployments.receiver.connections.body import Rejected
from deployments.receiver.notifications import Notifications
from deployments.receiver.people.requests import PeoplesDoor, environments, log
from deployments.services.acting import act_on_incident
from deployments.services.environments import policy_of
from deployments.services.finding import find_own
from deployments.services.refusals import ActRefused
from deployments.services.speaker import Speaker
from deployments.settings.settings import ConfigurationError
from deployments.settings.signing_key import private_key
from runbook.alerts.pager_acts import PagerAct
from runbook.approvals.acts import Act, ActKind
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import is_listed, known_as


def heard_at_pager(notifications: Notifications, door: PeoplesDoor | None) -> Notifications:
    """Notifications that say who has acknowledged at the pager, where the settings say who people are."""
    if door is None:
        return notifications
    return replace(notifications, acted_at_pager=partial(_acknowledge, door))


async def _acknowledge(door: PeoplesDoor, act: PagerAct, incident: str) -> None:
    """Journal the acknowledgement, once for each delivery; one that may not be taken is told in the log.

    An account that `[policy.people]` does not list is a claim, under its id.

    Raises:
        OutsideError: the store or Prefect, which keeps the policies of other environments, cannot be used.
        Rejected: the settings cannot be read.
    """
    try:
        settings = await asyncio.to_thread(door.settings)
    except ConfigurationError:
        raise Rejected(503, "settings", "the receiver's settings have mistakes") from None
    try:
        found = await find_own(door.store, incident, environments(settings))
        policy = await policy_of(found, settings.prefect.environment, settings.policy)
        identity = Identity(
            name=act.account, detail=f"called {act.called} in PagerDuty" if act.called else ""
        )
        if is_listed(act.account, policy.people):
            identity = Identity(name=act.account, how=Proof.PAGERDUTY)
        secret = settings.receiver.signing_key
        key = private_key(secret.get_secret_value().encode()) if secret is not None else None
        speaker = Speaker(name=known_as(act.account, policy.people), identity=identity, key=key)
        done = await act_on_incident(
            door.store,
            found,
            Act(kind=ActKind.ACK),
            speaker=speaker,
            policy=policy,
            prefect=prefect_client,
            key=f"pagerduty:{act.delivery}",
        )
    except ActRefused as error:
        log_event(
            log,
            "acknowledgement at the pager not taken",
            level=logging.WARNING,
            incident=incident,
            account=act.account,
            error=error.problem,
        )
        return
    if done.recorded:
        door.acted.set()
    log_event(log, "acknowledged at the pager", incident=done.incident, by=done.by, new=done.recorded)
