"""Slack's interaction payloads, as far as the runbook reads them; fields that it does not know are ignored.

Source: Slack's reference of `block_actions`, `view_submission` and `message_action`, and of slash commands.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from runbook.channels.cards.slack_blocks import MOST_BLOCKS

_MOST_FIELDS = 40
"""Fields of a form; a slash command has some fifteen."""

_USER_ID = r"^[UW][A-Z0-9]{1,40}$"
UserId = Annotated[str, Field(pattern=_USER_ID)]
TeamId = Annotated[str, Field(pattern=r"^[TE][A-Z0-9]{1,40}$")]
Id = Annotated[str, Field(min_length=1, max_length=255)]
Text = Annotated[str, Field(max_length=3_000)]
_MOST_READ = 40_000
Timestamp = Annotated[str, Field(pattern=r"^[0-9]{1,10}\.[0-9]{1,6}$")]


class UnreadableInteraction(ValueError):
    """What came is no interaction that the runbook reads; the text quotes nothing of it."""


class Payload(BaseModel):
    """A part of a payload. Slack adds fields at any time."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Account(Payload):
    """Who did it. `username` is what they call themselves, and proves nothing."""

    id: UserId
    username: str = Field(default="", max_length=200)
    name: str = Field(default="", max_length=200)
    team_id: TeamId | None = None


class Team(Payload):
    """The workspace in which it was done. `domain` is the first part of its address."""

    id: TeamId
    domain: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,60})?$")] = ""


class Pressed(Payload):
    """The element that was used. `action_ts` is when, as Slack counts."""

    action_id: str = Field(max_length=255)
    value: str = Field(default="", max_length=2_000)
    action_ts: str = Field(default="", max_length=40)


class Posted(Payload):
    """The message that the element belongs to."""

    ts: str = Field(default="", max_length=40)
    blocks: tuple[dict[str, Any], ...] = Field(default=(), max_length=MOST_BLOCKS)


class Click(Payload):
    """Somebody used an element of a message. `trigger_id` opens a dialog for three seconds."""

    type: Literal["block_actions"]
    user: Account
    team: Team | None = None
    api_app_id: str = Field(default="", max_length=40)
    trigger_id: Id
    response_url: str = Field(default="", max_length=1_000)
    actions: tuple[Pressed, ...] = Field(min_length=1, max_length=1)
    message: Posted = Posted()

    @property
    def pressed(self) -> Pressed:
        """What was used; Slack sends one at a time."""
        return self.actions[0]


class Chosen(Payload):
    """An option of a menu."""

    value: str = Field(max_length=150)


class Filled(Payload):
    """What a field of a dialog holds."""

    value: Text | None = None
    selected_option: Chosen | None = None

    @property
    def text(self) -> str:
        """What was written or chosen; empty for nothing."""
        return self.selected_option.value if self.selected_option else self.value or ""


class FilledIn(Payload):
    """All fields of a dialog, by the block and by the element in it."""

    values: dict[str, dict[str, Filled]] = Field(default={}, max_length=20)


class View(Payload):
    """A dialog. `id` is its own each time that it is opened."""

    id: str = Field(pattern=r"^V[A-Za-z0-9]{1,60}$")
    callback_id: str = Field(default="", max_length=255)
    private_metadata: str = Field(default="", max_length=3_000)
    state: FilledIn = FilledIn()

    def field(self, block_id: str) -> str:
        """The text of a field; empty where there is none."""
        return next((filled.text for filled in self.state.values.get(block_id, {}).values()), "")


class Submission(Payload):
    """Somebody sent a dialog off."""

    type: Literal["view_submission"]
    user: Account
    team: Team | None = None
    api_app_id: str = Field(default="", max_length=40)
    view: View


class Place(Payload):
    """A channel, or a conversation of two or more."""

    id: str = Field(pattern=r"^[CDG][A-Z0-9]{1,40}$")


