"""E-mails and messages in Teams as one page: what their readers read, escaped."""

import html
from collections.abc import Iterable

from deployments.drill.world.channels.mail import Delivered
from deployments.drill.world.channels.teams import TeamsWorkflow

_STYLE = """
body { margin: 0 auto; max-width: 760px; padding: 12px 16px; font: 15px/1.46 "Noto Sans", sans-serif }
h1 { font-size: 18px; border-bottom: 1px solid #ddd; padding-bottom: 8px }
header { color: #616061; font-size: 13px } article { margin: 0 0 14px; overflow-wrap: anywhere }
pre { white-space: pre-wrap; margin: 4px 0; font: inherit }
"""


def read_page(mails: Iterable[Delivered], workflows: Iterable[TeamsWorkflow]) -> str:
    """A page with each e-mail, and below with what was posted into each channel of Teams, oldest first."""
    shown = [_article(f"To {', '.join(mail.readers)}", f"{mail.subject}\n\n{mail.text}") for mail in mails]
    parts = [f"<h1>E-mail</h1>{''.join(shown)}"]
    for workflow in workflows:
        posted = "".join(_article(f"Teams, the {workflow.channel}", text) for text in workflow.posted)
        parts.append(f"<h1>Teams: {html.escape(workflow.channel)}</h1>{posted}")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>E-mail and Teams</title>'
        f"<style>{_STYLE}</style>{''.join(parts)}</html>"
    )


def _article(head: str, text: str) -> str:
    return f"<article><header>{html.escape(head)}</header><pre>{html.escape(text)}</pre></article>"
