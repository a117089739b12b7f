"""Names: which spellings are one person, who may under which, and which nobody can answer under."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.approvals.names import likeness, name_flaw, spelling, tidy
from runbook.approvals.people import Person, counted_as, is_one_of, known_as, people_flaw

ALIKE = [
    ("ana", "Ana"),
    ("ana", " ana\n"),
    ("ana lee", "ana\N{NO-BREAK SPACE} lee"),
    ("ana lee", "analee"),
    ("ana", "\N{FULLWIDTH LATIN SMALL LETTER A}na"),
    ("fiona", "\N{LATIN SMALL LIGATURE FI}ona"),
    ("alice", "\N{MATHEMATICAL BOLD SMALL A}lice"),
    ("ana", "a\N{ZERO WIDTH SPACE}na"),
    ("ana", "an\N{SOFT HYPHEN}a"),
    ("ana", "ana\N{VARIATION SELECTOR-16}"),
    ("ana", "\N{RIGHT-TO-LEFT OVERRIDE}ana"),
    ("ana", "\N{CYRILLIC SMALL LETTER A}na"),
    ("copa", "\u0441\u043e\u0440\u0430"),  # all of it Cyrillic
    ("ao", "\N{GREEK SMALL LETTER ALPHA}\N{GREEK SMALL LETTER OMICRON}"),
    ("bob", "\N{GREEK CAPITAL LETTER BETA}ob"),
    ("hugo", "\N{CYRILLIC CAPITAL LETTER EN}ugo"),
    ("ali", "al\N{LATIN SMALL LETTER DOTLESS I}"),
    ("ali", "AL\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"),
    ("jose", "jos\N{LATIN SMALL LETTER E WITH ACUTE}"),
    ("josé", "jose\N{COMBINING ACUTE ACCENT}"),
]


@pytest.mark.parametrize(("name", "other"), ALIKE)
def test_spellings_that_look_alike_count_as_one_person(name: str, other: str) -> None:
    """Case, white space, compatibility forms, hidden characters and look-alike letters make nobody else."""
    assert likeness(name) == likeness(other)
    assert counted_as(name, {}) == counted_as(other, {})


@pytest.mark.parametrize(
    ("name", "other"),
    [("ana", "anna"), ("bob1", "bob2"), ("neil", "nell"), ("李小龍", "李大龍"), ("अनु", "अनि"), ("กิ", "กุ")],
)
def test_different_names_count_as_two_people(name: str, other: str) -> None:
    """The vowels of scripts that write them as marks are no accents."""
    assert likeness(name) != likeness(other)


@pytest.mark.parametrize(
    "name",
    [
        *("ana", "Ana Lee", "José García", "Əli", "Nguyễn Văn", "李小龍", "佐々木さん", "김철수", "अनिता"),
        *("Αλέξης", "Иван", "ann@example.com", "auth0|123", "CORP\\ana", "O'Brien", "uid 4711", "d'Arc-2"),
        "\N{FULLWIDTH LATIN SMALL LETTER A}na",
    ],
)
def test_names_of_people_are_names(name: str) -> None:
    """Accounts, addresses and the scripts of living languages."""
    assert name_flaw(name) is None


@pytest.mark.parametrize(
    ("name", "flaw"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("--", "neither a letter nor a digit"),
        ("a" * 101, "longer than 100 characters"),
        ("a\N{ZERO WIDTH SPACE}na", "invisible characters"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}ana", "invisible characters"),
        ("a\x1bna", "invisible characters"),
        ("a\x00na", "invisible characters"),
        ("\ue000na", "invisible characters"),
        ("\ud800na", "invisible characters"),
        ("ana\N{HANGUL FILLER}", "U+1160 HANGUL JUNGSEONG FILLER"),
        ("ana\N{BRAILLE PATTERN BLANK}", "U+2800"),
        ("\N{CYRILLIC SMALL LETTER A}na", "it mixes Cyrillic and Latin letters"),
        ("b\N{GREEK SMALL LETTER OMICRON}b", "it mixes Greek and Latin letters"),
        ("\N{LATIN LETTER SMALL CAPITAL A}na", "U+1D00 LATIN LETTER SMALL CAPITAL A"),
        ("\N{CHEROKEE LETTER GO}na", "CHEROKEE"),
        ("ana\N{COMBINING LOW LINE}", "marks on letters"),
        ("ana\N{VARIATION SELECTOR-16}", "marks on letters"),
        ("ana✔", "U+2714"),
        ("policy:preapproved", "the configuration's own"),
        ("Policy:x", "the configuration's own"),
    ],
)
def test_nobody_answers_under_a_name_that_shows_what_it_is_not(name: str, flaw: str) -> None:
    """The words say what is wrong with it."""
    said = name_flaw(name)
    assert said is not None
    assert flaw in said


PEOPLE = {
    "alice": Person(logins=("al", "alice@example.com")),
    "bob": Person(logins=("bobby",)),
}


@pytest.mark.parametrize(
    "login", ["al", "AL", "alice@example.com", " Alice ", "\N{FULLWIDTH LATIN SMALL LETTER A}l"]
)
def test_a_login_is_its_person(login: str) -> None:
    """The same person through two doors is one."""
    assert known_as(login, PEOPLE) == "alice"
    assert is_one_of(login, ("alice",), PEOPLE)
    assert is_one_of("alice", (login,), PEOPLE)
    assert counted_as(login, PEOPLE) == counted_as("alice", PEOPLE) != counted_as("bobby", PEOPLE)


@pytest.mark.parametrize("name", ["\N{CYRILLIC SMALL LETTER A}lice", "alicé", "a\N{ZERO WIDTH SPACE}l"])
def test_a_look_alike_gets_nobodys_rights_and_counts_as_them(name: str) -> None:
    """What may be done goes by the exact name; who counts twice does not."""
    assert not is_one_of(name, ("alice",), PEOPLE)
    assert counted_as(name, PEOPLE) == counted_as("alice", PEOPLE)


@pytest.mark.parametrize(
    ("people", "flaw"),
    [
        ({"alice": Person(), "Alice": Person()}, "Alice and alice could both be 'Alice'"),
        (
            {"alice": Person(logins=("al",)), "bob": Person(logins=("AL",))},
            "bob and alice could both be 'AL'",
        ),
        ({"alice": Person(), "bob": Person(logins=("alice",))}, "bob and alice could both be 'alice'"),
        ({"alice": Person(), "alicé": Person()}, "alicé and alice"),
        ({"\N{CYRILLIC SMALL LETTER A}lice": Person()}, "it mixes Cyrillic and Latin letters"),
        ({"alice": Person(logins=("a\u200bl",))}, "invisible characters"),
    ],
)
def test_people_who_could_pass_for_one_another_are_refused(people: dict[str, Person], flaw: str) -> None:
    """An alias belongs to one person."""
    said = people_flaw(people)
    assert said is not None
    assert flaw in said
    assert people_flaw(PEOPLE) is None


NAMES = st.text(st.characters(codec="utf-8"), max_size=12)
LATIN = st.text(st.sampled_from("abcdehijklmnopqstuvwxyz0123456789.-@ éñİß"), min_size=1, max_size=12)
DISGUISES = {
    "a": "aAа\uff41\U0001d41aα",  # noqa: RUF001  look-alikes, on purpose
    "e": "eEе\uff45é",  # noqa: RUF001
    "o": "oOоοօ\uff4f",  # noqa: RUF001
    "c": "cCс\uff43",  # noqa: RUF001
    "p": "pPрρ",  # noqa: RUF001
    "x": "xXхχ",  # noqa: RUF001
    "i": "iIіıİ",  # noqa: RUF001
    " ": " \u00a0\u2003\t",
}
INVISIBLE = ("", "", "", "\u200b", "\u00ad", "\ufe0f", " ", "\u0301", "\u2060")


@st.composite
def disguised(draw: st.DrawFn) -> tuple[str, str]:
    """A name and another spelling of it."""
    name = draw(LATIN)
    letters = (
        draw(st.sampled_from(DISGUISES.get(sign, sign))) + draw(st.sampled_from(INVISIBLE)) for sign in name
    )
    return name, draw(st.sampled_from(["", " "])) + "".join(letters)


@given(disguised())
def test_no_disguise_of_a_name_counts_as_somebody_else(pair: tuple[str, str]) -> None:
    """Whatever letters, case, white space and invisible characters it is written with."""
    name, other = pair
    assert likeness(name) == likeness(other)
    assert counted_as(other, PEOPLE) == counted_as(name, PEOPLE)


@given(NAMES)
def test_what_a_name_counts_as_does_not_depend_on_how_it_is_kept(name: str) -> None:
    """Normalising twice, or an already normalised name, changes nothing; exact spellings are alike too."""
    assert tidy(tidy(name)) == tidy(name)
    assert spelling(spelling(name)) == spelling(name) == spelling(tidy(name))
    assert likeness(likeness(name)) == likeness(name)
    assert likeness(spelling(name)) == likeness(tidy(name)) == likeness(name)
    assert name_flaw(tidy(name)) == name_flaw(name)


@given(NAMES)
def test_a_name_that_is_let_through_shows_all_that_it_has(name: str) -> None:
    """No control, format or unassigned character is in it, and no letters of two scripts that look alike."""
    if name_flaw(name) is None:
        assert not any(unicodedata.category(sign) in ("Cf", "Cc", "Co", "Cs", "Cn") for sign in tidy(name))
        assert spelling(name)
