"""Names of people as they are written: normal forms, look-alikes, and names that hide what they are."""

import unicodedata

MAX_NAME = 100
"""Characters of a name."""


def tidy(name: str) -> str:
    """The name as it is kept: compatibility forms replaced (NFKC), white space as single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


def spelling(name: str) -> str:
    """The same for two spellings that differ in case, white space or compatibility forms only."""
    return tidy(unicodedata.normalize("NFKC", tidy(name).casefold()).casefold())


def likeness(name: str) -> str:
    """The same for all names that look the same.

    Accents, invisible characters, white space and look-alike letters of other scripts make no difference.
    """
    letters = unicodedata.normalize("NFKD", spelling(name)).translate(LOOK_ALIKES).casefold()
    kept, script = [], ""
    for sign in letters:
        category = unicodedata.category(sign)
        accent = category == "Mn" and script not in _WITH_VOWEL_SIGNS
        if accent or category in _INVISIBLE or sign in _BLANKS:
            continue
        kept.append(sign)
        script = _script(sign) if category.startswith("L") else script
    return "".join(kept)


_INVISIBLE = frozenset({"Me", "Cf", "Cc", "Zs", "Zl", "Zp"})
_BLANKS = frozenset(
    "\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Letters, marks and a symbol that show nothing."""

LOOK_ALIKES = str.maketrans(
    # Cyrillic, Greek, Armenian and Latin letters in lower case; where only the capitals are alike, by those.
    "авгеһнијкмопрстухѕіѵԁԛԝүӏ" + "αβγεηικμνορτυχωϲϳ" + "օոսհյցզլ" + "ıĸ",
    "abrehhujkmonpctyxsivdqwyl" + "abyenikmvoptuxwcj" + "onuhjgql" + "ik",
)


def name_flaw(name: str) -> str | None:
    """Why this name cannot be used for an answer; `None` if it can.

    A name that shows other letters than it has could pass for another person's.
    """
    if any(unicodedata.category(sign) in ("Cf", "Cc", "Co", "Cs", "Cn") for sign in " ".join(name.split())):
        return "it has invisible characters"
    kept = tidy(name)
    if not kept:
        return "it is empty"
    if len(kept) > MAX_NAME:
        return f"it is longer than {MAX_NAME} characters"
    if kept.casefold().startswith("policy:"):
        return "names that begin with policy: are the configuration's own"
    if strange := next((sign for sign in kept if not _is_plain(sign)), None):
        return f"it has the character {_named(strange)}: write it with letters, digits and plain punctuation"
    scripts = {_script(sign) for sign in kept if sign.isalpha()}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        mixed = " and ".join(sorted(script.title() for script in scripts))
        return f"it mixes {mixed} letters: write it in one script"
    if not scripts & _WITH_VOWEL_SIGNS and any(unicodedata.category(sign) == "Mn" for sign in kept):
        return "it has marks on letters that do not take them"
    return None if any(sign.isalnum() for sign in kept) else "it has neither a letter nor a digit"


_SCRIPTS = frozenset(
    {
        *(
            "ARABIC",
            "ARMENIAN",
            "BENGALI",
            "BOPOMOFO",
            "CJK",
            "CYRILLIC",
            "DEVANAGARI",
            "ETHIOPIC",
            "GEORGIAN",
        ),
        *(
            "GREEK",
            "GUJARATI",
            "GURMUKHI",
            "HANGUL",
            "HEBREW",
            "HIRAGANA",
            "KANNADA",
            "KATAKANA",
            "KHMER",
            "LAO",
        ),
        *(
            "LATIN",
            "MALAYALAM",
            "MYANMAR",
            "ORIYA",
            "SINHALA",
            "TAMIL",
            "TELUGU",
            "THAANA",
            "THAI",
            "TIBETAN",
        ),
    }
)
"""The scripts that Unicode recommends for identifiers (UAX 31), by the first word of their letters' names."""

_COMPOSED = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "GEORGIAN"})
"""Scripts whose accented letters are characters of their own after NFKC."""

_WITH_VOWEL_SIGNS = _SCRIPTS - _COMPOSED - {"ARABIC", "HEBREW", "CJK", "HANGUL"}
"""Scripts whose marks are not accents but vowels, or parts of letters."""

_TOGETHER = (
    frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"CJK", "HANGUL"}),
    frozenset({"CJK", "BOPOMOFO"}),
)
"""Scripts that names are written in together."""

_LATIN_TOO = frozenset("əɓɗƙƴɛɔ")
"""Latin letters of living languages beyond U+017F; what else is there are letters of phonetics."""

_LATIN_END = 0x0180


def _is_plain(sign: str) -> bool:
    category = unicodedata.category(sign)
    if sign.isascii():
        return sign.isprintable()
    if category in ("Mn", "Mc", "Nd"):
        return True
    if not category.startswith("L") or sign in _BLANKS:
        return False
    script = _script(sign)
    base = unicodedata.normalize("NFKD", sign.casefold())[0]
    return script in _SCRIPTS and (script != "LATIN" or ord(base) < _LATIN_END or base in _LATIN_TOO)


def _script(sign: str) -> str:
    word = unicodedata.name(sign, "").partition(" ")[0]
    return {"IDEOGRAPHIC": "CJK", "KATAKANA-HIRAGANA": "KATAKANA"}.get(word, word)


def _named(sign: str) -> str:
    return f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".rstrip()
