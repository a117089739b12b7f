"""Text from outside is made normal, then masked, then cut, and nothing in it gets past that."""

import unicodedata
from typing import Annotated, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from runbook.outside_text import (
    CUT,
    Outside,
    OutsideFields,
    OutsideName,
    OutsideTexts,
    cut,
    let_in,
    let_in_identity,
    let_in_json,
    let_in_line,
    let_in_name,
    let_in_named,
    normal,
    spelled_out,
)
from runbook.outside_text.markdown import code, inline
from runbook.outside_text.slack import slack, slack_code
from runbook.outside_text.terminal import line_on_terminal
from runbook.redaction import MARK, redact
from runbook.value import Value

KEY = "phx_canary0Q7zX4bV9nM2kL8"
PIECES = st.sampled_from(
    [
        *(
            f" {KEY} ",
            "password=",
            "token: ",
            "Authorization: ",
            "Authorization: Bearer ",
            "Cookie: ",
            "https://",
        ),
        *("user:pw@", "[redacted:phx]", "[redacted:api-key, changed]", "[redacted:", "]", "\u202e", "\u200b"),
        *("\x1b[31m", "\x9b", "\r", "\n", "\u2028", "\ud800", " ", "=", '"', "\\", "#", CUT, "x" * 30),
    ]
)
TEXTS = st.lists(st.text(max_size=12) | PIECES, max_size=8).map("".join)
LIMITS = st.integers(40, 120)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("errors since 10:00", "errors since 10:00"),
        (f"key {KEY} is old", "key [redacted:phx] is old"),
        ("a\r\nb\rc\u2028d\u2029e\x85f\x0bg\x0ch", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("\x1b]0;title\x07\x1b[31mred\x9b2J", "red"),
        ("\x1b[1;31mpass\x1b[0mword=hunter2x", "password=[redacted:password]"),
        (f"{KEY[:14]}\x1b[0m{KEY[14:]}", "[redacted:phx]"),
        (f"{KEY[:14]}\x9b31m{KEY[14:]}", "[redacted:phx]"),
        (f"\x9b{KEY} \x1b[{KEY}", "[redacted:phx] [[redacted:phx]"),
        ("\x1b\x1b[0m[31m lone \x1b", "[31m lone "),
        ("\u202egnp.exe\u202c \u2066x\u2069", "gnp.exe x"),
        ("a\u200bb\u2060c\ufeffd\xade\U000e0041f", "abcdef"),
        (f"{KEY[:8]}\u200b{KEY[8:]}", "[redacted:phx]"),
        (f"{KEY[:8]}\ufe0f{KEY[8:]}", "[redacted:phx]"),
        ("half \ud800 a pair", "half  a pair"),
        ("tab\there", "tab\there"),
    ],
)
def test_a_text_comes_in_normal_and_masked(text: str, inside: str) -> None:
    """What hides or steers is gone before it is masked, so nothing hides a secret from masking."""
    assert let_in(text) == inside


@pytest.mark.parametrize(
    "text",
    [
        "password: |\n  hunter2secretQ9\n  more",
        "token: >-\n  hunter2secretQ9",
        "apiVersion: v1\nkind: Secret\ndata:\n  x: hunter2secretQ9",
        "- name: DB_PASSWORD\n  value: hunter2secretQ9",
    ],
)
def test_a_text_put_on_one_line_is_masked_by_its_lines_too(text: str) -> None:
    """What says that a value is a secret may be how the lines stand."""
    places = (let_in_line, let_in_name, slack, slack_code, inline, code, line_on_terminal)
    for inside in (write(text) for write in places):
        assert "hunter2" not in inside


def test_every_character_that_hides_or_steers_is_known() -> None:
    """Unicode's controls, formats, surrogates and separators of lines, all but tab and line feed."""
    for number in range(0x110000):
        sign = chr(number)
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") and sign not in "\n\t":
            assert sign not in normal(f"a{sign}b"), hex(number)
            assert sign not in spelled_out(sign), hex(number)


@pytest.mark.parametrize(
    ("text", "limit", "inside"),
    [
        ("x" * 10, 10, "x" * 10),
        ("x" * 11, 10, "x" * 9 + CUT),
        (f"{'x' * 30} {KEY}", 40, f"{'x' * 30} {CUT}"),  # the mark would be cut, so it is left out
        (f"see {KEY} {'y' * 40}", 20, f"see [redacted:phx] {CUT}"),
        (f"password={'s' * 400}", 40, "password=[redacted:password]"),
    ],
)
def test_a_text_is_cut_after_it_was_masked(text: str, limit: int, inside: str) -> None:
    """Half a secret has no shape any more, and half a mark is none."""
    assert let_in(text, limit) == inside


@given(text=TEXTS, limit=LIMITS)
def test_what_came_in_comes_in_again_as_it_is(text: str, limit: int) -> None:
    """A record that is read from the journal equals the one that was written."""
    for let in (let_in, let_in_line, let_in_name):
        once = let(text, limit)
        assert let(once, limit) == once, let.__name__
    assert let_in_identity(let_in_identity(text)) == let_in_identity(text)


@given(text=TEXTS, limit=LIMITS)
def test_what_comes_in_is_bounded_masked_and_without_half_a_mark(text: str, limit: int) -> None:
    """Whatever is in it, and wherever it is cut."""
    for let in (let_in, let_in_line, let_in_name):
        inside = let(text, limit)
        assert len(inside) <= limit
        assert normal(inside) == inside
        assert "canary" not in inside
        assert redact(inside) == inside or inside.endswith(CUT)
        if "[redacted:" not in text:
            assert "[redacted:" not in MARK.sub("", inside)


