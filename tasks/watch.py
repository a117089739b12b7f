"""Watch: look at the recovery again and again until it has held for the settling time."""

import asyncio
from datetime import datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from runbook.events import AlertsResolved, RecoveryChecked, WatchStarted
from runbook.incident import Incident
from runbook.policy import Policy
from runbook.recovery import LASTING, Recovery, incident_over
from runbook.verdict import Decision
from tasks.communicate import escalate, update
from tasks.incident import OpenIncident, now
from tasks.reverts import note_reverts
from tasks.triage import look


@task(name="watch until recovered", task_run_name="watch until recovered", cache_policy=NO_CACHE)
async def watch_until_recovered(incident: OpenIncident, decision: Decision) -> Recovery | None:
    """Recovered once all checks of the verdict have been ok for the settling time.

    That no alert fires any more is no recovery, only a reason to look; a person is called where the checks
    do not follow. Where one fires again, `None` is returned if there is an action left to take.

    What the incident has changed is read again, too, see `note_reverts`.

    All clocks are read from the journal, so a crash does not set them back. At the limit the last answer
    stands: not recovered, or unknown.
    """
    checks = LASTING[decision.verdict]
    waiting_for = tuple(check.hope for check in checks)
    await incident.record(WatchStarted(waiting_for=waiting_for), key="watch-started")
    while True:
        recovery = incident_over(decision, await look(incident.environment, checks))
        journal = await _note_change(incident, recovery)
        await note_reverts(incident)
        if journal.untaken and not journal.alerts_over:
            return None
        if recovery.recovered and _held(journal, incident.policy):
            return recovery
        if not recovery.recovered and _alerts_ended_long_ago(journal, incident.policy):
            await escalate(incident, "no alert fires any more, but the checks do not show a recovery")
        if now() - _started(journal) > timedelta(seconds=incident.policy.watch_limit_seconds):
            return recovery if not recovery.recovered else Recovery(recovered=None, because=recovery.because)
        await update(incident)
        await asyncio.sleep(incident.policy.watch_poll_seconds)


async def _note_change(incident: OpenIncident, recovery: Recovery) -> Incident:
    journal = await incident.read()
    before = journal.last(RecoveryChecked)
    if before is None or before.recovered != recovery.recovered:
        await incident.record(RecoveryChecked(recovered=recovery.recovered, because=recovery.because))
        return await incident.read()
    return journal


def _held(journal: Incident, policy: Policy) -> bool:
    """Whether all has been well for long enough; where an alert comes and goes, without it for longer."""
    since = [item.at for item in journal.journal if isinstance(item.event, RecoveryChecked)]
    settled = bool(since) and now() - since[-1] >= timedelta(seconds=policy.settle_seconds)
    quiet = timedelta(seconds=policy.flapping_quiet_seconds)
    return settled and (not journal.flapping or now() - journal.fired_at >= quiet)


def _alerts_ended_long_ago(journal: Incident, policy: Policy) -> bool:
    ended = [item.at for item in journal.journal if isinstance(item.event, AlertsResolved)]
    patience = timedelta(seconds=policy.success_deadline_seconds)
    return journal.alerts_over and now() - ended[-1] >= patience


def _started(journal: Incident) -> datetime:
    return journal.time_of(WatchStarted) or journal.opened_at
