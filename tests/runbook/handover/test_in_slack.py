"""The packet in Slack says what the page says, within Slack's limits, and formats nothing of others."""

from datetime import timedelta

from deployments.drill.world.channels.slack_limits import refusal
from runbook.channels.cards.slack_blocks import blocks_of
from runbook.handover.in_slack import packet_in_slack
from runbook.handover.packet import packet_of
from runbook.incidents import events as e
from runbook.policy.policy import Policy
from tests.runbook.journals import LIFE, OPENED
from tests.runbook.journals import incident as journal

NOW = OPENED + timedelta(hours=1)
LONG = [e.NoteAdded(by="ana", text=f"<!channel> *{number}* {'x' * 3_900}") for number in range(30)]


def test_the_packet_has_what_the_page_has() -> None:
    """Every part of it, and who does what."""
    packet = packet_of(journal(*LIFE), Policy(), now=NOW)
    text = str(packet_in_slack(packet))
    for title in ("Hand-over of", "Who", "Open", "Changed", "Promised and next", "Notes", "Links"):
        assert f"*{title}" in text
    assert packet.roles["communications"] in text
    assert f"runbook incident {packet.incident} --full" in text


def test_long_notes_stay_within_the_limits_and_mention_nobody() -> None:
    """They are cut with a mark."""
    text = packet_in_slack(packet_of(journal(*LIFE, *LONG), Policy(), now=NOW))
    assert "<!channel>" not in text
    blocks = blocks_of(text)
    assert refusal("packet", blocks, None) is None
    assert "(cut" in str(blocks)
