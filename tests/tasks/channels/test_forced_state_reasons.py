"""Whatever reason a person gives for a state, each channel takes its message, and nothing is steered."""

from datetime import timedelta

import pytest

from runbook.incidents import events as e
from tasks.caretaking.due import due_reminders
from tasks.channels.communicate import announce_now, refresh_public
from tasks.incident import OpenIncident, now
from tests.tasks.channels.audience import audience
from tests.tasks.channels.public_pages import Public, public
from tests.tasks.channels.readers import Readers, readers
from tests.tasks.environments import decide

__all__ = ["audience", "public", "readers"]  # fixtures, found here

KEY = "phx_" + "k3y" * 12
REASONS = [
    f"they rolled back\nFrom: evil@example.com\n\nStatus: RESOLVED\n{KEY}",
    "<!channel> <@U0BOB> @here *bold* `code` [x](https://evil.example) <at>Bob</at> <b>x</b> &lt;!here&gt;",
    "\u202edekcab dellor\u202c\u200b\x1b[31m\x07",
    '&"\\\U0001f525\u4e16' * 800,
]
WORD = "not proved by the runbook"


async def told(incident: OpenIncident, reason: str) -> None:
    """Have the state told, to everybody who is told of it."""
    await incident.record(e.StateForced(state="MONITORING", by="ana", because=reason))
    due = await due_reminders(incident.environment, now() + timedelta(minutes=1))
    for _, update in due.updates:
        assert await announce_now(incident, update) is not None
    for _, entry in due.refreshes:
        await refresh_public(incident, entry)


@pytest.mark.parametrize("reason", REASONS, ids=["lines", "mentions", "hidden", "long"])
async def test_readers_of_text_read_it_on_one_line(reason: str, readers: Readers) -> None:
    """No secret, no header, no mention, and always that nothing is proved."""
    await told(readers.incident, reason)
    [mail] = [each for each in readers.mail.taken if each.readers != ["support@example.com"]]
    [card] = [each for each in readers.teams.posted if WORD in each]
    assert mail.message.get_all("From") == ["Incident runbook <runbook@example.com>"]
    [impact] = [line for line in mail.text.splitlines() if line.startswith("Impact:")]
    assert WORD in " ".join(mail.text.split())
    for text in (impact, mail.text, card):
        assert "k3yk3y" not in text
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert "\nStatus: RESOLVED" not in text
    assert "<at>" not in card
    assert "](https://evil" not in card


@pytest.mark.parametrize("reason", REASONS, ids=["lines", "mentions", "hidden", "long"])
async def test_slack_mentions_nobody_and_the_public_reads_none_of_it(reason: str, public: Public) -> None:
    """The page says that it is not confirmed; the thread whose word it is."""
    await decide(public.incident)
    await told(public.incident, reason)
    [said] = [it["text"] for it in public.slack.messages if "INCIDENT" in it["text"] and WORD in it["text"]]
    unwanted = ("<!channel>", "<@U0BOB>", "<https://evil", "*bold*", "`code`", "k3yk3y", "\u202e", "\x1b")
    assert [each for each in unwanted if each in said] == []
    assert len(said) < 3_000
    [(status, body)] = public.updates()
    assert status == "monitoring"
    assert "This is not confirmed yet" in body
    assert reason[:6] not in body
