"""The texts for the public that people were asked about, as a channel shows them: a message for each."""

from runbook.channels.buttons import Button, ButtonKind
from runbook.channels.cards.card import Card
from runbook.channels.cards.slack_blocks import MOST_SECTION
from runbook.channels.local_time import clock_after
from runbook.channels.public_incident import public_announcements
from runbook.channels.told_state import forced_state, said_by
from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.incident import Incident
from runbook.incidents.report import DIGEST_LETTERS
from runbook.incidents.sentences import sentence
from runbook.outside_text.slack import slack, slack_code_block
from runbook.policy.policy import Policy
from runbook.public.areas import ProductArea
from runbook.public.gate import gated, waiting
from runbook.public.proposals import Proposal

MOST_EDITED = 3_000
"""Characters that a dialog of Slack's takes; a longer text is edited with the command."""

_WAITS, _YES, _NO, _OVER = "📣", "✅", "⛔", "🚫"


def public_text_name(text: Proposal) -> MessageName:
    """What the message about a text is called."""
    return MessageName.public_text(text.text.channel, text.text.message, text.text.number)


def public_texts(incident: Incident, policy: Policy) -> list[tuple[Proposal, bool]]:
    """All texts that were proposed, oldest first, each with whether it waits for an answer now."""
    open_now = {it.text.digest for it in waiting(incident, policy)}
    return [(it, it.text.digest in open_now) for it in gated(incident, policy)]


def public_text_card(incident: Incident, asked: Proposal, *, policy: Policy, link: str, waits: bool) -> Card:
    """The text as it stands, with buttons while it waits."""
    text, zone = asked.text, policy.calendar.time_zone
    values = {
        "mark": _mark(asked, waits=waits),
        "state": _state(incident, text.state, policy),
        "channel": text.channel,
        "title": asked.title,
        "body": asked.body,
        "areas": ", ".join(ProductArea(area).noun for area in text.areas),
        "regions": ", ".join(text.regions),
        "impact": text.impact,
        "opens": not public_announcements(incident, text.channel),
        "status": "" if waits else _status(incident, asked, zone),
        "incident": incident,
        "digest": text.digest[:DIGEST_LETTERS],
        "link": link,
        "open": waits,
        "whole": _is_shown_whole(asked),
    }
    return Card("public_text", values, _buttons(incident, asked) if waits else ())


def _state(incident: Incident, state: str, policy: Policy) -> str:
    """The state; said to be a person's word where it is."""
    forced = forced_state(incident, policy)
    return f"{state}, {said_by(forced)}" if forced is not None and forced.state == state else state


def _buttons(incident: Incident, asked: Proposal) -> tuple[Button, ...]:
    kinds = [ButtonKind.PUBLISH, ButtonKind.EDIT_TEXT, ButtonKind.WITHHOLD]
    if len(asked.text.body) > MOST_EDITED:
        kinds.remove(ButtonKind.EDIT_TEXT)
    if not _is_shown_whole(asked):
        kinds.remove(ButtonKind.PUBLISH)
    return tuple(Button(kind=kind, incident=incident.id, plan=asked.text.digest) for kind in kinds)


def _is_shown_whole(asked: Proposal) -> bool:
    """Whether Slack shows all of the text: nobody says yes by a click to what they have not seen."""
    shown = f"Title: {slack(asked.title)}\n{slack_code_block(asked.body)}"
    return len(shown) <= MOST_SECTION


def _mark(asked: Proposal, *, waits: bool) -> str:
    if waits:
        return _WAITS
    if asked.published or (asked.approved and not asked.ended):
        return _YES
    return _NO if asked.answer is not None and not asked.approved else _OVER


def _status(incident: Incident, asked: Proposal, zone: str) -> str:
    """What became of it."""
    parts = []
    if asked.answer is not None and asked.answered_at is not None:
        at = clock_after(asked.answered_at, incident.opened_at, zone)
        parts.append(f"{sentence(asked.answer)} ({at})")
    if asked.published:
        name = MessageName(asked.text.message)
        sent = incident.effects.get(EffectId.of_message(incident.id, asked.text.channel, name))
        parts += ["published", *([sent.title_kept] if sent is not None and sent.title_kept else [])]
    elif asked.approved and not asked.ended:
        parts.append("it is being published")
    elif asked.ended:
        parts.append(f"no longer asked: {asked.ended}")
    elif asked.answer is None:
        parts.append("nobody has to be asked any more, or the public is not told of this severity")
    return "; ".join(parts)