@given(before=TEXTS, after=TEXTS, limit=LIMITS)
def test_a_secret_survives_no_cut(before: str, after: str, limit: int) -> None:
    """Wherever the cut falls, nothing of the secret is left."""
    assert "canary" not in let_in(f"{before} {KEY} {after}", limit)
    assert "canary" not in let_in_name(f"{before} {KEY} {after}", limit)


@given(text=TEXTS, limit=st.integers(1, 60))
def test_a_cut_text_has_no_half_mark(text: str, limit: int) -> None:
    """A mark is there as a whole or not at all."""
    masked = redact(text)
    left = cut(masked, limit)
    assert len(left) <= limit
    if left != masked:
        kept = left.removesuffix(CUT)
        assert masked.startswith(kept)
        assert not any(found.start() < len(kept) < found.end() for found in MARK.finditer(masked))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"svc {KEY}a", f"svc {KEY}b"),
        ("https://bob:one@db/x", "https://bob:two@db/x"),
        ("n" * 300 + "a", "n" * 300 + "b"),
        ("Cookie: a=1", "Cookie: a=2"),
        ("Authorization: x y", "Authorization: x z"),
    ],
)
def test_two_names_stay_two(one: str, other: str) -> None:
    """A service whose name is masked is not taken for another one whose name is masked alike."""
    names = {let_in_name(one), let_in_name(other)}
    assert len(names) == 2
    assert all(len(name) <= 255 for name in names)
    assert {let_in_identity(one), let_in_identity(other)} & {one, other} == set()
    assert len({let_in_identity(one), let_in_identity(other)}) == 2


@given(one=TEXTS, other=TEXTS)
def test_identities_are_as_distinct_as_they_were(one: str, other: str) -> None:
    """Only white space around them makes no difference, nor what is not shown."""
    if normal(one).strip() != normal(other).strip():
        assert let_in_identity(one) != let_in_identity(other)


def test_a_name_that_holds_nothing_is_kept_as_it_is() -> None:
    """Keys that an existing store holds stay what they are."""
    for name in ("posthog-integration", "ops@example.com", "Ärzte & Co. <x>"):
        assert let_in_name(name) == name
        assert let_in_identity(name) == name


def test_json_is_masked_by_names_and_shapes() -> None:
    """Names of members count, and two members whose names are masked alike stay two."""
    value = {
        "password": "hunter2",
        "env": [{"name": "API_KEY", "value": "abc"}],
        "text": f"x {KEY}\x1b[0m",
        f"{KEY}a": 1,
        f"{KEY}b": 2,
        "long": "y" * 5000,
    }
    inside = let_in_json(value)
    assert isinstance(inside, dict)
    assert inside["password"] == "[redacted:password]"
    assert inside["env"] == [{"name": "API_KEY", "value": "[redacted:api-key]"}]
    assert inside["text"] == "x [redacted:phx]"
    assert sorted(item for item in inside.values() if isinstance(item, int)) == [1, 2]
    assert len(str(inside["long"])) == 4000
    assert "canary" not in str(inside)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXTS | st.sampled_from(["name", "value", "kind", "data", "token"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(value=JSON)
@example(value={"Authorization: Bearer ": "Passord=0:0¡0"})
def test_json_that_came_in_comes_in_again_as_it_is(value: Any) -> None:
    """At any depth, with any names."""
    once = let_in_json(value, 60)
    assert let_in_json(once, 60) == once
    assert "canary" not in str(once)


@given(labels=st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_labels_that_came_in_come_in_again_as_they_are(labels: dict[str, str]) -> None:
    """And none is lost because another is masked alike."""
    once = let_in_named(labels, name_limit=60, limit=80)
    assert let_in_named(once, name_limit=60, limit=80) == once
    assert len(once) == len({let_in_name(name, 60) for name in labels})


class Note(Value):
    """A record with text from outside."""

    by: OutsideName
    text: Annotated[str, Outside(60)]
    labels: OutsideTexts = {}
    facts: OutsideFields = {}
    count: int = 0


def test_making_a_record_takes_its_texts_in() -> None:
    """So does a copy with another text: there is no way around the door."""
    note = Note(by=f"bob {KEY}", text=KEY, labels={"token": "abc"}, facts={"x": [KEY]})
    assert "canary" not in note.model_dump_json()
    assert note.labels == {"token": "[redacted:token]"}
    changed = note.model_copy(update={"text": f"{KEY} again", "facts": {"y": KEY}})
    assert (changed.text, changed.facts) == ("[redacted:phx] again", {"y": "[redacted:phx]"})
    assert changed.by == note.by
    assert Note.model_validate_json(changed.model_dump_json()) == changed


def test_a_copy_is_checked_as_a_record_is() -> None:
    """A value of the wrong type cannot slip in by a copy, and only what was given counts as given."""
    note = Note(by="ana", text="x")
    with pytest.raises(ValidationError):
        note.model_copy(update={"count": "many"})
    assert note.model_copy(update={"count": 2}).model_fields_set == {"by", "text", "count"}


def test_an_error_of_a_record_quotes_nothing() -> None:
    """Half a token in a message of pydantic's would be no token to masking any more."""
    with pytest.raises(ValidationError) as refused:
        Note.model_validate({"by": "ana", "text": "x", "count": KEY})
    assert "count" in str(refused.value)
    assert KEY[:6] not in str(refused.value)
