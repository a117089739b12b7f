"""What is kept as evidence is whole and masked and steers no terminal; a page gets plain text."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.outside_text.machine import json_document
from runbook.outside_text.plain import json_file, plain, plain_file, plain_line
from runbook.redaction import Redactor

KEY = "phx_canary0Q7zX4bV9nM2kL8"
MASK = Redactor(["literal0canary"])
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
PIECES = st.sampled_from(
    [
        f" {KEY} ",
        " phx_can\u200bary0Q7zX4bV9nM2kL8 ",
        " literal0canary ",
        "\x1b[31m",
        "\u2028",
        "\n",
        "\r",
        "a",
    ]
)
TEXTS = st.lists(st.text(max_size=6) | PIECES, max_size=6).map("".join)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("12:00 ERROR \x1b[31mred\x1b[0m\n12:01 ok", "12:00 ERROR \\u001b[31mred\\u001b[0m\n12:01 ok"),
        (f"key {KEY}\nnext", "key [redacted:phx]\nnext"),
        ("key phx_can\u200bary0Q7zX4bV9nM2kL8", "key [redacted:phx]"),
        ("key phx_canary0Q7zX4\u200bbV9nM2kL8", "key [redacted:phx]"),
        ("key phx_canary0Q7zX4\x1b[0mbV9nM2kL8", "key [redacted:phx]"),
        ("key phx_canary0Q7zX4\x9b1mbV9nM2kL8\n\u200bx", "key [redacted:phx]\n\\u200bx"),
        ("says literal0canary", "says [redacted:secret]"),
        ("a\u202eb", "a\\u202eb"),
    ],
)
def test_evidence_is_whole_but_for_secrets(text: str, kept: str) -> None:
    """What would steer the terminal of its reader is spelled out, not lost."""
    assert plain_file(text, MASK) == kept


@given(text=TEXTS)
def test_evidence_holds_no_secret_and_steers_nothing(text: str) -> None:
    """In a text and in JSON."""
    for kept in (plain_file(text, MASK), json_file({"x": [text], text: 1}, MASK)):
        assert "canary" not in kept
        assert not STEERS.search(kept)
    assert plain_file(text, MASK).count("\n") == text.count("\n")


@given(value=st.recursive(TEXTS | st.integers(), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_json_is_equal_in_value(value: Any) -> None:
    """Escaped, nothing is lost."""
    assert json.loads(json_document(value)) == value


@given(text=TEXTS, limit=st.integers(40, 80))
def test_a_pager_and_a_status_page_get_plain_text(text: str, limit: int) -> None:
    """Without control characters, masked, within the limit of the system."""
    for made in (plain(text, limit), plain_line(text, limit)):
        assert len(made) <= limit
        assert not STEERS.search(made)
        assert KEY not in made
