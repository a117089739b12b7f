"""The page of the imitated channel shows what is posted, and nothing in it is markup of others."""

from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deployments.drill.world.channels.slack_page import channel_page, markup
from runbook.outside_text.slack import slack, slack_code, slack_code_block, slack_lines

SIGNS = st.one_of(st.characters(codec="utf-8"), st.sampled_from("<>&\"'`*\n/"))
OUTSIDE = st.text(alphabet=SIGNS, max_size=200)
OURS = {"pre", "code", "b", "br", "a"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        """Note it."""
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


@given(OUTSIDE, OUTSIDE, OUTSIDE)
def test_no_text_becomes_an_element(line: str, lines: str, code: str) -> None:
    """Only Slack's markup of our own does; there is no link in what others wrote."""
    tags = _Tags()
    tags.feed(markup(f"{slack(line)}\n{slack_lines(lines)}\n{slack_code(code)}\n{slack_code_block(code)}"))
    assert tags.seen <= OURS - {"a"}
    assert tags.attributes == set()


def test_a_block_of_code_is_followed_by_no_empty_line() -> None:
    """What stands on the next line stands right below it."""
    assert markup("a\n```\nb\n```\nc\n\nd") == "a<br><pre>b</pre>c<br><br>d"


def test_a_thread_stands_under_its_first_message() -> None:
    """With its buttons, and what was sent to the channel as well."""
    row = {"type": "actions", "elements": [{"text": {"text": "Approve"}, "style": "primary"}]}
    messages: list[dict[str, Any]] = [
        {"ts": "1.0", "text": "first"},
        {"ts": "2.0", "text": "other"},
        {"ts": "3.0", "thread_ts": "1.0", "subtype": "thread_broadcast", "text": "?", "blocks": [row]},
    ]
    page = channel_page("incidents", messages)
    assert page.index("first") < page.index("also sent to the channel") < page.index("other")
    assert '<button class="primary">Approve</button>' in page
