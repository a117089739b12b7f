"""What somebody types after `/incident`: a verb, the incident, and what the verb needs.

The verbs are those of the command line. Without one, the open incidents are listed.
"""

import re
from enum import StrEnum

from runbook.approvals.acts import Act, ActKind
from runbook.channels.buttons import ButtonKind
from runbook.decision.severity import Severity
from runbook.value import Value

_ACCOUNT = re.compile(r"<@(?P<id>[UW][A-Z0-9]{1,40})(?:\|[^<>]*)?>")
"""A mention, where Slack is set to send the account's id for it."""

_PLAN = re.compile(r"[0-9a-fA-F]{8,64}")
"""The beginning of a plan's digest: enough of it that no other plan begins the same by chance."""


_MINUTES = re.compile(r"[0-9]{0,5}")
"""Fewer digits than the beginning of a plan has."""


class Verb(StrEnum):
    """What can be typed."""

    LIST = "list"
    LEAD = "lead"
    COMMS = "comms"
    SUPPORT = "support"
    HANDOVER = "handover"
    NOTE = "note"
    UPDATE = "update"
    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    SNOOZE = "snooze"
    ACK = "ack"
    SEVERITY = "severity"
    STATE = "state"
    FALSE_ALARM = "false-alarm"
    PUBLISH = "publish"
    WITHHOLD = "withhold"
    HELP = "help"


ANSWERS = {
    Verb.APPROVE: ButtonKind.APPROVE,
    Verb.REJECT: ButtonKind.REJECT,
    Verb.EDIT: ButtonKind.EDIT,
    Verb.SNOOZE: ButtonKind.SNOOZE,
}
"""What answers a question, as its button does. It names the plan that its person has seen."""


_FORMS = {
    Verb.LIST: ("", "the open incidents"),
    Verb.LEAD: ("lead ID [NAME]", "take the lead, or give it to NAME"),
    Verb.COMMS: ("comms ID [NAME]", "take the communications lead, or give it"),
    Verb.SUPPORT: ("support ID [NAME]", "take support, or give it"),
    Verb.HANDOVER: (
        "handover ID [NAME [NOTE]]",
        "the hand-over packet; with NAME, the lead first",
    ),
    Verb.NOTE: ("note ID TEXT", "write into the timeline"),
    Verb.UPDATE: ("update ID", "have the channel told now where things stand"),
    Verb.APPROVE: ("approve ID PLAN", "answer the question about PLAN with yes"),
    Verb.REJECT: ("reject ID PLAN REASON", "answer it with no"),
    Verb.EDIT: ("edit ID PLAN NAME=VALUE …", "have it planned anew with other values"),
    Verb.SNOOZE: (
        "snooze ID PLAN|[MINUTES]",
        "not yet: it is asked again later; without PLAN, a clock's reminder comes again after MINUTES (10)",
    ),
    Verb.ACK: ("ack ID", "you have seen it: no more reminders of what is open now"),
    Verb.SEVERITY: ("severity ID P1|P2|P3|P4 REASON", "change the severity"),
    Verb.STATE: (
        "state ID identified|monitoring REASON",
        "say the state before the runbook has proved it; messages say whose word it is",
    ),
    Verb.FALSE_ALARM: ("false-alarm ID REASON", "end the incident as a false alarm"),
    Verb.PUBLISH: ("publish ID TEXT", "publish the text for the status page that its message calls TEXT"),
    Verb.WITHHOLD: ("withhold ID TEXT REASON", "do not publish it"),
    Verb.HELP: ("help", "this list"),
}
"""How each is typed, and what it does."""


MOST_TYPED = 3_000
"""Characters after the command that are taken."""


class InvalidCommand(ValueError):
    """What was typed is none of the commands; the text says what is wrong."""


class Typed(Value):
    """What was typed. `name` is whom a role is given to, empty for whoever types; `text` is a note's, or why.

    `plan` is the beginning of the digest of the plan or public text that is answered, and `parameters` what
    an edit sets. `minutes` are those of a snooze that names no plan.
    """

    verb: Verb
    incident: str = ""
    name: str = ""
    text: str = ""
    plan: str = ""
    minutes: int | None = None
    state: str = ""
    parameters: dict[str, str] = {}
    severity: Severity | None = None

    @property
    def act(self) -> Act | None:
        """What it asks for as an act of a person; `None` for what is only read."""
        match self.verb:
            case Verb.LEAD | Verb.HANDOVER if self.name:
                return Act(kind=ActKind.ASSIGN, name=self.name)
            case Verb.LEAD:
                return Act(kind=ActKind.TAKE)
            case Verb.COMMS:
                return Act(kind=ActKind.COMMS, name=self.name)
            case Verb.SUPPORT:
                return Act(kind=ActKind.SUPPORT, name=self.name)
            case Verb.NOTE:
                return Act(kind=ActKind.NOTE, text=self.text)
            case Verb.ACK:
                return Act(kind=ActKind.ACK)
            case Verb.SNOOZE if not self.plan:
                return Act(kind=ActKind.SNOOZE, minutes=self.minutes)
            case Verb.UPDATE:
                return Act(kind=ActKind.UPDATE)
            case Verb.STATE:
                return Act(kind=ActKind.STATE, state=self.state, text=self.text)
            case Verb.FALSE_ALARM:
                return Act(kind=ActKind.RESOLVE, outcome="false-positive", text=self.text)
            case Verb.PUBLISH:
                return Act(kind=ActKind.PUBLISH, proposal=self.plan)
            case Verb.WITHHOLD:
                return Act(kind=ActKind.WITHHOLD, proposal=self.plan, text=self.text)
            case _:
                return None


