"""Every secret that this environment knows, so that it can be masked wherever text leaves the runbook."""

import dataclasses
from collections.abc import Iterator

from prefect.blocks.core import Block
from pydantic import SecretStr

from blocks.environment import Environment
from blocks.secret import read_secret
from blocks.transport.credentials import Credentials
from blocks.transport.errors import OutsideError
from runbook.redaction import Redactor
from runbook.transport.addresses import password_in


async def redactor(environment: Environment, *, personal: bool = True) -> Redactor:
    """Masks the secrets of all blocks, the integration's key in the cluster and its replacement.

    Hosts of the settings stay readable, also where they are public addresses. Where the key in the cluster
    cannot be read, its shape still gives it away. Without `personal`, addresses of people stay, by which
    those who answered are known.
    """
    own = (getattr(environment, field.name) for field in dataclasses.fields(environment))
    blocks = [*(block for block in own if isinstance(block, Block)), *environment.more_blocks]
    secrets = [secret for block in blocks for secret in _secrets_of(block)]
    secrets += _secrets_in(environment.store.url)
    urls = [url for block in blocks for url in _urls_of(block)]
    try:
        key = await environment.cluster.secret.read_api_key()
    except OutsideError:
        key = None
    if key is not None:
        secrets.append(key.get_secret_value())
    replacement = await read_secret(environment.runbook_policy.policy.replacement_key_block)
    if replacement is not None:
        secrets.append(replacement.get_secret_value())
    return Redactor(secrets, hosts=urls, personal=personal)


def _secrets_of(block: Block) -> Iterator[str]:
    """The block's secrets, and the password of an address that is one as a whole."""
    for name in type(block).model_fields:
        value = getattr(block, name)
        if isinstance(value, SecretStr):
            yield from _secrets_in(value)
    if isinstance(block, Credentials):
        yield from block.secret_values()


def _secrets_in(value: SecretStr) -> tuple[str, str]:
    return value.get_secret_value(), password_in(value.get_secret_value())


def _urls_of(block: Block) -> Iterator[str]:
    for name in type(block).model_fields:
        value = getattr(block, name)
        if isinstance(value, str) and "://" in value:
            yield value
