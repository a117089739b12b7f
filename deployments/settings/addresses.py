"""Secrets in plain addresses: refused, with the way to say them as references.

An address is shown to people: in findings, errors, the paper runbook, Prefect's UI. So a setting that is not
secret as a whole may hold neither a user or password nor a token among its parameters.
"""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from deployments.settings.secrets import REFERENCE, Unusable
from runbook.transport.addresses import SecretPart, secret_part

_BY_REFERENCE = REFERENCE.removeprefix("write a reference, ")
_ADDRESS_NAME = re.compile(r"(?:^|_)(?:urls?|proxy|host)$")
_USER_ALLOWED = frozenset({"store.url"})
"""A database's user alone is no secret: the server may know the client by its socket or certificate."""

_CREDENTIAL_ELSEWHERE = {"self_watch.receiver_url": "[receiver.self_watch] token"}


def refuse_secrets(value: Any, key: str, kind: type[BaseModel]) -> None:
    """Do nothing if no address in a setting of this section's model holds a secret.

    Raises:
        Unusable: one does.
    """
    for text in _texts(value):
        if part := secret_part(text, is_address=_is_address(key)):
            raise Unusable(*_mistake(part, key, kind))


def secret_in_address(text: str, key: str) -> SecretPart | None:
    """What of an address that may be secret as a whole makes it so; None where it may stand in the file."""
    part = secret_part(text, is_address=True)
    return None if part is SecretPart.USER and key in _USER_ALLOWED else part


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, the names within tables too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _is_address(key: str) -> bool:
    names = [name for name in key.split(".") if not name.isdigit()]
    return bool(_ADDRESS_NAME.search(names[-1]))


def _mistake(part: SecretPart, key: str, kind: type[BaseModel]) -> tuple[str, str]:
    cause = {
        SecretPart.PASSWORD: "it contains a password in this file",
        SecretPart.USER: "it contains a user name or a token in this file",
        SecretPart.PARAMETER: "it contains a secret in its parameters in this file",
        SecretPart.PATH: "it contains a secret in its path in this file",
    }[part]
    return cause, f"write the address without it; {_instead(part, key, kind)}"


def _instead(part: SecretPart, key: str, kind: type[BaseModel]) -> str:
    """How the section says the same by reference."""
    fields = kind.model_fields
    section = key.partition(".")[0]
    where = f"in [{section}]"
    if "credentials" in fields and re.search(r"_urls(?:\.\d+)?$", key):
        where = f'in [{section}], or for another host in [{section}.credentials."https://host"],'
    if {"username", "password", "headers"} <= fields.keys():
        if part in (SecretPart.PASSWORD, SecretPart.USER):
            return f'{where} set username = "NAME" and password = {_BY_REFERENCE}'
        return f'{where} set headers = {{ NAME = {{ env = "NAME" }} }}, if the server accepts it'
    own = next((name for name in ("token", "api_key", "routing_key") if name in fields), "")
    credential = _CREDENTIAL_ELSEWHERE.get(key) or (f"[{section}] {own}" if own else "")
    if credential:
        return f"the credential for it is {credential}, {_BY_REFERENCE}"
    return f"write the secret as {_BY_REFERENCE}, in the setting for it"
