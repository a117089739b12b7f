"""What happens by itself in a world: waits for each event's cause and then changes the faults."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence

from deployments.drill.run.scenario import AtStart, EnvLanded, Event, SlackMessage
from deployments.drill.world.channels.slack import Slack
from deployments.drill.world.integration.pods import LABELS, POD_COUNT, PodHost

_CHECK_SECONDS = 0.1


class Course:
    """Carries out a scenario's events, each once."""

    def __init__(self, cluster: PodHost, slack: Slack, change: Callable[[Event], None]) -> None:
        """Look at the cluster and at Slack; call ``change`` when an event's time has come."""
        self._cluster = cluster
        self._slack = slack
        self._change = change

    async def run(self, events: Sequence[Event]) -> None:
        """Return when every event has happened."""
        async with asyncio.TaskGroup() as group:
            for event in events:
                group.create_task(self._carry_out(event))

    async def _carry_out(self, event: Event) -> None:
        while not self._caused(event.when):  # noqa: ASYNC110  the cause lies in two systems without a common signal
            await asyncio.sleep(_CHECK_SECONDS)
        await asyncio.sleep(event.when.seconds)
        self._change(event)

    def _caused(self, when: AtStart | EnvLanded | SlackMessage) -> bool:
        match when:
            case AtStart():
                return True
            case EnvLanded(name=name, value=value):
                ready = [pod for pod in self._cluster.pods(LABELS) if pod.ready]
                return len(ready) >= POD_COUNT and all(pod.env.get(name) == value for pod in ready)
            case SlackMessage(pattern=pattern):
                return any(
                    re.search(pattern, f"{message['text']} {json.dumps(message.get('blocks', ''))}")
                    for message in self._slack.messages
                )