class Written(Payload):
    """A message: who wrote it when, in which thread. `username` is what an app calls itself."""

    user: Annotated[str, Field(pattern=r"^([UW][A-Z0-9]{1,40})?$")] = ""
    username: str = Field(default="", max_length=200)
    text: str = Field(default="", max_length=40_000)
    ts: Timestamp
    thread_ts: Timestamp | None = None


class Shortcut(Payload):
    """Somebody used a shortcut on a message. `trigger_id` opens a dialog for three seconds."""

    type: Literal["message_action"]
    callback_id: str = Field(default="", max_length=255)
    user: Account
    team: Team | None = None
    api_app_id: str = Field(default="", max_length=40)
    trigger_id: Id
    response_url: str = Field(default="", max_length=1_000)
    channel: Place
    message: Written


Interaction = Click | Submission | Shortcut
_INTERACTION: TypeAdapter[Interaction] = TypeAdapter(Annotated[Interaction, Field(discriminator="type")])


class Command(Payload):
    """A slash command. What is too long to be taken is read, so that its person can be told so."""

    command: str = Field(min_length=1, max_length=80)
    text: str = Field(default="", max_length=_MOST_READ)
    user_id: UserId
    user_name: str = Field(default="", max_length=200)
    team_id: TeamId
    api_app_id: str = Field(default="", max_length=40)
    response_url: str = Field(default="", max_length=1_000)
    trigger_id: Id

    @property
    def user(self) -> Account:
        """Who typed it."""
        return Account(id=self.user_id, username=self.user_name, team_id=self.team_id)

    @property
    def team(self) -> Team:
        """Where."""
        return Team(id=self.team_id)


def is_slack_id(name: str) -> bool:
    """Whether a name has the form of an account's id."""
    return re.fullmatch(_USER_ID, name) is not None


def form_of(body: bytes) -> dict[str, str]:
    """The fields of a form.

    Raises:
        UnreadableInteraction: it is none, or a field is there twice.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise UnreadableInteraction("the body is not a form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UnreadableInteraction("a field is there twice")
    return fields


def interaction_of(body: bytes) -> Interaction:
    """The interaction in the body of a request.

    Raises:
        UnreadableInteraction: the body is no form with a payload, or the payload is not one of those above.
    """
    payload = form_of(body).get("payload")
    if payload is None:
        raise UnreadableInteraction("the form has no payload")
    return _interaction(_INTERACTION.validate_json, payload)


def interaction_in(payload: Mapping[str, Any]) -> Interaction:
    """The interaction in the envelope of a socket.

    Raises:
        UnreadableInteraction: the payload is not one of those above.
    """
    return _interaction(_INTERACTION.validate_python, payload)


def _interaction(read: Callable[[Any], Interaction], payload: object) -> Interaction:
    try:
        return read(payload)
    except ValidationError as error:
        raise UnreadableInteraction(_flaw(error, "payload")) from None
    except UnicodeEncodeError:
        raise UnreadableInteraction("the payload is not Unicode") from None


def command_of(body: bytes) -> Command:
    """The slash command in the body of a request.

    Raises:
        UnreadableInteraction: it is none.
    """
    return command_in(form_of(body))


def command_in(fields: Mapping[str, Any]) -> Command:
    """The slash command in these fields, as in the envelope of a socket.

    Raises:
        UnreadableInteraction: it is none.
    """
    try:
        return Command.model_validate(fields)
    except ValidationError as error:
        raise UnreadableInteraction(_flaw(error, "command")) from None


def _flaw(error: ValidationError, what: str) -> str:
    """Where the first mistake is, without anything of the payload: its keys may be anybody's words."""
    found = error.errors(include_url=False, include_input=False, include_context=False)[0]
    known = [str(step) for step in found["loc"] if isinstance(step, str) and step in _KNOWN]
    place = f" at {'.'.join(known)}" if known else ""
    return f"the {what} cannot be read{place} ({found['type']})"


_KNOWN = {
    *("block_actions", "view_submission", "message_action", "type"),
    *(name for model in Payload.__subclasses__() for name in model.model_fields),
}
