"""Whether an answer can be trusted: the receiver is killed under load and loses nothing that it accepted."""

import asyncio
import random
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.bench.load import Load, accepted
from tests.bench.notifications import SERVICES, distinct
from tests.bench.receiving import receiver, running
from tests.bench.stored import stored
from tests.bench.stores import NewStore

_JITTER_SECONDS = 0.02
"""After an answer, so that the end also comes in the midst of the next ones."""


@dataclass(frozen=True)
class Survived:
    """What was left after the crashes."""

    target: str
    crashes: int
    sent: int
    accepted: int
    lost: int
    """Accepted notifications that the store does not hold."""
    received_again: int
    """Messages in the store beyond one for each notification: sent again for want of an answer."""
    incidents_per_service: dict[int, int]
    """How many services have so many incidents."""

    @property
    def sound(self) -> bool:
        """Whether everything was accepted, nothing was lost, and each service has one incident."""
        everything_is_there = self.accepted == self.sent and self.lost == 0
        return everything_is_there and self.incidents_per_service == {1: len(SERVICES)}


async def survive(
    target: str, new_store: NewStore, *, notifications: int, crashes: int, connections: int, seed: int
) -> Survived:
    """Send notifications until each is accepted, and kill the receiver meanwhile so many times."""
    chance = random.Random(seed)  # noqa: S311  repeatable on purpose
    alerts = list(distinct(notifications))
    with tempfile.TemporaryDirectory(prefix="runbook-bench-") as name:
        async with new_store(Path(name)) as url:
            async with running(receiver(Path(name), url)) as server:
                requests = [server.address.request(payload) for _, payload in alerts]
                load = Load(server.address.port, requests, insist=True)
                await load.connect(connections)
                async with asyncio.TaskGroup() as group:
                    group.create_task(load.run())
                    for done in sorted(chance.sample(range(notifications * 9 // 10), crashes)):
                        await load.until_done(done)
                        await asyncio.sleep(chance.random() * _JITTER_SECONDS)
                        await server.kill()
                        await server.start()
                await server.kill()  # an orderly end could still write what was only promised
            found = await stored(url)
    answers = zip(alerts, load.statuses, strict=True)
    kept = [found.messages[key] for (key, _), status in answers if accepted(status)]
    return Survived(
        target=target,
        crashes=crashes,
        sent=notifications,
        accepted=len(kept),
        lost=kept.count(0),
        received_again=sum(times - 1 for times in kept if times),
        incidents_per_service=dict(Counter(found.incidents.values())),
    )
