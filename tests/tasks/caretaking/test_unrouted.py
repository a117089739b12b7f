"""The channel hears once of alerts that belong to no incident."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from blocks.store.alerts import receive, unrouted_alerts
from runbook.alerts.alert import Alert
from runbook.alerts.intake import Message
from runbook.alerts.unrouted import Routing
from tasks.caretaking import unrouted
from tasks.caretaking.unrouted import TELL_EVERY, tell_of_unrouted
from tests.tasks.channels.team import Team, team

__all__ = ["team"]

OURS = Routing(known=frozenset({"posthog-integration"}), elsewhere={"shop": "shops"})

pytestmark = pytest.mark.usefixtures("engineless")


async def fire(team: Team, *names: str, services: Sequence[str] = ("checkout",)) -> None:
    """Alerts of services that nobody here acts for."""
    at = datetime.now(UTC)
    fired = [
        Message(Alert(source="alertmanager", service=service, name=name, summary="x", fingerprint=name), at)
        for service in services
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
    assert "2 alerts of 1 service" in done
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
    await fire(team, "CartIsSlow", services=("shop",))
    await tell_of_unrouted(team.incident.environment, OURS)
    [said] = team.said()
    assert "1 alert of shop: CartIsSlow. That service belongs to the environment shops" in said


async def test_without_a_channel_it_is_told_once_there_is_one(team: Team) -> None:
    """Until then it is in the list."""
    await fire(team, "CartIsSlow")
    assert await tell_of_unrouted(team.without("slack").environment, OURS) == []
    assert len(await unrouted_alerts(team.incident.environment.store)) == 1
    assert len(await tell_of_unrouted(team.incident.environment, OURS)) == 1


async def test_many_services_are_one_message(team: Team) -> None:
    """A sender that makes up names keeps nothing of an incident out of the channel."""
    await fire(team, "Down", services=[f"made-up-{number:03}" for number in range(300)])
    [done] = await tell_of_unrouted(team.incident.environment, OURS)
    assert "300 alerts of 300 services" in done
    [said] = team.said()
    assert said.startswith("📭 300 alerts of 300 services: ")
    assert "made-up-000 (Down)" in said
    assert "and 295 more" in said
    assert len(said) < 1_000
    assert await tell_of_unrouted(team.incident.environment, OURS) == []


async def test_names_of_any_length_leave_the_message_short(team: Team) -> None:
    """A name may have 255 characters."""
    await fire(team, *(f"{number}{'n' * 250}" for number in range(9)), services=("s" * 255, "t" * 255))
    await tell_of_unrouted(team.incident.environment, OURS)
    assert len(team.said()[0]) < 1_500


async def test_more_of_them_wait_for_the_next_message(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever names a sender makes up, the channel hears of them at intervals, and none is lost."""
    await fire(team, "First")
    await tell_of_unrouted(team.incident.environment, OURS)
    for number in range(3):
        await fire(team, f"Next{number}", services=(f"other-{number}",))
        assert await tell_of_unrouted(team.incident.environment, OURS) == []
    later = datetime.now(UTC) + TELL_EVERY
    monkeypatch.setattr(unrouted, "now", lambda: later + timedelta(seconds=1))
    [done] = await tell_of_unrouted(team.incident.environment, OURS)
    assert "3 alerts of 3 services" in done
    assert len(team.said()) == 2
