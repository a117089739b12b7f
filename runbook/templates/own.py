"""Templates of the team's own, which take the place of shipped ones.

They are rendered in Jinja's sandbox, each value is escaped as in the shipped ones, and the filters that would
get around that are not there. `{% include "shipped/NAME" %}` puts the shipped text into one's own.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import ChoiceLoader, DictLoader, Environment, PrefixLoader, TemplateError, TemplateNotFound
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runbook.outside_text import let_in
from runbook.outside_text.mail import mail
from runbook.outside_text.plain import plain_line
from runbook.outside_text.slack import slack
from runbook.outside_text.teams import teams
from runbook.templates.environments import (
    MAIL_FILTERS,
    SHIPPED,
    SLACK_FILTERS,
    TEAMS_FILTERS,
    Escape,
    Filters,
    environment_of,
)

OwnTemplates = Mapping[str, str]
"""The text of each template of the team's own by the name of the shipped one that it replaces."""

NONE: OwnTemplates = {}

MOST_SHOWN = 20_000
"""Characters that a message may have; a longer one is a mistake of its template, such as a loop."""

LONGEST_REASON = 200

_NOT_ESCAPED = ("e", "escape", "forceescape", "safe", "tojson", "urlize", "xmlattr")
"""Jinja's filters whose result counts as escaped, as HTML or not at all."""

_FAILURES = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What a mistake in a template ends in; `SecurityError` and `UndefinedError` are errors of a template.

A `SyntaxError` is Python's: blocks that are nested more deeply than it can compile.
"""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which no operator makes a small value huge: `"x" * 10**9` would stop the run."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers.

        Raises:
            SecurityError: it is a power, or one of the two is no number.
        """
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(
                f"{operator} is for numbers only" if operator != "**" else "** is not allowed"
            )
        return super().call_binop(context, operator, left, right)


class TemplateFailed(Exception):
    """A template of the team's own cannot be rendered; the text is the reason in one line."""


def render_own(
    template: str, own: OwnTemplates, values: Mapping[str, object], *, in_teams: bool = False
) -> str:
    """Fill a template of the team's own; a `.text.j2` is for e-mails, unless it is shown `in_teams`.

    Raises:
        TemplateFailed: it is not a template, uses what is missing or forbidden, or gives no or too much text.
    """
    try:
        parts: list[str] = []
        room = MOST_SHOWN
        environment = _environment(template, tuple(own.items()), in_teams)
        for part in environment.get_template(template).generate(**values):
            parts.append(part)
            room -= len(part)
            if room < 0:
                raise TemplateFailed(f"it gives more than {MOST_SHOWN:,} characters")
    except _FAILURES as error:
        line = getattr(error, "lineno", None)
        place = f"line {line}: " if line else ""
        reason = str(error) or type(error).__name__
        if isinstance(error, TemplateNotFound):
            reason = f"there is no template {error.name}"
        raise TemplateFailed(plain_line(let_in(place + reason, LONGEST_REASON))) from None
    text = "".join(parts).strip()
    if not text:
        raise TemplateFailed("it gives no text")
    return text


@lru_cache(maxsize=32)
def _environment(template: str, own: tuple[tuple[str, str], ...], in_teams: bool) -> Environment:
    """The sandbox in which that template is shown, by the end of its name."""
    loader = ChoiceLoader([PrefixLoader({"shipped": SHIPPED}), DictLoader(dict(own))])
    escape, filters = _shown(template, in_teams)
    made = environment_of(escape, filters, kind=_Sandbox, loader=loader)
    for name in _NOT_ESCAPED:
        made.filters.pop(name, None)
    return made


def _shown(template: str, in_teams: bool) -> tuple[Escape, Filters | None]:
    if template.endswith(".slack.j2"):
        return slack, SLACK_FILTERS
    if template.endswith(".text.j2"):
        return (teams, TEAMS_FILTERS) if in_teams else (mail, MAIL_FILTERS)
    return plain_line, None
