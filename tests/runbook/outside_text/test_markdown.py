"""Markdown that text from outside is put into shows that text, and nothing that it wants to be."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from runbook.outside_text import one_line
from runbook.outside_text.markdown import code, code_block, inline, picture
from runbook.redaction import redact_secrets

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
AUTOLINK = re.compile(r"(?:https?|ftp)://|\bwww\.|\w@\w", re.IGNORECASE)
"""What GitHub's flavour makes a link of by itself."""

AROUND = {
    "alone": "{}",
    "in a list": "- {}",
    "in a numbered list": "1. {}",
    "in a heading": "## {}",
    "in a cell": "| a | b |\n|---|---|\n| x | {} |",
    "within a line": "**Why:** {}. **Risk:** low",
    "before a colon": "- {}: reason",
    "in brackets": "y ({})",
    "after a paragraph": "before\n{}",
}
OURS = {
    *("paragraph_open", "paragraph_close", "inline", "text", "text_special", "softbreak"),
    *("bullet_list_open", "bullet_list_close", "ordered_list_open", "ordered_list_close"),
    *("list_item_open", "list_item_close", "heading_open", "heading_close", "strong_open", "strong_close"),
    *("table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close"),
    *("tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close"),
}
PIECES = st.sampled_from(
    [
        *(
            "[x](javascript:alert(1))",
            "![a](http://e/x)",
            "<https://e>",
            "<script>",
            "</b>",
            "<!--",
            "<?",
            "<",
        ),
        *("# ", "## ", "- ", "+ ", "* ", "1. ", "2) ", "> ", "=", "---", "***", "```", "~~~", "    ", "\t"),
        *("**", "__", "_", "*", "~~", "`", "|", "\\", "[", "]", "[a]: http://e", "](", "]:", "][", "!"),
        *(
            "<?",
            "<",
            "&lt;",
            "&amp",
            "&#60;",
            ";",
            "https://e.example",
            "www.e.example",
            "a@b.example",
            "HTTPS:",
        ),
        *(
            "\n",
            "\r",
            "\u2028",
            "\x1b[31m",
            "\u202e",
            "phx_abcdef123456",
            "[redacted:phx]",
            "a",
            "1",
            " ",
            "//",
        ),
    ]
)
TEXTS = st.lists(st.text(max_size=6) | PIECES, max_size=7).map("".join)


def tokens(markdown: str) -> list[Token]:
    """Everything that the parser sees in it."""
    found = []
    for token in PARSER.parse(markdown):
        found += [token, *(token.children or [])]
    return found


def shape(markdown: str) -> list[str]:
    """What it is made of, texts left out."""
    return [token.type for token in tokens(markdown) if token.type not in ("text", "text_special")]


def shown(markdown: str) -> str:
    """The text that a reader sees."""
    return "".join(token.content for token in tokens(markdown) if token.type in ("text", "text_special"))


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@given(text=TEXTS)
def test_text_is_shown_as_it_is_wherever_it_stands(around: str, text: str) -> None:
    """It makes no link, picture, tag, heading, list, quote, table, code or emphasis, and reads as it was."""
    line = one_line(redact_secrets(one_line(text)))
    made = around.format(inline(text))
    assert {token.type for token in tokens(made)} <= OURS
    assert shape(made) == shape(around.format("word")) if line else True
    assert not AUTOLINK.search(inline(text))
    assert one_line(shown(made)) == one_line(shown(around.format("word")).replace("word", line))


@given(text=TEXTS)
def test_code_shows_its_text(text: str) -> None:
    """Backticks in a name end nothing; what it shows is the name."""
    line = one_line(redact_secrets(one_line(text)))
    found = [token for token in tokens(f"x {code(text)} y") if token.type == "code_inline"]
    assert [token.content.replace("\\|", "|").strip() for token in found] == ([line.strip()] if line else [])


@given(text=TEXTS)
def test_a_code_block_holds_its_text(text: str) -> None:
    """Whatever it holds, it is one block, and what is behind it is none."""
    found = [token for token in tokens(f"{code_block(text, 'diff')}\n\nafter") if token.type != "text"]
    assert [token.type for token in found] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert (found[0].info, found[2].content) == ("diff", "after")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("posthog_errors_total < 15 min", "posthog_errors_total < 15 min"),
        ("key [redacted:phx] is old", "key [redacted:phx] is old"),
        ("5.2 errors/s (31% of requests); 503: 4.10/s", "5.2 errors/s (31% of requests); 503: 4.10/s"),
        ("https://e.example", "https\\://e.example"),
        ("[click](https://e.example)", "\\[click]\\(https\\://e.example)"),
        ("# Approved\nby ana", "\\# Approved by ana"),
        ("_emphasis_ and snake_case", "\\_emphasis\\_ and snake_case"),
        ("&lt;b&gt; <b>", "\\&lt;b\\&gt; &lt;b>"),
    ],
)
def test_only_what_would_make_markup_is_escaped(text: str, escaped: str) -> None:
    """The raw file stays readable."""
    assert inline(text) == escaped


@pytest.mark.parametrize(
    ("uri", "shown_as"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", "data:image/png;base64,iVBORw0KGgo="),
        ("https://evil.example/x.png", "https\\://evil.example/x.png"),
        ("data:image/png;base64,A) [x](http://e", "data:image/png;base64,A) [x]\\(http\\://e"),
    ],
)
def test_a_picture_carries_itself(uri: str, shown_as: str) -> None:
    """No page that people look at fetches a picture from anywhere."""
    assert picture(uri) == shown_as
