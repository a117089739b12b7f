"""The channel hears once of alerts that belong to no incident."""

from datetime import UTC, datetime

import pytest

from blocks.store.alerts import receive, unrouted_alerts
from runbook.alerts.alert import Alert
from runbook.alerts.intake import Message
from runbook.alerts.unrouted import Routing
from tasks.caretaking.unrouted import tell_of_unrouted
from tests.tasks.channels.team import Team, team

__all__ = ["team"]

OURS = Routing(known=frozenset({"posthog-integration"}), elsewhere={"shop": "shops"})

pytestmark = pytest.mark.usefixtures("engineless")


async def fire(team: Team, *names: str, service: str = "checkout") -> None:
    """Alerts of a service that nobody here acts for."""
    at = datetime.now(UTC)
    fired = [
        Message(Alert(source="alertmanager", service=service, name=name, summary="x", fingerprint=name), at)
        for name in names
    ]
    await receive(
        team.incident.environment.store,
        fired,
        environment="default",
        new_id=lambda _: "inc-20261122-160000-ab12",
        flapping_episodes=5,
        routing=OURS,
    )


async def test_an_unrouted_alert_is_told_once(team: Team) -> None:
    """By name, with what to do; a repeat tells nobody anything, and nobody is paged."""
    await fire(team, "CartIsSlow", "<!channel>")
    [done] = await tell_of_unrouted(team.incident.environment, OURS)
    assert "2 alerts of checkout" in done
    [said] = team.said()
    assert said.startswith("📭 2 alerts of checkout: ")
    assert "CartIsSlow" in said
    assert "<!channel>" not in said
    await fire(team, "CartIsSlow")
    assert await tell_of_unrouted(team.incident.environment, OURS) == []
    assert len(team.said()) == 1
    assert team.pager.pages == []


async def test_the_environment_that_it_belongs_to_is_named(team: Team) -> None:
    """Whoever reads it knows where to send it."""
    await fire(team, "CartIsSlow", service="shop")
    await tell_of_unrouted(team.incident.environment, OURS)
    [said] = team.said()
    assert "1 alert of shop: CartIsSlow. That service belongs to the environment shops" in said


async def test_without_a_channel_it_is_told_once_there_is_one(team: Team) -> None:
    """Until then it is in the list."""
    await fire(team, "CartIsSlow")
    assert await tell_of_unrouted(team.without("slack").environment, OURS) == []
    assert len(await unrouted_alerts(team.incident.environment.store)) == 1
    assert len(await tell_of_unrouted(team.incident.environment, OURS)) == 1
