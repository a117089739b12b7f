"""E-mails and messages in Teams as one page: what their readers read, escaped."""

import html
import re
from collections.abc import Iterable

from deployments.drill.world.channels.mail import Delivered
from deployments.drill.world.channels.teams import TeamsWorkflow

_MARKDOWN = re.compile(r"\\(?P<sign>[^\w\s])|\[(?P<label>[^\[\]]*)\]\((?P<link>https?://[^\s()]+)\)")

_STYLE = """
body { margin: 0 auto; max-width: 760px; padding: 12px 16px; font: 15px/1.46 "Noto Sans", sans-serif }
h1 { font-size: 18px; border-bottom: 1px solid #ddd; padding-bottom: 8px }
h2 { font-size: 15px; margin: 2px 0 }
header { color: #616061; font-size: 13px }
article { padding: 12px 0; border-bottom: 1px solid #ddd; overflow-wrap: anywhere }
pre { white-space: pre-wrap; margin: 4px 0; font: inherit }
"""


def read_page(mails: Iterable[Delivered], workflows: Iterable[TeamsWorkflow]) -> str:
    """A page with each e-mail, and below with what was posted into each channel of Teams, oldest first."""
    shown = [_mail(mail) for mail in mails]
    parts = [f"<h1>E-mail</h1>{''.join(shown)}"]
    for workflow in workflows:
        posted = "".join(_card(workflow.channel, text) for text in workflow.posted)
        parts.append(f"<h1>Teams: {html.escape(workflow.channel)}</h1>{posted}")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>E-mail and Teams</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style>{''.join(parts)}</html>"
    )


def _mail(mail: Delivered) -> str:
    """The e-mail. Its first line is left out where the subject says it, as a list of e-mails does."""
    first, _, rest = mail.text.partition("\n")
    text = rest.lstrip("\n") if mail.subject.startswith(first) else mail.text
    return _article(f"To {', '.join(mail.readers)}", html.escape(text), subject=mail.subject)


def _card(channel: str, text: str) -> str:
    """The text of a card as Teams shows it: a link is one, and what is escaped stands for itself."""
    shown, place = [], 0
    for found in _MARKDOWN.finditer(text):
        shown.append(html.escape(text[place : found.start()]))
        place = found.end()
        if found["sign"] is not None:
            shown.append(html.escape(found["sign"]))
        else:
            shown.append(f'<a href="{html.escape(found["link"])}">{html.escape(found["label"])}</a>')
    shown.append(html.escape(text[place:]))
    return _article(f"Teams, the {channel}", "".join(shown))


def _article(head: str, shown: str, *, subject: str = "") -> str:
    title = f"<h2>{html.escape(subject)}</h2>" if subject else ""
    return f"<article><header>{html.escape(head)}</header>{title}<pre>{shown}</pre></article>"
