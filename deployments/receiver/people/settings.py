"""How the receiver keeps what people prove themselves with: hashes of their tokens, and its own key."""

from hashlib import sha256

from pydantic import SecretStr

from deployments.settings.signing_key import KeyUnusable, private_key
from runbook.approvals.names import name_flaw
from runbook.approvals.signatures import public_text

TOKEN_LETTERS = 32
"""The fewest letters of a token: its hash is neither salted nor slow, so it must not be guessable."""


def hashed(people: dict[str, list[SecretStr]]) -> dict[str, list[SecretStr]]:
    """What is kept of people's tokens.

    Raises:
        ValueError: a name cannot be used, a token is too short, or two people have the same one; the
            text has nothing of it.
    """
    kept = {name: _hashes(name, tokens) for name, tokens in people.items()}
    owners: dict[str, str] = {}
    for name, hashes in kept.items():
        for known in hashes:
            if owners.setdefault(known.get_secret_value(), name) != name:
                raise ValueError(f"{name} and {owners[known.get_secret_value()]} have the same token")
    return kept


def _hashes(name: str, tokens: list[SecretStr]) -> list[SecretStr]:
    if flaw := name_flaw(name):
        raise ValueError(f"nobody can answer as {name!a}: {flaw}")
    if any(len(token.get_secret_value()) < TOKEN_LETTERS for token in tokens):
        raise ValueError(
            f"a token of {name} is shorter than {TOKEN_LETTERS} characters (`openssl rand -hex 32`)"
        )
    return [SecretStr(hash_of(token.get_secret_value().encode())) for token in tokens]


def hash_of(token: bytes) -> str:
    """Enough to recognise a token, and nothing to show it with."""
    return sha256(token).hexdigest()


def public_part(key: SecretStr) -> str:
    """The public key of a private one.

    Raises:
        ValueError: it is none; the text has nothing of it.
    """
    try:
        return public_text(private_key(key.get_secret_value().encode()).public_key())
    except KeyUnusable as error:
        raise ValueError(f"{error.problem}: {error.next_step}") from None
