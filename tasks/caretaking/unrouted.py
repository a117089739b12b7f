"""Tell people, once, of alerts whose service is none that the runbook may act for."""

from itertools import groupby

from blocks.environment import Environment
from blocks.store.alerts import note_told, unrouted_alerts
from runbook.alerts.unrouted import Routing, unrouted_text
from tasks.channels.direct_calls import say
from tasks.incident import now


async def tell_of_unrouted(environment: Environment, routing: Routing) -> list[str]:
    """Tell the channel of each service whose alerts belong to no incident; says what was told.

    An alert is told once until it fires anew. Where there is no channel, `runbook alerts` and the metrics
    show it, and it is told once there is one.

    Raises:
        Unavailable: the incident store cannot be reached.
    """
    untold = [alert for alert in await unrouted_alerts(environment.store) if not alert.journalled]
    if not untold or not environment.speakers:
        return []
    told = []
    untold.sort(key=lambda alert: (alert.service, alert.turned_at))
    for service, found in groupby(untold, key=lambda alert: alert.service):
        alerts = list(found)
        began = alerts[-1].turned_at
        message = f"unrouted/{service}/{began:%Y%m%d%H%M%S}"
        if await say(environment, message, unrouted_text(service, alerts, routing), now()):
            await note_told(environment.store, alerts)
            told.append(f"told of {len(alerts)} alerts of {service}, which belong to no incident")
    return told
