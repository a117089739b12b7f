"""A public entry is refreshed in time, exactly once; and what people write in it is noted and told once."""

from datetime import timedelta

import pytest

from blocks.transport.errors import Unavailable
from deployments.drill.world.channels.statuspage import StatuspageApi
from runbook.channels.messages import external_message
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.effects import Effect
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.policy.policy import Policy
from runbook.public.refreshing import DueRefresh, due_refreshes
from runbook.public.texts import text_digest
from tasks.caretaking.due import due_reminders
from tasks.channels import communicate, facts
from tasks.channels.communicate import PUBLISH, announce, refresh_public
from tasks.channels.facts import facts_of
from tasks.channels.public_page import read_public_page
from tasks.incident import OpenIncident, now
from tests.tasks.channels.public_pages import Public, audience, public
from tests.tasks.environments import decide

__all__ = ["audience", "public"]  # fixtures, found here

SIX_HOURS = timedelta(hours=6)


async def publish(public: Public) -> None:
    """The incident is put on the page."""
    await decide(public.incident)
    await announce(public.incident, State.IDENTIFIED)


async def due_in(incident: OpenIncident, after: timedelta) -> tuple[DueRefresh, ...]:
    """What is due that long from now."""
    journal: Incident = await incident.read()
    return due_refreshes(journal, channels=["status-page"], policy=incident.policy, now=now() + after)


async def six_hours_later(monkeypatch: pytest.MonkeyPatch, public: Public) -> DueRefresh:
    """The refresh that is due by then."""
    at = now() + SIX_HOURS
    for module in (communicate, facts):
        monkeypatch.setattr(module, "now", lambda: at)
    [(found, due)] = (await due_reminders(public.incident.environment, at)).refreshes
    assert found.id == public.incident.id
    return due


def states(public: Public) -> list[str]:
    """What the updates of our entry say of it, oldest first."""
    return [status for status, _ in public.updates()]


async def test_an_open_entry_is_refreshed_after_six_hours(
    public: Public, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, in the state that it shows; then not before another six hours."""
    await publish(public)
    assert await due_in(public.incident, SIX_HOURS - timedelta(minutes=1)) == ()
    due = await six_hours_later(monkeypatch, public)
    for _ in range(2):
        await refresh_public(public.incident, due)
        monkeypatch.undo()
    assert states(public) == ["identified", "identified"]
    assert await due_in(public.incident, timedelta(hours=5)) == ()
    assert len(await due_in(public.incident, SIX_HOURS)) == 1
    await announce(public.incident, State.MONITORING)
    assert states(public)[-1] == "monitoring"


async def test_the_policy_refreshes_earlier_and_never_later(public: Public) -> None:
    """Six hours are the longest that a setting can ask for."""
    await publish(public)
    often = public.under(public_update_interval_minutes=dict.fromkeys(Severity, 30))
    assert len(await due_in(often, timedelta(minutes=31))) == 1
    with pytest.raises(ValueError, match="less than or equal to 360"):
        Policy(public_update_interval_minutes={Severity.P1: 361})


async def test_nothing_is_refreshed_that_is_not_public_or_is_over(public: Public) -> None:
    """Neither before the first announcement nor after the end."""
    assert await due_in(public.incident, SIX_HOURS) == ()
    await publish(public)
    await public.incident.record(e.IncidentResolved(outcome="recovered", because=("all ok",)))
    assert await due_in(public.incident, SIX_HOURS) == ()


@pytest.mark.parametrize("landed", [True, False])
async def test_a_refresh_whose_process_died_is_published_once(
    public: Public, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    """Its words tell whether it is on the page, though those of the next try tell another time."""
    await publish(public)
    journal = await public.incident.read()
    body = f"{external_message(facts_of(public.incident, journal, State.IDENTIFIED)).body} (again)"
    dying = Effect(
        id=EffectId.of_message(journal.id, "status-page", MessageName.refreshed(State.IDENTIFIED, 2)),
        kind="status-page",
        target="status-page",
        summary="Down: IDENTIFIED",
        authority=PUBLISH,
        digest=text_digest(body),
    )
    await public.incident.record(e.EffectIntended(effect=dying))
    if landed:
        [reference] = {it.reference for it in journal.announcements if it.channel == "status-page"}
        await public.publisher.post_update(reference, body, State.IDENTIFIED, effect_id=dying.id)
    assert await read_public_page(public.incident) == [], "it may be ours"

    assert await refresh_public(public.incident, await six_hours_later(monkeypatch, public))
    assert states(public) == ["identified", "identified"]
    assert await read_public_page(public.incident) == []


async def test_a_refresh_after_one_that_was_not_announced_is_published(
    public: Public, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is another one, though the journal counts as many announcements as before."""
    await publish(public)
    due = await six_hours_later(monkeypatch, public)
    with monkeypatch.context() as dying:
        dying.setattr(e.StatusAnnounced, "key_of", killed)
        with pytest.raises(KeyboardInterrupt):
            await refresh_public(public.incident, due)
    assert states(public) == ["identified", "identified"]

    assert await refresh_public(public.incident, await six_hours_later(monkeypatch, public))
    assert states(public) == ["identified"] * 3


def killed(*_: object) -> str:
    """The process ends here."""
    raise KeyboardInterrupt


async def test_an_entry_of_which_a_person_has_told_is_not_refreshed_yet(public: Public) -> None:
    """It has said something new; one that a person has ended on the page is not opened again."""
    await publish(public)
    for status, expected in (("identified", 0), ("resolved", 0), ("monitoring", 1)):
        seen = e.PublicUpdateSeen(channel="status-page", reference=status, status=status, text="By hand.")
        await public.incident.record_once(seen)
        late = SIX_HOURS if status == "identified" else 2 * SIX_HOURS
        early = timedelta(minutes=1) if status == "identified" else timedelta()
        assert len(await due_in(public.incident, late - early)) == expected


async def test_what_a_person_writes_in_our_entry_is_noted_and_told_once(
    public: Public, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we have written is not; secrets are masked, and long texts cut."""
    await publish(public)
    await refresh_public(public.incident, await six_hours_later(monkeypatch, public))
    assert (await due_reminders(public.incident.environment, now())).public
    assert await read_public_page(public.incident) == []
    key = "phx_" + "k3y" * 12
    text = f"PostHog rolls back. {key} {'x ' * 400}"
    await public.publisher.post_update(public.shown[0]["id"], "y", State.MONITORING, effect_id="by-hand")
    if isinstance(public.page, StatuspageApi):
        public.shown[0]["incident_updates"][0]["body"] = text
    else:
        public.shown[0]["updates"][-1]["message"] = text

    [seen] = await read_public_page(public.incident)
    assert await read_public_page(public.incident) == []
    assert seen.status == "monitoring"
    assert len(seen.text) <= 500
    assert key not in seen.text
    [told] = public.threads("A person wrote on the public page (monitoring): PostHog rolls back.")
    assert key not in told
    assert await public.timeline(e.PublicUpdateSeen) == [seen]


async def test_a_page_that_is_away_ends_nothing(public: Public, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read again with the next housekeeping."""
    await publish(public)

    async def away(*_: object) -> None:
        raise Unavailable("status page", "no answer", "Wait")

    monkeypatch.setattr(type(public.publisher), "written", away)
    assert await read_public_page(public.incident) == []