def typed(text: str) -> Typed:
    """What was typed after the command.

    Raises:
        InvalidCommand: there is no such verb, it lacks what it needs, or it is too long.
    """
    if len(text) > MOST_TYPED:
        more = "write it as several notes, or as a message with the shortcut Add to timeline"
        raise InvalidCommand(
            f"Nothing was done: that is {len(text)} characters, of which {MOST_TYPED} are taken; {more}."
        )
    word, rest = _first_word(text)
    if not word:
        return Typed(verb=Verb.LIST)
    if word.lower() not in {verb.value for verb in Verb}:
        raise InvalidCommand("There is no such command.")
    verb = Verb(word.lower())
    if verb in (Verb.LIST, Verb.HELP):
        return Typed(verb=verb)
    incident, rest = _first_word(rest)
    if not incident:
        raise InvalidCommand(f"Say which incident: /incident {_FORMS[verb][0]}")
    match verb:
        case Verb.NOTE | Verb.FALSE_ALARM:
            return Typed(verb=verb, incident=incident, text=_required(verb, rest))
        case Verb.SEVERITY:
            level, reason = _first_word(rest)
            return Typed(
                verb=verb, incident=incident, severity=_severity(level), text=_required(verb, reason)
            )
        case Verb.STATE:
            state, reason = _first_word(rest)
            return Typed(verb=verb, incident=incident, state=state.lower(), text=_required(verb, reason))
        case Verb.SNOOZE if _MINUTES.fullmatch(rest):
            return Typed(verb=verb, incident=incident, minutes=int(rest) if rest else None)
        case _ if verb in {*ANSWERS, Verb.PUBLISH, Verb.WITHHOLD}:
            return _answer(verb, incident, rest)
        case Verb.HANDOVER:
            name, note = _first_word(rest)
            return Typed(verb=verb, incident=incident, name=_name(name), text=note)
        case Verb.UPDATE | Verb.ACK if rest:
            raise InvalidCommand(f"Leave out what comes after the incident: /incident {_FORMS[verb][0]}")
        case _:
            return Typed(verb=verb, incident=incident, name=_name(rest))


def _answer(verb: Verb, incident: str, rest: str) -> Typed:
    plan, more = _first_word(rest)
    if not _PLAN.fullmatch(plan):
        seen = "the letters after Plan or Text in its message"
        raise InvalidCommand(f"Say which one you have seen, {seen}: /incident {_FORMS[verb][0]}")
    answer = Typed(verb=verb, incident=incident, plan=plan.lower())
    match verb:
        case Verb.REJECT | Verb.WITHHOLD:
            return answer.model_copy(update={"text": _required(verb, more)})
        case Verb.EDIT:
            return answer.model_copy(update={"parameters": _parameters(more)})
        case _ if more:
            raise InvalidCommand(f"Leave out what comes after these letters: /incident {_FORMS[verb][0]}")
        case _:
            return answer


def _required(verb: Verb, text: str) -> str:
    if not text:
        what = "what happened" if verb is Verb.NOTE else "why"
        raise InvalidCommand(f"Say {what}: /incident {_FORMS[verb][0]}")
    return text


def _severity(level: str) -> Severity:
    try:
        return Severity(level.upper())
    except ValueError:
        raise InvalidCommand(f"Choose a severity: /incident {_FORMS[Verb.SEVERITY][0]}") from None


def _parameters(text: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in text.split()]
    if not pairs or not all(name and equals and value for name, equals, value in pairs):
        raise InvalidCommand(f"Say what to change: /incident {_FORMS[Verb.EDIT][0]}")
    return {name: value for name, _, value in pairs}


def _first_word(text: str) -> tuple[str, str]:
    """The first word, and what follows it: a line break separates them as well as a space."""
    word, *rest = [*text.split(maxsplit=1), ""]
    return word, rest[0].rstrip() if rest else ""


def help_lines(because: str = "") -> list[str]:
    """All that can be typed, after what was wrong."""
    lines = [f"/incident {form}".rstrip() + f": {does}" for form, does in _FORMS.values()]
    more = "ID is an incident's id, the beginning of one, or latest; NAME is a name or login of the settings."
    return [*filter(None, (because,)), *lines, more]


def _name(said: str) -> str:
    """Whose name was typed: the account's id for a mention, and the name without its `@`."""
    mentioned = _ACCOUNT.fullmatch(said)
    return mentioned["id"] if mentioned else said.removeprefix("@")
