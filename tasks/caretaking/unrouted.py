"""Tell people, once, of alerts whose service is none that the runbook may act for."""

from datetime import timedelta

from blocks.environment import Environment
from blocks.store.alerts import note_told, untold_alerts
from runbook.alerts.unrouted import MOST_TOLD, Routing, unrouted_text
from runbook.channels.wording import count
from tasks.channels.direct_pages import say
from tasks.incident import now

TELL_EVERY = timedelta(minutes=15)
"""Between two messages: whoever may send alerts can make up services, and the channel is for incidents."""


async def tell_of_unrouted(environment: Environment, routing: Routing) -> list[str]:
    """Tell the channel in one message of the alerts that belong to no incident; says what was told.

    An alert is told once until it fires anew after some quiet. What comes within `TELL_EVERY` of a message
    waits for the next. Where there is no channel, `runbook alerts` and the metrics show it, and it is told
    once there is one.

    Raises:
        Unavailable: the incident store cannot be reached.
    """
    alerts = await untold_alerts(environment.store, limit=MOST_TOLD)
    if not alerts or not environment.speakers:
        return []
    at = now()
    turn, holder = f"unrouted alerts of {environment.name}", at.isoformat()
    token, _ = await environment.store.take_lease(turn, holder, at=at, until=at + TELL_EVERY)
    if token is None:
        return []
    message = f"unrouted/{alerts[0].turned_at:%Y%m%d%H%M%S}/{len(alerts)}"
    if not await say(environment, message, unrouted_text(alerts, routing), at):
        return []
    await note_told(environment.store, alerts)
    services = count(len({alert.service for alert in alerts}), "service")
    return [f"told of {count(len(alerts), 'alert')} of {services}, which belong to no incident"]
