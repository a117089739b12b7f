"""Which names are those of credentials, of headers and of a URL's parameters alike.

On the safe side: a value whose name looks like a credential's is taken for one.
"""

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_OF = "api|app|access|auth|user|client|secret|private|service|routing|integration|subscription|shared|session"
_CREDENTIAL = re.compile(
    rf"(?:{_OF})?(?:tokens?|keys?|secrets?|passwords?)|pass(?:wd|phrase|code)?|pwd"
    r"|sig|signature|hmac|auth|authorization|authentication|credentials?|jwt|bearer|cookies?|session|sid"
)


def names_credential(name: str) -> bool:
    """Whether a word in a name is a credential's: `X-Api-Key`, `access_token`, `X-Amz-Signature`."""
    return any(_CREDENTIAL.fullmatch(word.lower()) for word in _WORD.findall(name))
