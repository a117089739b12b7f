"""By what a public text is known again, where its page has no place for a mark."""

from hashlib import sha256

from runbook.outside_text.plain import plain


def text_digest(text: str) -> str:
    """The same for a text as it is sent and as the page gives it back, whatever became of its white space."""
    return sha256(" ".join(plain(text).split()).encode()).hexdigest()
