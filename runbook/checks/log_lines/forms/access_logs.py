"""Lines of access logs: what a server of ours answered to a client. The status in them is our own.

Forms: the Common Log Format of nginx, Apache and gunicorn, uvicorn, Django's server, morgan, gin, Rails,
Next.js, Tornado, Plug, haproxy.
"""

import re

from runbook.checks.log_lines.forms.parsed_line import ParsedLine

_METHOD = r"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|TRACE|CONNECT)"
_REQUEST = rf"\"{_METHOD} [^\"]{{0,8000}}\"\s{{1,3}}(?P<status>[1-5][0-9]{{2}})(?![\w.])"
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"\S{{1,200}} \S{{1,100}} \S{{1,100}} \[[^\]]{{1,60}}\] (?:{_REQUEST})",  # common and combined
        rf"[\w.:\[\]-]{{2,60}} - {_REQUEST}",  # uvicorn
        rf"\[[^\]]{{1,60}}\] {_REQUEST}",  # Django's development server
        rf"{_METHOD} /\S{{0,4000}} (?P<status>[1-5][0-9]{{2}}) [\d.]{{1,12}} ?ms\b",  # morgan
        r"\[GIN\] [\d/]{10} - [\d:]{8} \| {0,2}(?P<status>[1-5][0-9]{2}) \|",
        rf"{_METHOD} /\S{{0,4000}} (?P<status>[1-5][0-9]{{2}}) in [\d.]{{1,12}} ?m?s\b",  # Next.js
        # Tornado
        rf"(?P<status>[1-5][0-9]{{2}}) {_METHOD} /\S{{0,4000}} \([^\s()]{{1,80}}\) [\d.]{{1,12}}ms\b",
        r"Sent (?P<status>[1-5][0-9]{2}) in [\d.]{1,9}(?:ms|s|\u00b5s)",  # Plug
        # haproxy
        r"\S{3,80}:\d{1,5} \[[^\]]{1,60}\] \S{1,200} \S{1,200}/\S{1,200} [-+\d/]{5,80} "
        r"(?P<status>[1-5][0-9]{2}) ",
        r"(?:\[[\w-]{1,60}\] )?Completed (?P<status>[1-5][0-9]{2}) [A-Z][\w ]{1,40} in \d{1,9}ms",  # Rails
    )
)
_QUOTED = re.compile(r"\"[^\"]*\"")


def read_access(text: str) -> ParsedLine | None:
    """The parts of a line of an access log; else `None`. Its addresses and user agents are no messages."""
    for form in _FORMS:
        found = form.match(text)
        if found:
            message = _QUOTED.sub(" ", text[found.end() :])
            return ParsedLine(
                level=None,
                texts=(message,),
                statuses=(found["status"],),
                context=found.group(),
                inbound=True,
            )
    return None
