"""Dialogs of Slack: what each asks, and what it carries so that its answer belongs to one question.

Source of the limits: Slack's reference of modal views and of the input block.
"""

from typing import Any

from pydantic import Field, ValidationError

from runbook.actions.catalogue import ChangePlan
from runbook.approvals.gates import Instead
from runbook.channels.buttons import Button, ButtonKind, InvalidButton, button_of
from runbook.channels.wording import INSTEAD, sentence_case
from runbook.decision.severity import Severity
from runbook.incidents.incident import Incident
from runbook.incidents.report import question_of
from runbook.incidents.state import State
from runbook.outside_text import let_in_line
from runbook.outside_text.slack import cut_message, slack
from runbook.policy.policy import Policy
from runbook.public.answers import MOST_TITLE, proposal_named
from runbook.value import Value

REASON, INSTEAD_FIELD, SEVERITY_FIELD, NOTE, AT = "reason", "instead", "severity", "note", "at"
STATE_FIELD = "state"
PUBLIC_TEXT_FIELD, PUBLIC_TITLE_FIELD = "text", "title"
PERSON = "person"
"""The names of fields: the blocks that errors are shown at."""

PARAMETER = "parameter:"
"""How the names of the fields of parameters begin."""

MOST_METADATA = 3_000
MOST_OPTIONS = 100
_MOST_WRITTEN = 3_000
_MOST_SECTION = 3_000
_ELEMENT = "value"

View = dict[str, Any]

DIALOGS = {
    ButtonKind.REJECT: ("Reject the change", "Reject"),
    ButtonKind.EDIT: ("Edit the change", "Show the new plan"),
    ButtonKind.SEVERITY: ("Change the severity", "Change it"),
    ButtonKind.NOTE: ("Add a note", "Add it"),
    ButtonKind.STATE: ("Say the state", "Say it"),
    ButtonKind.FALSE_ALARM: ("False alarm", "End the incident"),
    ButtonKind.EDIT_TEXT: ("Edit the public text", "Publish it"),
    ButtonKind.WITHHOLD: ("Do not publish", "Don't publish"),
    ButtonKind.HAND_OVER: ("Hand over the lead", "Hand over"),
}
"""The buttons that open a dialog: its title (24 characters) and the word that sends it off."""


_STATES = {
    State.IDENTIFIED: "the cause is known",
    State.MONITORING: "something was done, and is being watched",
}


class Context(Value):
    """What a dialog carries: its button, where to tell what became of it, and the message of the button.

    `reopened` is how often the incident had been reopened by then: an end is of what somebody has looked at.
    """

    action_id: str = Field(max_length=255)
    value: str = Field(max_length=2_000)
    response_url: str = Field(default="", max_length=1_000)
    ts: str = Field(default="", max_length=40)
    reopened: int = Field(default=0, ge=0)

    @property
    def button(self) -> Button:
        """The button that opened it.

        Raises:
            InvalidButton: it is none of ours.
        """
        return button_of(self.action_id, self.value)


def context_of(metadata: str) -> Context:
    """What a dialog has carried.

    Raises:
        InvalidButton: it is none of ours.
    """
    try:
        return Context.model_validate_json(metadata)
    except ValidationError:
        raise InvalidButton("the dialog does not name its button") from None


def carried(button: Button, *, response_url: str, ts: str, reopened: int = 0) -> Context:
    """What the dialog of a button carries; where it would be too much, the address is left out."""
    context = Context(
        action_id=button.action_id,
        value=button.value,
        response_url=response_url,
        ts=ts,
        reopened=reopened,
    )
    fits = len(context.model_dump_json()) <= MOST_METADATA
    return context if fits else context.model_copy(update={"response_url": ""})


def dialog(context: Context, incident: Incident, policy: Policy, plan: ChangePlan | None = None) -> View:
    """The dialog of a button; `plan` is that of its question."""
    kind = context.button.kind
    title, submit = DIALOGS[kind]
    about = question_of(plan) if plan is not None else f"{incident.id}: {incident.alert.name}"
    return {
        "type": "modal",
        "callback_id": context.action_id,
        "private_metadata": context.model_dump_json(),
        "title": _plain(title),
        "submit": _plain(submit),
        "close": _plain("Cancel"),
        "blocks": [_about(about), *_fields(context.button, incident, policy, plan)],
    }


