"""What masking guarantees for any text: no secret survives, and JSON stays JSON."""

import json
from collections.abc import Callable
from string import ascii_letters, digits
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from runbook.redaction import Redactor, redact, redact_value

SHAPE = "ph" + "x_AbCdEf0123456789GhIjKlMnOpQrStUvWxYz"
LISTED = "correct-horse/battery+staple 'n' \"quotes\""

any_text = st.text(st.characters(codec=None), max_size=200)
pieces = st.sampled_from(
    (
        *("password=", "password: ", "Authorization: ", "authorization=", "Bearer ", "Basic ", "api_key: "),
        *(
            "https://",
            "cookie: ",
            "token",
            "secret",
            "key",
            "name",
            "value",
            "is",
            "for user bob",
            "--password ",
        ),
        *(
            "@",
            '"',
            "'",
            "\\",
            "\\n",
            '\\"',
            "[",
            "]",
            "{",
            "}",
            "(",
            ")",
            "<",
            ">",
            "=",
            ":",
            ",",
            ";",
            "|",
            "&",
        ),
        *(
            "\n",
            "\n  ",
            "- ",
            " ",
            "\t",
            "%22",
            "%3D",
            "\x1b[31m",
            "#",
            "!",
            "$",
            "*",
            "`",
            "/",
            ".",
            "?",
            "::",
        ),
        *(
            "[redacted:phx]",
            "[redacted:",
            "phx_abcdef12",
            "AKIAQQQQQQQQQQEXAMPL",
            "eyJhbGciOiJIUzI1NiJ9.eyJ9.x",
        ),
        *(
            "alice@example.com",
            "203.0.113.7",
            "2001:db8::1",
            "hunter2",
            "none",
            "map[",
            "Some(",
            "kind: Secret\n",
        ),
        *(
            "data:\n",
            "password: |\n",
            "-----BEGIN RSA PRIVATE KEY-----",
            "-----END RSA PRIVATE KEY-----",
            "MIIEpAIB",
        ),
        *(
            '{"password": "x"}',
            '{"a":',
            '["Authorization","x"]',
            "<password>",
            "</password>",
            "curl -u a:b ",
            "\\u0022",
        ),
    )
)
strange = st.lists(st.one_of(pieces, st.text(max_size=6)), max_size=25).map("".join)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | strange | any_text
names = (
    st.sampled_from(("password", "a", "apiKey", "name", "value", "kind", "data", "tokens", "k8s/secret"))
    | strange
)
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


@given(text=strange | any_text, listed=st.lists(st.text(ascii_letters, min_size=4, max_size=8), max_size=2))
def test_masking_twice_is_masking_once(text: str, listed: list[str]) -> None:
    """Whatever labels, quotes, brackets, marks and secrets stand next to each other."""
    redactor = Redactor(listed)
    once = redactor.text(text)
    assert redactor.text(once) == once


@given(text=any_text)
def test_any_text_can_be_masked(text: str) -> None:
    """Lone surrogates and control characters raise nothing."""
    assert isinstance(redact(text), str)
    assert isinstance(redact(f'{{"a": "{text}"}}', [SHAPE]), str)


@given(value=json_values, indent=st.sampled_from((None, 2)), escaped=st.booleans())
def test_json_stays_json(value: JsonValue, indent: int | None, escaped: bool) -> None:
    """A document keeps its form and the order of its keys, and what is harmless keeps its bytes."""
    text = json.dumps(value, indent=indent, ensure_ascii=escaped)
    masked = redact(text)
    parsed = json.loads(masked)
    assert _form(parsed) == _form(value)
    assert redact(masked) == masked
    if parsed == value:
        assert masked == text


@given(value=json_values)
def test_json_in_a_line_of_a_log_stays_json(value: JsonValue) -> None:
    """So it does behind a time and before other words, and lines around it stay."""
    text = f"12:30:45 INFO {json.dumps([[value]])} sent"
    masked = redact(text)
    assert masked.startswith("12:30:45 INFO [[")
    assert masked.endswith("]] sent")
    assert _form(json.loads(masked.removeprefix("12:30:45 INFO ").removesuffix(" sent"))) == _form([[value]])


@given(value=json_values)
def test_value_stays_valid_json(value: JsonValue) -> None:
    """A JSON value stays one, of the same form, and masking it again changes nothing."""
    masked = redact_value(value)
    assert _form(masked) == _form(value)
    assert json.loads(json.dumps(masked)) == masked
    assert redact_value(masked) == masked


WRAPPERS: tuple[Callable[[str], str], ...] = (
    lambda secret: f"password={secret}",
    lambda secret: f"before {secret} after",
    lambda secret: f"\x1b[31m{secret}\x1b[0m",
    lambda secret: f"key is:\\n{secret}\\nend",
    lambda secret: json.dumps({"a": [{"b": secret}]}),
    lambda secret: json.dumps({"a": json.dumps({"password": secret})}),
    lambda secret: f"12:00 INFO {json.dumps({'msg': f'sent {secret} to it'})} done",
    lambda secret: f"https://example.com/?q={quote(secret, safe='')}&x=1",
    lambda secret: f"https://example.com/?q={quote(quote(secret, safe=''), safe='')}",
    lambda secret: repr({"headers": [("x", secret)]}),
    lambda secret: yaml.safe_dump({"spec": {"args": [secret], "other": f"a {secret}"}}, width=10_000),
    lambda secret: f"a: |\n  one\n  {secret}\nb: 1\n",
    lambda secret: f"a: 1\n# was: {secret}\nb: 2 # and {secret}\npassword: x\n",
    lambda secret: f"- name: X\n  value: {json.dumps(secret)}\n",
    lambda secret: f"<a b='{secret}'>{secret}</a>",
    lambda secret: f"map[a:{secret} b:c]",
    lambda secret: json.dumps(f"line\n{secret}\tend"),
)


def _nested(text: str, depth: int) -> str:
    for _ in range(depth):
        text = json.dumps({"a": text})
    return text


@pytest.mark.parametrize("wrap", WRAPPERS)
@pytest.mark.parametrize("secret", [SHAPE, LISTED])
@given(before=any_text, after=any_text, depth=st.integers(0, 3))
@settings(max_examples=25)
def test_planted_secret_never_survives(
    wrap: Callable[[str], str], secret: str, before: str, after: str, depth: int
) -> None:
    """A shape or a listed secret is found in every notation, between anything, and in JSON within JSON."""
    text = _nested(f"{before} {wrap(secret)} {after}", depth)
    masked = redact(text, [LISTED])
    for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
        assert form not in masked


@given(depth=st.integers(1, 90), secret=st.text(ascii_letters + digits, min_size=12, max_size=30))
def test_listed_secret_is_found_at_any_depth(depth: int, secret: str) -> None:
    """However deep in lists and objects; what is deeper than masking looks is masked as a whole."""
    value: JsonValue = secret
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    assert secret not in json.dumps(redact_value(value, [secret]))
    assert secret not in redact(json.dumps(value), [secret])


def test_very_deep_values_hold_no_secret() -> None:
    """Nesting deeper than any program can follow hides nothing and raises nothing."""
    text = "[" * 50_000 + f'"{SHAPE}"' + "]" * 50_000
    assert SHAPE not in redact(text)
    value: JsonValue = SHAPE
    for _ in range(5_000):
        value = [value]
    assert SHAPE not in str(redact_value(value))


def _form(value: Any) -> Any:
    """What is left of a value without its scalars and the names of its members."""
    if isinstance(value, dict):
        return [_form(item) for item in value.values()]
    if isinstance(value, list):
        return [_form(item) for item in value]
    return None
