"""Alerts of other services in a drill: sent before the scenario's own, and followed until people know."""

import asyncio
import re
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

import httpx

from blocks.transport.errors import Unavailable
from deployments.drill.run.judge import Difference
from deployments.drill.run.scenario import Scenario
from deployments.drill.run.screen import Screen
from deployments.drill.world.process import WorldProcess

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore
    from runbook.alerts.episodes import AlertRecord

SENT = 2
"""Messages about each. The second is a repeat, which nobody may be told about."""

TOLD_WITHIN_SECONDS = 60.0
_POLL_SECONDS = 0.5
_COUNTED = re.compile(r'^runbook_alerts_total\{[^}]*turn="unrouted"[^}]*\} (?P<number>[\d.]+)$', re.MULTILINE)


async def send_others(
    scenario: Scenario, world: WorldProcess, screen: Screen, receiver_url: str
) -> list[str]:
    """Send the alerts of other services, and say what the receiver answers; returns the incidents opened.

    Raises:
        Unavailable: the receiver did not take one.
    """
    opened: list[str] = []
    for number, other in enumerate(scenario.others):
        answers = [
            await world.send_alert(f"{receiver_url}/alerts/alertmanager", other=number) for _ in range(SENT)
        ]
        opened += [str(incident["id"]) for answer in answers for incident in answer["incidents"]]
        reasons = {str(item["reason"]) for answer in answers for item in answer["ignored"]}
        why = "; ".join(reasons) or "it opened an incident"
        screen.say(f"{other.service}: {other.alertname} came in {SENT} times. {why}.")
    if scenario.others:
        screen.say(f"Kept and counted: {await _counted(receiver_url):g} messages in /metrics.")
    return opened


async def _counted(receiver_url: str) -> float:
    """How many messages about unrouted alerts the receiver's metrics have.

    Raises:
        Unavailable: it does not answer.
    """
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            text = (await http.get(f"{receiver_url}/metrics")).text
    except httpx.TransportError as error:
        raise Unavailable("alert receiver", f"no metrics ({type(error).__name__})", "See its log") from None
    return sum(float(found["number"]) for found in _COUNTED.finditer(text))


async def judge_others(
    scenario: Scenario,
    opened: Sequence[str],
    store: "IncidentStore",
    world: WorldProcess,
    screen: Screen,
    receiver_url: str,
) -> list[Difference]:
    """Differences from what is expected of other services' alerts; empty if there are no such alerts.

    Raises:
        Unavailable: the store or the receiver cannot be reached.
    """
    if not scenario.others:
        return []
    kept = await _once_told(store)
    counted = await _counted(receiver_url)
    said = await world.requests("slack")
    told = [text for text in map(_text, said) if "📭" in text]
    for line in told:
        screen.say(f"Channel:       {line}")
    for alert in kept:
        name, times = f"{alert.service}: {alert.name}", alert.received
        screen.say(f"Unrouted:      {name}, came in {times} times (runbook alerts --unrouted)")
    names = sorted(f"{other.service}: {other.alertname}" for other in scenario.others)
    compared = [
        ("incidents of other services", "0", str(len(opened))),
        ("unrouted alerts", ", ".join(names), ", ".join(sorted(f"{it.service}: {it.name}" for it in kept))),
        ("messages kept of each", str(SENT), ", ".join(sorted({str(it.received) for it in kept}))),
        ("messages counted", str(SENT * len(scenario.others)), f"{counted:g}"),
        ("messages in the channel", str(len({other.service for other in scenario.others})), str(len(told))),
    ]
    return [Difference(what=what, expected=ex, actual=ac) for what, ex, ac in compared if ex != ac]


async def _once_told(store: "IncidentStore") -> "list[AlertRecord]":
    """Wait until people were told of all unrouted alerts, or for the time limit; return the alerts."""
    from blocks.store.alerts import unrouted_alerts

    deadline = monotonic() + TOLD_WITHIN_SECONDS
    kept = await unrouted_alerts(store)
    while not all(alert.journalled for alert in kept) and monotonic() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        kept = await unrouted_alerts(store)
    return kept


def _text(request: dict[str, Any]) -> str:
    body = request.get("body")
    return str(body.get("text", "")) if isinstance(body, dict) else ""
