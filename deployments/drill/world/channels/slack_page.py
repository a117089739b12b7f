"""The channel as a page: what people see in Slack, near enough to judge a message by.

Everything in a message is escaped; only Slack's own markup becomes elements.
"""

import base64
import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_MARKUP = re.compile(
    r"```\n?(?P<block>.*?)\n?```|`(?P<code>[^`\n]+)`|<(?P<link>https?://[^<>|]+)(?:\|(?P<label>[^<>|]+))?>",
    re.DOTALL,
)
_BOLD = re.compile(r"(?<!\w)\*(?=\S)([^*\n]+)(?<=\S)\*(?!\w)")
_STYLE = """
* { box-sizing: border-box } body { margin: 0; font: 15px/1.46 "Slack-Lato", Lato, "Noto Sans", sans-serif;
  color: #1d1c1d; background: #fff } main { max-width: 760px; margin: 0 auto; padding: 12px 16px }
h1 { font-size: 18px; margin: 4px 0 12px; border-bottom: 1px solid #ddd; padding-bottom: 8px }
article { margin: 0 0 14px; overflow-wrap: anywhere } article.reply { margin-left: 28px;
  border-left: 2px solid #ddd; padding-left: 10px } header b { font-weight: 900 }
header, .context { color: #616061; font-size: 13px } header b { color: #1d1c1d; font-size: 15px }
section { margin: 4px 0 8px }
pre { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 8px; margin: 4px 0;
  font: 12px/1.5 Monaco, Menlo, "DejaVu Sans Mono", monospace; white-space: pre-wrap }
code { background: #f8f8f8; border: 1px solid #ddd; border-radius: 3px; padding: 1px 3px; color: #c01343;
  font: 12px "DejaVu Sans Mono", monospace } .actions { display: flex; flex-wrap: wrap; gap: 8px }
.actions + .actions { margin-top: 8px }
button { font: 700 13px Lato, "Noto Sans", sans-serif; padding: 6px 12px; border-radius: 4px;
  border: 1px solid #bbb; background: #fff } button.primary { background: #007a5a; color: #fff; border: 0 }
button.danger { background: #e01e5a; color: #fff; border: 0 } a { color: #1264a3 }
figure { margin: 4px 0; font-size: 13px; color: #616061 }
img { display: block; max-width: 100%; max-height: 360px; border: 1px solid #ddd; border-radius: 8px }
pre.file { max-height: 180px; overflow: auto; color: #1d1c1d }
"""


def channel_page(
    name: str, messages: Sequence[Mapping[str, Any]], files: Mapping[str, bytes] | None = None
) -> str:
    """A page with these messages, each thread under the message that opened it; `files` by their ids."""
    threads = {
        message["ts"]: [reply for reply in messages if reply.get("thread_ts") == message["ts"]]
        for message in messages
        if message.get("thread_ts", message["ts"]) == message["ts"]
    }
    by_ts = {message["ts"]: message for message in messages}
    shown = [
        _article(message, files or {}, reply=message["ts"] != first)
        for first, replies in threads.items()
        for message in [by_ts[first], *replies]
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>#{html.escape(name)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
        f"<main><h1># {html.escape(name)}</h1>{''.join(shown)}</main></html>"
    )


def _article(message: Mapping[str, Any], files: Mapping[str, bytes], *, reply: bool) -> str:
    at = datetime.fromtimestamp(float(message["ts"]), UTC)
    broadcast = " · also sent to the channel" if message.get("subtype") == "thread_broadcast" else ""
    # Slack does not say of a message with blocks that it was edited
    edited = " (edited)" if message.get("edited") and not message.get("blocks") else ""
    blocks = message.get("blocks") or [{"type": "section", "text": {"text": message.get("text", "")}}]
    shown = [_block(block) for block in blocks]
    shown += [_file(file, files.get(file["id"], b"")) for file in message.get("files", [])]
    return (
        f'<article class="{"reply" if reply else "first"}"><header><b>runbook</b> APP {at:%H:%M}{broadcast}'
        f"</header>{''.join(shown)}{edited}</article>"
    )


def _file(file: Mapping[str, Any], content: bytes) -> str:
    """A file under its title: a picture with its words, a text folded as Slack folds it."""
    title, alt = html.escape(str(file.get("title", ""))), html.escape(str(file.get("alt_txt", "")))
    if file.get("mimetype") == "image/png":
        data = base64.b64encode(content).decode()
        return f'<figure>{title}<img alt="{alt}" title="{alt}" src="data:image/png;base64,{data}"></figure>'
    lines = html.escape(content.decode(errors="replace"))
    return f'<figure>{title}<pre class="file">{lines}</pre></figure>'


def _block(block: Mapping[str, Any]) -> str:
    match block.get("type"):
        case "section" | "header":
            return f"<section>{markup(str((block.get('text') or {}).get('text', '')))}</section>"
        case "context":
            parts = (markup(str(element.get("text", ""))) for element in block.get("elements", []))
            return f'<section class="context">{" ".join(parts)}</section>'
        case "actions":
            return f'<div class="actions">{"".join(map(_button, block.get("elements", [])))}</div>'
        case kind:
            return f"<section>[{html.escape(str(kind))}]</section>"


def _button(element: Mapping[str, Any]) -> str:
    label = html.escape(str((element.get("text") or {}).get("text", "")))
    return f'<button class="{html.escape(str(element.get("style", "")))}">{label}</button>'


def markup(text: str) -> str:
    """Slack's markup as HTML."""
    shown, place = [], 0
    for found in _MARKUP.finditer(text):
        shown.append(_plain(text[place : found.start()]))
        place = found.end()
        if found["block"] is not None:
            shown.append(f"<pre>{_escaped(found['block'])}</pre>")
            place += text[place:].startswith("\n")  # it stands on lines of its own
        elif found["code"] is not None:
            shown.append(f"<code>{_escaped(found['code'])}</code>")
        else:
            address, label = _escaped(found["link"]), _escaped(found["label"] or found["link"])
            shown.append(f'<a href="{address}">{label}</a>')
    return "".join([*shown, _plain(text[place:])])


def _plain(text: str) -> str:
    return _BOLD.sub(r"<b>\1</b>", _escaped(text)).replace("\n", "<br>")


def _escaped(text: str) -> str:
    """The text with its three entities of Slack, escaped for HTML."""
    return html.escape(html.unescape(text))
