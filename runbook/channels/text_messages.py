"""Messages in plain words, for channels without markup of their own: e-mail, and cards of Microsoft Teams.

Both share their templates, `NAME.text.j2`; the values are escaped for where the text is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass

from runbook.channels.messages import Message
from runbook.templates.environments import render_mail, render_teams
from runbook.templates.own import NONE, OwnTemplates, TemplateFailed, render_own

TEXT = ".text.j2"
"""How the names of their templates end."""


@dataclass(frozen=True)
class TextStyle:
    """Where such a text is shown."""

    render: Callable[..., str]
    in_teams: bool = False


MAIL = TextStyle(render_mail)
TEAMS = TextStyle(render_teams, in_teams=True)


def in_text(message: Message, style: TextStyle, own: OwnTemplates = NONE) -> str:
    """The message by the team's own template where there is one.

    One that cannot be rendered gives way to the shipped one, and the message says so in its last line.
    """
    template = f"{message.template}{TEXT}"
    if template not in own:
        return style.render(template, **message.values)
    try:
        return render_own(template, own, message.values, in_teams=style.in_teams)
    except TemplateFailed as failure:
        note = f"Your template {template} cannot be used: {failure}. `runbook render` shows it."
        said = style.render(f"notice{TEXT}", text=note, link="")
        return f"{style.render(template, **message.values)}\n\n{said}"
