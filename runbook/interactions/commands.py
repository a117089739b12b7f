"""What somebody types after `/incident`: a verb, the incident, and what the verb needs.

The verbs are those of the command line. Without one, the open incidents are listed.
"""

import re
from enum import StrEnum

from runbook.approvals.acts import Act, ActKind
from runbook.value import Value

_ACCOUNT = re.compile(r"<@(?P<id>[UW][A-Z0-9]{1,40})(?:\|[^<>]*)?>")
"""A mention, where Slack is set to send the account's id for it."""


class Verb(StrEnum):
    """What can be typed."""

    LIST = "list"
    LEAD = "lead"
    COMMS = "comms"
    SUPPORT = "support"
    HANDOVER = "handover"
    NOTE = "note"
    UPDATE = "update"
    HELP = "help"


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
    Verb.HELP: ("help", "this list"),
}
"""How each is typed, and what it does."""


class InvalidCommand(ValueError):
    """What was typed is none of the commands; the text says what is wrong."""


class Typed(Value):
    """What was typed. `name` is whom a role is given to, empty for whoever types; `text` is a note's."""

    verb: Verb
    incident: str = ""
    name: str = ""
    text: str = ""

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
            case Verb.UPDATE:
                return Act(kind=ActKind.UPDATE)
            case _:
                return None


def typed(text: str) -> Typed:
    """What was typed after the command.

    Raises:
        InvalidCommand: there is no such verb, or it lacks what it needs.
    """
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
    if verb is Verb.NOTE:
        if not rest:
            raise InvalidCommand(f"Say what happened: /incident {_FORMS[verb][0]}")
        return Typed(verb=verb, incident=incident, text=rest)
    name, note = _first_word(rest)
    if verb is Verb.UPDATE and name:
        raise InvalidCommand(f"Leave out what comes after the incident: /incident {_FORMS[verb][0]}")
    if verb is not Verb.HANDOVER:
        name, note = rest, ""
    return Typed(verb=verb, incident=incident, name=_name(name), text=note)


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
