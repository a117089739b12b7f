"""How a public text is read, whatever it is written with: the same words in plain letters and plain dots.

Who reads a page sees no markup, no encoding and no difference between letters that look alike; neither must
what looks for words that no public text may have. Each reading is searched, so none has to be right alone.
"""

import html
import re
import unicodedata
from urllib.parse import unquote

from runbook.approvals.names import LOOK_ALIKES, likeness
from runbook.outside_text.normal import normal

_CAPITALS = str.maketrans(
    # Cyrillic, then Greek.
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
    "\u04c0\u050c\u051a\u051c\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03f9",
    "ABESIJKMHOPCTYXIGQWABEZHIKMNOPTYXC",
)
_SMALL_CAPITALS = str.maketrans(
    "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f\u1d0d"
    "\u0274\u1d0f\u1d18\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22",
    "abcdefghijklmnoprstuvwyz",
)
_DOTS = str.maketrans("\u3002\u2024\u2027\u00b7\u2022\u2219\u22c5", ".......")
_ALIKE = str.maketrans("1i|0", "lllo")

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MARKS = re.compile(r"[*_~`\\]+")
_PUNYCODE = re.compile(r"xn--[a-z0-9-]{1,59}", re.IGNORECASE)
_DEFANGED = re.compile(
    r"\s?[\[({<]\s?(?:\.|dot)\s?[\])}>]\s?|(?<=\w)\s{1,2}(?:dot|\.)\s{1,2}(?=\w)", re.IGNORECASE
)
_BETWEEN = r"[\W_]*"
_LAYERS = 3
"""How often something may be encoded."""


def readings(text: str) -> tuple[str, ...]:
    """The text as it stands, with what is encoded spelled out, and without markup; each only once.

    The first is what is published, without what is not shown.
    """
    shown = plain(text)
    spelled = _spelled_out(shown)
    bare = _DEFANGED.sub(".", _MARKS.sub("", _COMMENT.sub("", spelled)))
    return tuple(dict.fromkeys((shown, *map(_in_plain_letters, (shown, spelled, bare)))))


def word_pattern(words: str) -> str:
    """A pattern that finds these words in a `skeleton`, however they are put together."""
    kept = (re.escape(skeleton(word)) for word in plain(words).split())
    return rf"(?<![^\W_]){_BETWEEN.join(kept)}(?![^\W_])"


def skeleton(text: str) -> str:
    """The same for all texts that look the same; what stands between words stays between them."""
    alike = (likeness(part) if part.strip() else part for part in re.split(r"(\s+)", text))
    return "".join(alike).translate(_SMALL_CAPITALS).translate(_ALIKE).replace("rn", "m").replace("vv", "w")


def plain(text: str) -> str:
    """The text without what is not shown, as it is in the journal, and with plain letters for wide ones."""
    return unicodedata.normalize("NFKC", normal(text))


def _spelled_out(text: str) -> str:
    for _ in range(_LAYERS):
        before, text = text, plain(html.unescape(unquote(text)))
        if text == before:
            break
    return _PUNYCODE.sub(_from_punycode, text)


def _from_punycode(found: re.Match[str]) -> str:
    try:
        return found.group()[len("xn--") :].encode("ascii").decode("punycode")
    except (UnicodeError, OverflowError):
        return found.group()


def _in_plain_letters(text: str) -> str:
    text = text.translate(_DOTS).translate(_CAPITALS).translate(_SMALL_CAPITALS).translate(LOOK_ALIKES)
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
