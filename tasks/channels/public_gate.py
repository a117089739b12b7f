"""The gate for public text: what may go out now, and what a person is asked about first.

A text that was proposed is published by the reminders alone, and so is what follows it: a run and a reminder
never publish at the same time. The response does not wait for the answer.
"""

from collections.abc import Iterable

from blocks.channels.channel import Announcer
from runbook.channels.messages import ApprovedText, MessageFacts
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.events import PublicTextProposed
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.public.gate import (
    DuePublication,
    approved_last,
    due_publications,
    gated,
    needs_nobody,
    says_the_same,
)
from runbook.public.proposals import Proposal
from tasks.channels.facts import facts_of
from tasks.channels.public_page import may_be_published, public_text
from tasks.channels.refresh import refresh
from tasks.incident import OpenIncident, now


async def admitted(
    incident: OpenIncident, journal: Incident, channel: Announcer, facts: MessageFacts, name: MessageName
) -> MessageFacts | None:
    """What may be published as that message at once; `None` where it may not, or a person is asked.

    A refresh goes out in the words that a person has approved for its state, as long as the runbook would say
    the same as it did then.

    Raises:
        LeaseLost: another process works on the incident now.
        Unavailable: the incident store cannot be reached.
    """
    known = [it for it in gated(journal, incident.policy) if it.text.channel == channel.kind]
    this_life = [it for it in known if it.text.reopened == journal.reopened]
    unasked = needs_nobody(journal, incident.policy)
    approved = approved_last(this_life, facts.state)
    if (
        name.is_refresh
        and approved is not None
        and _still_says(journal, channel, facts, approved, name, known)
    ):
        worded = in_its_words(facts, approved, again=True)
        return worded if await may_be_published(incident, journal, channel, worded) else None
    if not await may_be_published(incident, journal, channel, facts):
        return None
    if unasked and (name.is_refresh or not this_life):
        return facts
    await _propose(incident, journal, channel, facts, name, known)
    return None


def in_its_words(facts: MessageFacts, text: Proposal, *, again: bool = False) -> MessageFacts:
    """The facts with the words of that text, which tell the time of the facts."""
    approved = ApprovedText(
        title=text.title,
        renamed=bool(text.new_title) and not again,
        body=text.told_at(facts.updated_at, facts.time_zone, again=again),
        areas=text.text.areas,
    )
    return facts.model_copy(update={"state": State(text.text.state), "approved": approved})


def text_due(incident: OpenIncident, journal: Incident, due: DuePublication) -> Proposal | None:
    """The text that is still to be published; `None` where it is not any more."""
    still = due_publications(journal, channels=[due.channel], policy=incident.policy, now=now())
    found = (it for it in gated(journal, incident.policy) if it.text.digest == due.proposal)
    return next(found, None) if due in still else None


def facts_for(incident: OpenIncident, journal: Incident, text: Proposal) -> MessageFacts:
    """What is published of a text. It was proposed as it was true, so its state is not judged again."""
    return in_its_words(facts_of(incident, journal, State.INVESTIGATING), text)


async def _propose(
    incident: OpenIncident,
    journal: Incident,
    channel: Announcer,
    facts: MessageFacts,
    name: MessageName,
    known: list[Proposal],
) -> None:
    """Ask about the text, unless that was done: the newest one replaces the others."""
    newest = known[-1] if known else None
    if newest is not None and newest.text.message == name and not newest.ended:
        withheld = newest.answer is not None and not newest.approved
        again = withheld and name.is_refresh  # the time of another refresh has come
        if not again and _still_says(journal, channel, facts, newest, name, known):
            return
    number = 1 + sum(it.text.message == name for it in known)
    proposal = _proposal(journal, channel, facts, name, number)
    if kept := _new_titles(journal, known):
        proposal = proposal.model_copy(update={"title": kept[-1]})
    await incident.record_once(proposal)
    await refresh(incident)


def _still_says(
    journal: Incident,
    channel: Announcer,
    facts: MessageFacts,
    text: Proposal,
    name: MessageName,
    known: Iterable[Proposal],
) -> bool:
    """Whether the runbook would propose the same now, but for the time."""
    then = facts.model_copy(update={"updated_at": text.text.worded_at})
    would = _proposal(journal, channel, then, name)
    if text.text.title in _new_titles(journal, known):
        would = would.model_copy(update={"title": text.text.title})
    return says_the_same(text.text, would)


def _new_titles(journal: Incident, known: Iterable[Proposal]) -> list[str]:
    """The titles that people have given to texts since the incident goes on: the next one keeps the last."""
    return [it.new_title for it in known if it.new_title and it.text.reopened == journal.reopened]


def _proposal(
    journal: Incident, channel: Announcer, facts: MessageFacts, name: MessageName, number: int = 1
) -> PublicTextProposed:
    text = public_text(channel, facts)
    felt = facts.affected_areas
    return PublicTextProposed(
        channel=channel.kind,
        state=facts.state,
        message=name,
        title=text.title,
        body=text.body,
        worded_at=facts.updated_at,
        impact=facts.public_impact.value,
        areas=felt,
        regions=facts.affected.regions if felt else (),
        number=number,
        reopened=journal.reopened,
    )
