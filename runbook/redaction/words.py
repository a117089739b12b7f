"""Tell what a value is by its form: a secret, a reference to one, or words about one."""

import re
from functools import lru_cache


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


HARMLESS_VALUES = word_set(
    """
    null none nil undefined true false yes no on off not never missing invalid expired revoked unset
    empty blank unknown incorrect wrong weak strong required optional mandatory given provided present
    absent set valid ok okay denied failed failure error errors enabled disabled enable disable active
    inactive redacted hidden masked filtered removed omitted sensitive protected unauthorized
    unauthorised forbidden rejected refused accepted accepting authenticated unauthenticated
    authentication authorization authorisation unsupported supported malformed mismatch mismatched
    mismatches found created updated deleted rotated rotating changed unchanged refreshed issued stale
    fresh too short long the a an is are was were be been being has have had does do did can cannot
    could should must may might will would this that these those it its your you we our they their his
    her my for from in of at by to with without and or but if when while because since as so please
    unable couldn't can't isn't doesn't wasn't hasn't api key keys token tokens secret secrets password
    passwords passphrase credential credentials cookie cookies header headers user users username login
    account only also still already again check checking use used using unused exists exist default
    string str bytes int integer number float bool boolean object array text secretstr secretbytes any
    optional[str] self include same-origin omit basic bearer digest anonymous oauth oauth2 oidc saml
    ldap sso mtls iam kerberos ntlm plain md5 scram scram-sha-256 scram-sha-512 trust peer prompt
    success succeeded successful pending external vault unspecified n/a na todo tbd changeme_placeholder
    read write loading loaded reload reloaded lax strict session await    return yield
    raise     pass api_key apikey secret_key access_token access_key client_secret
    private_key auth_token passwd pwd field fields value values type types more most less than least
    about expected reset &str &'static
    unexpected got actual received near before after beginning reason reasons
    """
)
"""Words after a label that tell about a secret or its type: masking them would hide an incident's cause."""

_ENDS = " \t.,;:!?)(]['\"`|>-"

_REFERENCE = re.compile(
    r"\$[A-Z_][A-Z0-9_]*|\$\d{1,3}|:[a-z_]+|\$\{[^{}:]*\}|\$\([^()]*\)|\{\{.*\}\}|\$?%\(\w+\)[sdr]|%[sdvqrT]|%[+#]v|%[A-Z_]{2,}%|\*[A-Za-z_]\w*"
    r"|<[^<>0-9]*>|<[^<>]* [^<>]*>|[*•.…_\-·?]+|[xX]{4,}|\*{3,}[^\s*]{0,4}|[^\s*]{0,4}\*{3,}|0x0"
    r"|/(?:run|var|etc|home|opt|tmp|usr|mnt|secrets?|root|app|srv|proc|dev)(?:/[\w.@+-]+)+/?|file://\S*"
    r"|op://\S+|vault:[\w./#-]+|arn:aws[\w-]*:[\w./:-]+|projects/[\w-]+/secrets/[\w./-]+|@Microsoft\.KeyVault\(.*\)"
    r"|(?:self|settings|config|cfg|conf|os|env|environ|process\.env|this|request|req|args|options|opts|params|kwargs"
    r"|values|Values|var|local|secrets)(?:\.[A-Za-z_]\w*)+|\d+ ?bytes"
)
"""What stands for a value that is somewhere else, or for one that was hidden already."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_POINTER = re.compile(r"0x[0-9a-fA-F]{1,16}")
_SEGMENTS = re.compile(r"[^A-Za-z0-9]+")
_PLAIN = re.compile(
    r"v?\d+|\d+[a-z]{1,3}|[a-z]{1,3}\d{1,3}|[a-z]+|[A-Z]+|[A-Z][a-z]+|x86|utf8|sha\d+|md5|base64|oauth2|http2|ipv[46]|s3"
)
"""Parts of names, versions, times and sizes."""
_NEW_KIND = re.compile(r"(?<=[a-z])[A-Z]|(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]|(?<=[A-Z]{2})[a-z]")
_ODD = re.compile(r"(?=.*[A-Za-z])(?=.*[!#$%^&*@~+=])[^\s/]{6,}")


_SENTENCE = 4
"""So many words are a sentence, if half of them are known."""


@lru_cache(maxsize=4096)
def is_harmless(value: str) -> bool:
    """Whether a value is about a secret, and not a secret itself: `missing`, `API key invalid`, `***`."""
    if value.lower() in HARMLESS_VALUES:
        return True
    bare = value.strip(_ENDS)
    if not bare or _REFERENCE.fullmatch(value.strip()):
        return True
    if len(bare) > 200:
        return False
    words = [word for word in (word.strip(_ENDS) for word in bare.lower().split()) if word]
    known = sum(word in HARMLESS_VALUES for word in words)
    if known == len(words):
        return True
    return len(words) >= _SENTENCE and known * 2 >= len(words) and not any(map(looks_secret, words))


@lru_cache(maxsize=4096)
def looks_secret(value: str) -> bool:
    """Whether a value looks generated or chosen as a password, and not like a name, path, date or id."""
    if len(value) < 4 or _UUID.fullmatch(value):
        return False
    if value.isdigit() or _POINTER.fullmatch(value):
        return False
    segments = [segment for segment in _SEGMENTS.split(value) if segment]
    for segment in segments:
        if len(segment) >= 6 and not _PLAIN.fullmatch(segment) and _is_mixed(segment):
            return True
    return "://" not in value and len(segments) <= 3 and _ODD.fullmatch(value) is not None


def _is_mixed(segment: str) -> bool:
    has_digit = any(letter.isdigit() for letter in segment)
    has_letter = any(letter.isalpha() for letter in segment)
    if has_digit and has_letter:
        return True
    changes = len(_NEW_KIND.findall(segment))
    return has_letter and len(segment) >= 16 and changes * 4 >= len(segment)
