"""All secrets that stand apart from what says that they are secrets."""

from collections.abc import Iterator

from runbook.redaction.apart.logins import ASKED, find_answers, find_in_logins
from runbook.redaction.apart.passphrases import find_passphrases
from runbook.redaction.apart.patches import find_in_patches
from runbook.redaction.apart.sql_parameters import find_sql_parameters
from runbook.redaction.marks import Span


def find_across(text: str) -> Iterator[Span]:
    """Secrets in a document that only the text before it reveals. Search for them first."""
    if "patch" in text:
        yield from find_in_patches(text)
    if ASKED in text:
        yield from find_answers(text)
    if "?" in text or "%s" in text or ":1" in text or "@p" in text:
        yield from find_sql_parameters(text)


def find_apart(text: str) -> Iterator[Span]:
    """Passwords of several words, and of a login that a sentence tells."""
    yield from find_passphrases(text)
    yield from find_in_logins(text)
