"""Messages in plain words, for channels without markup of their own: e-mail, and cards of Microsoft Teams.

Both share their templates, `NAME.text.j2`; the values are escaped for where the text is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass

from runbook.channels.messages import About, Message
from runbook.outside_text.mail import mail_beginning
from runbook.outside_text.teams import teams_beginning
from runbook.templates.environments import render_mail, render_teams
from runbook.templates.own import NONE, OwnTemplates, TemplateFailed, render_own

TEXT = ".text.j2"
"""How the names of their templates end."""


@dataclass(frozen=True)
class TextStyle:
    """Where such a text is shown."""

    render: Callable[..., str]
    beginning: Callable[[str], str]
    in_teams: bool = False


MAIL = TextStyle(render_mail, mail_beginning)
TEAMS = TextStyle(render_teams, teams_beginning, in_teams=True)


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
        note = f"Your template {template} cannot be used: {failure}. See it with: runbook render"
        said = style.render(f"notice{TEXT}", text=note, link="")
        return f"{style.render(template, **message.values)}\n\n{said}"


def naming(text: str, about: About, style: TextStyle) -> str:
    """The text, and a last line that names the incident and says where it is, unless the text does that."""
    text = style.beginning(text)
    link = "" if about.link and about.link in text else about.link
    return f"{text}\n\n{style.render(f'about{TEXT}', about=about, link=link)}"
