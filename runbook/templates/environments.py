"""The Jinja environments of the runbook's texts; the templates lie in `runbook/templates/`.

The ending of a template's name says where its text is shown, and every value in it is escaped for that place,
unless a filter has done so. So nobody who writes a template can forget it.
"""

from collections.abc import Callable

from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from runbook.channels.local_time import clock, clock_after, hours_and_minutes, span, stamp
from runbook.channels.wording import one_line, sentence_case
from runbook.outside_text.mail import MailText, mail, mail_block, mail_lines, mail_link
from runbook.outside_text.markdown import code, code_block, inline, picture
from runbook.outside_text.normal import normal
from runbook.outside_text.plain import plain_line
from runbook.outside_text.slack import (
    SlackText,
    slack,
    slack_code,
    slack_code_block,
    slack_lines,
    slack_link,
)
from runbook.outside_text.teams import TeamsText, teams, teams_lines, teams_link

Escape = Callable[[str], str]
Filters = dict[str, Callable[..., str]]

_FILTERS: Filters = {
    "clock": clock,
    "clock_after": clock_after,
    "hours_and_minutes": hours_and_minutes,
    "one_line": one_line,
    "sentence_case": sentence_case,
    "span": span,
    "stamp": stamp,
}


SHIPPED = PackageLoader("runbook", "templates")
"""The templates that come with the runbook."""


def environment_of(
    escape: Escape,
    filters: Filters | None = None,
    *,
    kind: type[Environment] = Environment,
    loader: BaseLoader = SHIPPED,
) -> Environment:
    """An environment whose values are escaped that way, and which refuses a value that is not given."""

    def escaped(value: object) -> object:
        return value if isinstance(value, Markup) else Markup(escape(str(value)))  # noqa: S704 - it is escaped

    environment = kind(
        loader=loader,
        autoescape=True,  # so that what a macro returns counts as escaped; `escaped` comes before Jinja's own
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters.update(_FILTERS | (filters or {}))
    return environment


_MARKDOWN = environment_of(inline, {"code": code, "code_block": code_block, "picture": picture})
SLACK_FILTERS: Filters = {
    "code": slack_code,
    "code_block": slack_code_block,
    "lines": slack_lines,
    "link": slack_link,
}
_SLACK = environment_of(slack, SLACK_FILTERS)
MAIL_FILTERS: Filters = {
    "code": mail,
    "code_block": mail_block,
    "lines": mail_lines,
    "link": mail_link,
}
TEAMS_FILTERS: Filters = {
    "code": teams,
    "code_block": teams_lines,
    "lines": teams_lines,
    "link": teams_link,
}
_MAIL, _TEAMS = environment_of(mail, MAIL_FILTERS), environment_of(teams, TEAMS_FILTERS)
_PLAIN = environment_of(plain_line)
_XML = environment_of(lambda text: str(Markup.escape(normal(text))))


def compile_templates() -> None:
    """Compile the templates that come with the runbook, some 20 ms each, so that no message waits for it."""
    by_ending = {
        ".md.j2": (_MARKDOWN,),
        ".slack.j2": (_SLACK,),
        ".text.j2": (_MAIL, _TEAMS),
        ".txt.j2": (_PLAIN,),
        ".svg.j2": (_XML,),
    }
    for name in SHIPPED.list_templates():
        for ending, environments in by_ending.items():
            if name.endswith(ending):
                for environment in environments:
                    environment.get_template(name)


def render_markdown(template: str, **values: object) -> str:
    """Fill a `.md.j2` template.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not given.
    """
    return _MARKDOWN.get_template(template).render(**values).strip()


def render_slack(template: str, **values: object) -> SlackText:
    """Fill a `.slack.j2` template.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not given.
    """
    return SlackText(_SLACK.get_template(template).render(**values).strip())


def render_mail(template: str, **values: object) -> MailText:
    """Fill a `.text.j2` template for an e-mail.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not given.
    """
    return MailText(_MAIL.get_template(template).render(**values).strip())


def render_teams(template: str, **values: object) -> TeamsText:
    """Fill a `.text.j2` template for Microsoft Teams.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not given.
    """
    return TeamsText(_TEAMS.get_template(template).render(**values).strip())


def render_plain(template: str, **values: object) -> str:
    """Fill a `.txt.j2` template; each value is put on one line.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not given.
    """
    return _PLAIN.get_template(template).render(**values).strip()


def render_xml(template: str, **values: object) -> str:
    """Fill a `.svg.j2` template.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not given.
    """
    return _XML.get_template(template).render(**values).strip()