def _fields(button: Button, incident: Incident, policy: Policy, plan: ChangePlan | None) -> list[View]:
    match button.kind:
        case ButtonKind.REJECT:
            what = {each.value: sentence_case(INSTEAD[each]) for each in Instead}
            return [
                _written(REASON, "Why?", hint="The next person reads it in the timeline."),
                _menu(INSTEAD_FIELD, "What happens instead?", what, first=Instead.BY_HAND.value),
            ]
        case ButtonKind.EDIT if plan is not None:
            return [
                _written(
                    f"{PARAMETER}{parameter.name}",
                    sentence_case(parameter.name),
                    hint=sentence_case(parameter.bounds(policy)),
                    value=plan.action.parameters.get(parameter.name, ""),
                    several_lines=False,
                )
                for parameter in plan.action.spec.editable
            ]
        case ButtonKind.SEVERITY:
            levels = {each.value: f"{each.value}: {each.definition}" for each in Severity}
            now = incident.severity.severity.value if incident.severity else Severity.P2.value
            return [_menu(SEVERITY_FIELD, "Severity", levels, first=now), _written(REASON, "Why?")]
        case ButtonKind.STATE:
            states = {each.value: f"{each.value}: {what}" for each, what in _STATES.items()}
            hint = "Each message says whose word it is, and that the runbook has not proved it."
            return [_menu(STATE_FIELD, "State", states), _written(REASON, "How do you know?", hint=hint)]
        case ButtonKind.NOTE:
            hint = f"HH:MM in {policy.calendar.time_zone}, or ISO 8601; empty: it happened now."
            return [
                _written(NOTE, "What happened?"),
                _written(AT, "When?", hint=hint, several_lines=False, optional=True),
            ]
        case ButtonKind.EDIT_TEXT:
            asked = proposal_named(incident, button.plan)
            hint = "No host, name of a customer, or blame; what users notice first."
            of_open = (
                "Of an entry that is open, Statuspage takes another title, and incident.io keeps its own."
            )
            title, body = (asked.text.title, asked.text.body) if asked else ("", "")
            return [
                _written(
                    PUBLIC_TITLE_FIELD,
                    "Title",
                    hint=of_open,
                    value=title if len(title) <= MOST_TITLE else "",  # cut, it would replace the whole one
                    several_lines=False,
                    optional=True,
                ),
                _written(PUBLIC_TEXT_FIELD, "Text", hint=hint, value=body),
            ]
        case ButtonKind.WITHHOLD:
            return [_written(REASON, "Why?", hint="You are asked again about the next text.")]
        case ButtonKind.HAND_OVER:
            hint = "What the next lead must know beside the packet. It becomes a note."
            return [_person(policy), _written(NOTE, "Note", hint=hint, optional=True)]
        case _:
            return [_written(REASON, "Why is it a false alarm?", hint="The incident ends as false positive.")]


def _person(policy: Policy) -> View:
    """Whom to hand over to: those of the settings, or a name where they are none or more than a menu has."""
    known = [name for name, person in policy.people.items() if not person.counts_only]
    if 0 < len(known) <= MOST_OPTIONS:
        return _menu(PERSON, "To whom?", {name: name for name in known})
    return _written(PERSON, "To whom?", hint="A name or login.", several_lines=False)


def _about(text: str) -> View:
    return {
        "type": "section",
        "text": {"type": "mrkdwn", "text": str(cut_message(slack(text), _MOST_SECTION)), "verbatim": True},
    }


def _written(
    name: str,
    label: str,
    *,
    hint: str = "",
    value: str = "",
    several_lines: bool = True,
    optional: bool = False,
) -> View:
    element: View = {
        "type": "plain_text_input",
        "action_id": _ELEMENT,
        "multiline": several_lines,
        "max_length": _MOST_WRITTEN,
    }
    if value:
        element["initial_value"] = value if several_lines else let_in_line(value, 150)
    return _input(name, label, element, hint=hint, optional=optional)


def _menu(name: str, label: str, options: dict[str, str], *, first: str = "") -> View:
    shown = {value: {"text": _plain(text, 75), "value": value} for value, text in options.items()}
    element = {
        "type": "static_select",
        "action_id": _ELEMENT,
        "options": list(shown.values()),
    }
    return _input(name, label, element | ({"initial_option": shown[first]} if first else {}))


def _input(name: str, label: str, element: View, *, hint: str = "", optional: bool = False) -> View:
    block: View = {
        "type": "input",
        "block_id": name,
        "label": _plain(label),
        "element": element,
        "optional": optional,
    }
    return block | ({"hint": _plain(hint, 150)} if hint else {})


def _plain(text: str, limit: int = 75) -> View:
    return {"type": "plain_text", "text": text if len(text) <= limit else f"{text[: limit - 1]}…"}
