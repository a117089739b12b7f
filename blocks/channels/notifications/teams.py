"""Microsoft Teams, through Prefect's notification block: a workflow in Power Automate posts what it is sent.

The workflow says that it has taken a message (202), not that it has posted it.
Source: Microsoft's "Create incoming webhooks with Workflows for Microsoft Teams"; 28 KB for a message.
"""

import re
from functools import partial
from typing import ClassVar
from urllib.parse import urlsplit

from prefect.blocks.core import Block
from prefect.blocks.notifications import MicrosoftTeamsWebhook
from pydantic import ConfigDict, Field, SecretStr, field_validator

from blocks.channels.channel import Post, Receipt
from blocks.channels.notifications.sending import notify
from blocks.channels.notifications.sides import Audiences, SupportSide, TeamSide, Templates, TwoSided
from blocks.transport.errors import OutsideError, Refused, Unavailable
from runbook.channels.text_messages import TEAMS, TextStyle
from runbook.outside_text.teams import TeamsText, teams_message
from runbook.policy.settings_tables import Unfit

_SYSTEM = "Teams"
_STATUS = re.compile(r"error=(?P<status>\d{3})\.")
_NEVER_SENT = ("NewConnectionError", "ConnectTimeout", "NameResolutionError", "SSLError", "ProxyError")
_TRANSIENT = frozenset({408, 425, 429, 503})
_SERVER_ERROR = 500


class TeamsForTeam(TeamSide):
    """What the team is told in Teams."""

    kind: ClassVar[str] = "teams"


class TeamsForSupport(SupportSide):
    """What support is told in Teams."""

    kind: ClassVar[str] = "teams-support"


class Teams(TwoSided, Block):
    """The channels of Microsoft Teams that a workflow posts into."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str] = "Runbook Teams"
    _block_type_slug: ClassVar[str] = "runbook-teams"
    _description: ClassVar[str] = (
        "Messages about incidents in Microsoft Teams: to the team, to support, or to both."
    )

    team: ClassVar[type[TeamSide]] = TeamsForTeam
    support: ClassVar[type[SupportSide]] = TeamsForSupport
    system: ClassVar[str] = _SYSTEM
    style: ClassVar[TextStyle] = TEAMS

    url: SecretStr = Field(
        title="URL",
        description="Address of the workflow “Post to a channel when a webhook request is received”.",
    )
    support_url: SecretStr | None = Field(
        default=None, title="URL for support", description="That of support's channel; default: the same."
    )
    audiences: Audiences = ("team",)
    templates: Templates = {}
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that the workflow may take to answer."
    )

    @field_validator("url", "support_url")
    @classmethod
    def _encrypted(cls, address: SecretStr | None) -> SecretStr | None:
        """The address is a credential, and every workflow's begins so."""
        if address is not None and not address.get_secret_value().lower().startswith("https://"):
            raise Unfit("not an address that begins with https://", "copy it from the workflow in Teams")
        return address

    async def send(self, text: str, *, subject: str, post: Post, support: bool) -> Receipt:  # noqa: ARG002 - it has none
        """Post one message.

        Raises:
            Refused: the address is not that of a workflow, or the workflow does not take it.
            Unavailable: the workflow cannot be reached, or nobody can tell whether it has taken it.
        """
        await notify(
            self._webhook(support=support),
            teams_message(TeamsText(text)),
            "",  # a card would show it twice, and as Markdown
            timeout_seconds=self.timeout_seconds,
            failure=partial(self._failure, self._host(support=support)),
        )
        return {"id": post.id}

    async def try_out(self, *, support: bool) -> tuple[str, bool]:
        """Whether the address is that of a workflow: there is nothing to ask it.

        Raises:
            Refused: it is not.
        """
        self._webhook(support=support)
        return "the address is that of a workflow; that it posts anything is not proven", False

    def _webhook(self, *, support: bool) -> MicrosoftTeamsWebhook:
        try:
            return MicrosoftTeamsWebhook(url=self._url(support=support), include_image=False)
        except (ValueError, TypeError):  # its text may hold the address
            raise Refused(
                _SYSTEM, "the address is not that of a workflow", "Correct the address in [teams]"
            ) from None

    def _failure(self, host: str, lines: str) -> OutsideError:
        """What Apprise's log says."""
        if (answered := _STATUS.search(lines)) is None:
            if any(word in lines for word in _NEVER_SENT):
                return Unavailable(_SYSTEM, f"{host} cannot be reached", _NETWORK)
            why = f"{host} gave no answer that can be read"
            return Unavailable(_SYSTEM, why, _NETWORK, may_have_landed=True)
        status = int(answered["status"])
        said = f"the workflow answered HTTP {status}"
        if status in _TRANSIENT:
            return Unavailable(_SYSTEM, said, http_status=status)
        if status >= _SERVER_ERROR:
            return Unavailable(_SYSTEM, said, http_status=status, may_have_landed=True)
        return Refused(_SYSTEM, said, "Check the workflow and the address in [teams]")

    def _url(self, *, support: bool) -> SecretStr:
        return (self.support_url if support else None) or self.url

    def _host(self, *, support: bool) -> str:
        """The host of the address, whose rest is a credential."""
        return str(urlsplit(self._url(support=support).get_secret_value()).hostname)


_NETWORK = "Check the network connection to it"
