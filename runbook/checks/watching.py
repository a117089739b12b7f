"""The clocks of a watch: from when a recovery has to hold, and since when people wait for one.

Nothing that was seen before the newest action, watch or alert counts for what came after it. All times are
read from the journal (aware UTC, our clock), so a crash sets no clock back.
"""

from datetime import datetime, timedelta

from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy


def begins_a_watch(incident: Incident) -> bool:
    """Whether a watch that begins now is a new one: the first, or the first after another action or decision.

    The order of the journal decides, as events of one moment have the same time.
    """
    for item in reversed(incident.journal):
        if isinstance(item.event, e.ActionFinished | e.DecisionMade | e.IncidentReopened):
            return True
        if isinstance(item.event, e.WatchStarted):
            return False
    return True


def watching_since(incident: Incident) -> datetime:
    """When the newest watch began. An alert that comes and goes does not make it longer."""
    return _newest(incident, e.WatchStarted) or incident.opened_at


def has_held(incident: Incident, *, policy: Policy, now: datetime) -> bool:
    """Whether the newest answer, which is a recovery, has held for the settling time.

    That begins with the latest of the answer, the watch, the newest action and the newest alert. Where an
    alert comes and goes, it has to stay away for longer.
    """
    answered = _newest(incident, e.RecoveryChecked)
    if answered is None:
        return False
    settled = now - max(answered, _acted(incident), incident.fired_at) >= _seconds(policy.settle_seconds)
    quiet = now - incident.fired_at >= _seconds(policy.flapping_quiet_seconds)
    return settled and (quiet or not incident.flapping)


def waits_long_without_alerts(incident: Incident, *, policy: Policy, now: datetime) -> bool:
    """Whether no alert has fired for longer than a success may take, counted from the newest action on."""
    ended = _newest(incident, e.AlertsResolved)
    if ended is None or not incident.alerts_over:
        return False
    return now - max(ended, _acted(incident)) >= _seconds(policy.success_deadline_seconds)


def watches_from_afar(incident: Incident, *, policy: Policy, now: datetime) -> bool:
    """Whether a recovery has been waited for so long that no process is held for it any more.

    That is as long as a success may take, after the newest action, alert or change of the answer.
    """
    answered = _newest(incident, e.RecoveryChecked) or incident.opened_at
    since = max(answered, _acted(incident), incident.fired_at)
    return now - since > _seconds(policy.success_deadline_seconds)


def _acted(incident: Incident) -> datetime:
    """When the newest watch began, or the newest action ended if that was later."""
    return max(watching_since(incident), _newest(incident, e.ActionFinished) or incident.opened_at)


def _newest(incident: Incident, kind: type[e.Event]) -> datetime | None:
    return next((item.at for item in reversed(incident.journal) if isinstance(item.event, kind)), None)


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def gives_up(incident: Incident, *, policy: Policy, now: datetime) -> bool:
    """Whether the watch is over without a recovery that has held (`now` is aware UTC)."""
    return now - watching_since(incident) > _seconds(policy.watch_limit_seconds)
