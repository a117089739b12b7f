"""What support is told of an incident: whom it affects, what to say, what not to say, and when more follows.

It is made of what may be published and of the journal's own times, so it names no host, no plan, no cause and
no person. What the journal does not prove is among the sentences that users are not told.
"""

from runbook.channels.local_time import clock_after, stamp
from runbook.channels.messages import Message, MessageFacts
from runbook.channels.public_impact import PublicImpact
from runbook.incidents.state import State
from runbook.outside_text import OutsideName
from runbook.value import Value

OUR_INTEGRATION = "our PostHog integration"
"""How the service is called where `public_title` gives it no name."""

_LOOKING = {
    State.INVESTIGATING: "We are looking into it.",
    State.IDENTIFIED: "We are working on it.",
    State.MONITORING: "It looks better, and we are watching whether it stays so.",
}

_ALWAYS = (
    "What causes it, or whose fault it is.",
    "Names of people, of systems or of other companies.",
    "A time by which it will be over.",
)
_DATA = "That nothing is lost, or that something is: neither is known."
_NOT_OVER = "That it is over: the recovery is not proved yet."
_NOT_PROVED = "That it cannot come back: a person has said that it is over, the checks have not shown it."
_BY_WORD = "That the cause is known or that it gets better for certain: a person says so, without proof."
_UNSURE = "That they are affected, or that they are not: it is not known yet."

_WORKAROUNDS = {
    PublicImpact.OVER: "None needed: everything works normally again.",
    PublicImpact.ARRIVING_LATE: "None needed: what is still missing may arrive late.",
    PublicImpact.NONE_SEEN: "None needed: no effect on users is seen.",
}
_NO_WORKAROUND = "None is known."


class SupportFacts(Value):
    """What the text says; times are in words, on the clocks of the policy's calendar."""

    mark: str
    title: OutsideName
    state: State
    affected: str
    regions: tuple[str, ...]
    since: str
    tell: tuple[str, ...]
    do_not_tell: tuple[str, ...]
    workaround: str
    next_update: str


def support_facts(facts: MessageFacts) -> SupportFacts:
    """The facts for support. That it is over can be among them only where `MessageFacts` could say so."""
    over = facts.state is State.RESOLVED
    title = facts.public_title or OUR_INTEGRATION
    return SupportFacts(
        mark=facts.emoji,
        title=title,
        state=facts.state,
        affected=_affected(facts),
        regions=facts.affected.regions if facts.public_impact.is_felt else (),
        since=stamp(facts.begun_at, facts.time_zone) if facts.begun_at else "Not known",
        tell=_tell(facts, title),
        do_not_tell=_do_not_tell(facts, over=over),
        workaround=_WORKAROUNDS.get(facts.public_impact, _NO_WORKAROUND),
        next_update=_next_update(facts, over=over),
    )


def support_message(facts: MessageFacts) -> Message:
    """The message to support; a template of it has nothing else to tell."""
    return Message("support", {"support": support_facts(facts)})


def _affected(facts: MessageFacts) -> str:
    if areas := facts.affected_areas:
        return ", ".join(area.noun for area in areas)
    return {
        PublicImpact.UNKNOWN: "not known yet",
        PublicImpact.ARRIVING_LATE: "events that are still missing",
    }.get(facts.public_impact, "nothing that users notice")


def _tell(facts: MessageFacts, title: str) -> tuple[str, ...]:
    if facts.state is State.RESOLVED:
        return (f"The issue with {title} is resolved.", facts.public_sentences)
    return (f"There is an issue with {title}.", facts.public_sentences, _LOOKING[facts.state.told])


def _do_not_tell(facts: MessageFacts, *, over: bool) -> tuple[str, ...]:
    unsure = (_UNSURE,) if facts.public_impact is PublicImpact.UNKNOWN else ()
    if over:
        return (*(() if facts.proved else (_NOT_PROVED,)), *unsure, *_ALWAYS[:2])
    by_word = () if facts.proved else (_BY_WORD,)
    return (_NOT_OVER, *by_word, *unsure, _DATA, *_ALWAYS)


def _next_update(facts: MessageFacts, *, over: bool) -> str:
    if over:
        return "None, this was the last one"
    if facts.next_update is None:
        return "When there is news"
    return clock_after(facts.next_update, facts.updated_at, facts.time_zone)
