"""What a dialog that was sent off asks for, and at which field a refusal is shown."""

from collections.abc import Mapping

from runbook.actions.catalogue import ChangePlan
from runbook.approvals.acts import Act, ActKind
from runbook.approvals.gates import ASK_AGAIN_MINUTES, Answer, Choice, Instead
from runbook.channels.buttons import Button, ButtonKind
from runbook.decision.severity import Severity
from runbook.interactions.modals import (
    AT,
    INSTEAD_FIELD,
    NOTE,
    PARAMETER,
    PERSON,
    PUBLIC_TEXT_FIELD,
    PUBLIC_TITLE_FIELD,
    REASON,
    SEVERITY_FIELD,
    STATE_FIELD,
)
from runbook.interactions.payloads import View
from runbook.policy.policy import Policy
from runbook.redaction import redact_secrets

_LONGEST = 300
"""Characters of an error beside a field."""

MAIN_FIELDS = {
    ButtonKind.REJECT: REASON,
    ButtonKind.SEVERITY: REASON,
    ButtonKind.NOTE: NOTE,
    ButtonKind.STATE: REASON,
    ButtonKind.FALSE_ALARM: REASON,
    ButtonKind.EDIT_TEXT: PUBLIC_TEXT_FIELD,
    ButtonKind.WITHHOLD: REASON,
    ButtonKind.HAND_OVER: PERSON,
}
"""Where a refusal is shown that is about no field."""

Errors = dict[str, str]
"""What is wrong, by the field that it is shown at."""


class InvalidSubmission(ValueError):
    """A dialog that cannot be taken as it was filled in; `errors` says why, field by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = {name: shown(text) for name, text in errors.items()}


def shown(text: str) -> str:
    """A refusal beside a field: plain text, in which secrets are masked."""
    masked = redact_secrets(text)
    return masked if len(masked) <= _LONGEST else f"{masked[: _LONGEST - 1]}…"


def rejection_of(view: View, approver: str) -> Answer:
    """The rejection of a change.

    Raises:
        InvalidSubmission: it has no reason, or does not say what happens instead.
    """
    reason, instead = view.field(REASON).strip(), view.field(INSTEAD_FIELD)
    if not reason:
        raise InvalidSubmission({REASON: "Say why: the next person must know it"})
    if instead not in {each.value for each in Instead}:
        raise InvalidSubmission({INSTEAD_FIELD: "Choose what happens instead"})
    minutes = ASK_AGAIN_MINUTES if instead == Instead.NOTHING.value else None
    return Answer(
        choice=Choice.REJECT,
        approver=approver,
        reason=reason,
        channel="slack",
        instead=Instead(instead),
        snooze_minutes=minutes,
    )


def edit_of(view: View, approver: str, plan: ChangePlan, policy: Policy) -> Answer:
    """The edit of a change: the parameters that were changed.

    Raises:
        InvalidSubmission: a value is out of bounds, or none was changed.
    """
    values, errors, names = {}, Errors(), []
    for parameter in plan.action.spec.editable:
        field = f"{PARAMETER}{parameter.name}"
        value = view.field(field).strip()
        names.append(field)
        if value == plan.action.parameters.get(parameter.name, ""):
            continue
        values[parameter.name] = value
        if flaw := parameter.flaw(value, policy):
            errors[field] = flaw
    if errors or not names:
        raise InvalidSubmission(errors or {REASON: "Nothing of this change can be edited"})
    if not values:
        raise InvalidSubmission({names[0]: "Change it, or approve the change as it is"})
    return Answer(choice=Choice.EDIT, approver=approver, channel="slack", parameters=values)


def severity_of(view: View) -> tuple[Severity, str]:
    """The severity and the reason.

    Raises:
        InvalidSubmission: one of them is missing.
    """
    level, reason = view.field(SEVERITY_FIELD), view.field(REASON).strip()
    if level not in {each.value for each in Severity}:
        raise InvalidSubmission({SEVERITY_FIELD: "Choose a severity"})
    if not reason:
        raise InvalidSubmission({REASON: "Say why: the next person must know it"})
    return Severity(level), reason


def act_of_click(button: Button) -> Act:
    """What a button does that needs no dialog, such as take a role, publish a text or snooze."""
    if button.kind is ButtonKind.PUBLISH:
        return Act(kind=ActKind.PUBLISH, proposal=button.plan)
    if button.kind is ButtonKind.LATER:
        return Act(kind=ActKind.SNOOZE, reminder=button.gate)
    return Act(kind=_AT_ONCE[button.kind])


_AT_ONCE = {
    ButtonKind.TAKE: ActKind.TAKE,
    ButtonKind.UPDATE: ActKind.UPDATE,
    ButtonKind.COMMS: ActKind.COMMS,
    ButtonKind.SUPPORT: ActKind.SUPPORT,
    ButtonKind.ACK: ActKind.ACK,
}


def act_of(button: Button, view: View) -> Act:
    """The note, the hand-over of the lead, what becomes of a public text, or the end as a false alarm.

    Raises:
        InvalidSubmission: it says nothing.
    """
    kind = button.kind
    if kind is ButtonKind.EDIT_TEXT:
        words = view.field(PUBLIC_TEXT_FIELD).strip()
        if not words:
            raise InvalidSubmission({PUBLIC_TEXT_FIELD: "Say what the public is told"})
        title = view.field(PUBLIC_TITLE_FIELD).strip()
        return Act(kind=ActKind.PUBLISH, proposal=button.plan, text=words, title=title)
    if kind is ButtonKind.NOTE:
        text = view.field(NOTE).strip()
        if not text:
            raise InvalidSubmission({NOTE: "Say what happened"})
        return Act(kind=ActKind.NOTE, text=text, at=view.field(AT).strip())
    if kind is ButtonKind.HAND_OVER:
        name = view.field(PERSON).strip()
        if not name:
            raise InvalidSubmission({PERSON: "Choose who leads from now on"})
        return Act(kind=ActKind.ASSIGN, name=name)
    reason = view.field(REASON).strip()
    if kind is ButtonKind.STATE:
        state = view.field(STATE_FIELD)
        if not (state and reason):
            where = REASON if state else STATE_FIELD
            raise InvalidSubmission({where: "Say which state it is, and how you know"})
        return Act(kind=ActKind.STATE, state=state, text=reason)
    if kind is ButtonKind.WITHHOLD:
        if not reason:
            raise InvalidSubmission({REASON: "Say why the public is not told"})
        return Act(kind=ActKind.WITHHOLD, proposal=button.plan, text=reason)
    if not reason:
        raise InvalidSubmission({REASON: "Say why it is a false alarm"})
    return Act(kind=ActKind.RESOLVE, outcome="false-positive", text=reason)


def note_with(view: View, name: str) -> Act | None:
    """The note that goes with a hand-over to that person; `None` where nothing was written."""
    return handover_note(name, view.field(NOTE))


def handover_note(name: str, text: str) -> Act | None:
    """A note for the next lead; `None` where it says nothing."""
    written = text.strip()
    return Act(kind=ActKind.NOTE, text=f"On the hand-over to {name}: {written}") if written else None


def field_of(kind: ButtonKind, view: View, problem: str) -> str:
    """The field at which a refusal is shown: of a note's time the time, else the main one."""
    if kind is ButtonKind.NOTE and view.field(AT).strip() and "time" in problem:
        return AT
    own = (name for name in view.state.values if name.startswith(PARAMETER))
    return MAIN_FIELDS.get(kind) or next(own, REASON)
