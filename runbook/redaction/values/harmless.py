"""Tell values under a secret name that are not secrets, such as words about the secret."""

import re

from runbook.redaction.names import SecretName, secret_name
from runbook.redaction.words import is_harmless, looks_secret

_NAME = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)*")
_DOTTED = re.compile(r"[A-Za-z_]+(?:\.[A-Za-z_]+)+")
_EXPRESSION = re.compile(r"\{[a-z_]\w*[.(\[].*\}")
_FIGURE = re.compile(r"-?(\d+)(?:[/%][\d %]*|\.\d+)?")
_DELIVERY_STATUS = re.compile(r"\d\.\d{1,3}\.\d{1,3}")
_PATH = re.compile(r"[/~.]|[A-Za-z]:[\\/]")


def stays(value: str, secret: SecretName) -> bool:
    """Whether a value under a secret name is not secret: a word about it, a reference, a figure, a path."""
    bare = value.strip()
    if is_harmless(value) or refers(bare):
        return True
    if not secret.certain:
        return not looks_secret(bare)
    if secret.figures:
        figure = _FIGURE.fullmatch(bare)
        if figure and len(figure[1]) <= secret.figures:
            return True
        if secret.kind in ("pin", "otp") and not figure and not looks_secret(bare):
            return True
    if secret.kind == "dsn" and _DELIVERY_STATUS.fullmatch(bare):
        return True
    return secret.kind == "pwd" and _PATH.match(bare) is not None


def refers(text: str) -> bool:
    """Whether it is a template or an attribute in source code, whose value is somewhere else."""
    if _DOTTED.fullmatch(text):
        return secret_name(text.rpartition(".")[2]) is not None
    if text[:1] == "{" and names_a_secret(text[1:-1]):
        return True
    return is_harmless(text) or _EXPRESSION.fullmatch(text) is not None


def names_a_secret(text: str) -> bool:
    """Whether a text is the name of a secret, as in the template `{api_key}`."""
    return _NAME.fullmatch(text) is not None and secret_name(text) is not None
