"""Watch: check the recovery again and again until it has held for the settling time."""

import asyncio

from runbook.checks.catalogue import CHECKS
from runbook.checks.recovery import Recovery, incident_over, lasting
from runbook.checks.watching import (
    begins_a_watch,
    gives_up,
    has_held,
    waits_long_without_alerts,
    watches_from_afar,
)
from runbook.decision.verdict import Decision
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import RecoveryChecked, WatchStarted
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from tasks.actions.manual_changes import note_manual_changes
from tasks.actions.reverts import note_reverts
from tasks.channels.shown import announce, escalate, update
from tasks.checks.again import ask_again
from tasks.checks.triage import checks_of, make_checks
from tasks.ended import require_open
from tasks.incident import OpenIncident, now


async def watch_until_recovered(incident: OpenIncident, decision: Decision) -> Recovery | None:
    """Recovered once all checks of the verdict have been ok for the settling time.

    That all alerts are resolved is not a recovery, only a reason to check; a person is paged if the checks
    do not follow. Where one fires again, `None` is returned if there is an action left to take.

    All clocks are read from the journal, so a crash does not set them back; after another action they begin
    anew, see `runbook.checks.watching`. An answer other than a recovery is returned after the limit, and
    before that once it has been the same for long: no process is held to wait for it. What the incident has
    changed is read again, too, see `note_reverts`.

    Raises:
        Ended: a person has ended the incident.
    """
    among = checks_of(incident.environment)
    checks = lasting(decision.verdict, among=among)
    waiting_for = tuple(CHECKS[check].hope for check in checks)
    journal = await incident.read()
    if begins_a_watch(journal):
        key = WatchStarted.key_of(len(journal.events(WatchStarted)) + 1)
        await incident.record(WatchStarted(waiting_for=waiting_for), key=key)
    while True:
        recovery = incident_over(decision, await make_checks(incident.environment, checks), among=among)
        journal = await _note_change(incident, recovery)
        require_open(journal)
        await note_reverts(incident)
        if await note_manual_changes(incident):
            await announce(incident, State.MONITORING)
        if (journal.untaken and not journal.alerts_over) or await ask_again(incident):
            return None
        if recovery.recovered and has_held(journal, policy=incident.policy, now=now()):
            return recovery
        late = waits_long_without_alerts(journal, policy=incident.policy, now=now())
        if late and not recovery.recovered:
            what = Escalation(kind=EscalationKind.NO_RECOVERY_AFTER_ALERTS)
            await escalate(incident, what, "all alerts are resolved, but the checks do not show a recovery")
        gone = gives_up(journal, policy=incident.policy, now=now())
        if not recovery.recovered and (gone or watches_from_afar(journal, policy=incident.policy, now=now())):
            return recovery
        await update(incident)
        await asyncio.sleep(incident.policy.watch_poll_seconds)


async def _note_change(incident: OpenIncident, recovery: Recovery) -> Incident:
    journal = await incident.read()
    before = journal.last(RecoveryChecked)
    if before is None or before.recovered != recovery.recovered:
        await incident.record(RecoveryChecked(recovered=recovery.recovered, because=recovery.because))
        return await incident.read()
    return journal
