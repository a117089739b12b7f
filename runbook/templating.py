"""The Jinja environments of the runbook's texts; the templates lie in `runbook/templates/`."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from runbook.local_time import clock, clock_after, hours_and_minutes, span, stamp
from runbook.markdown import code, code_block, inline
from runbook.wording import one_line, sentence_case


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("runbook", "templates"),
        autoescape=autoescape,  # noqa: S701 - off for plain text and markdown, where `&` must stay `&`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters.update(
        clock=clock,
        clock_after=clock_after,
        code=code,
        code_block=code_block,
        hours_and_minutes=hours_and_minutes,
        inline=inline,
        one_line=one_line,
        sentence_case=sentence_case,
        span=span,
        stamp=stamp,
    )
    return environment


_TEXT = _environment(autoescape=False)
_XML = _environment(autoescape=True)


def render(template: str, **values: object) -> str:
    """Fill a template; `.svg.j2` is escaped as XML, everything else is taken as it is.

    Raises:
        jinja2.UndefinedError: the template names a value that was not given.
    """
    environment = _XML if template.endswith(".svg.j2") else _TEXT
    return environment.get_template(template).render(**values).strip()
