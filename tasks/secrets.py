"""Every secret that this environment knows, so that it can be masked wherever text leaves the runbook."""

import dataclasses

from prefect.blocks.core import Block
from pydantic import SecretStr

from blocks.environment import Environment
from blocks.errors import OutsideError
from blocks.secret import read_secret
from runbook.redaction import Redactor


async def redactor(environment: Environment) -> Redactor:
    """Masks the secrets of all blocks, the integration's key in the cluster and its replacement.

    Hosts of the settings stay readable, also where they are public addresses. Where the key in the cluster
    cannot be read, its shape still gives it away.
    """
    settings = [
        getattr(block, name)
        for field in dataclasses.fields(environment)
        if isinstance(block := getattr(environment, field.name), Block)
        for name in type(block).model_fields
    ]
    secrets = [value.get_secret_value() for value in settings if isinstance(value, SecretStr)]
    urls = [value for value in settings if isinstance(value, str) and "://" in value]
    try:
        key = await environment.cluster.read_api_key()
    except OutsideError:
        key = None
    if key is not None:
        secrets.append(key.get_secret_value())
    replacement = await read_secret(environment.runbook_policy.policy.replacement_key_block)
    if replacement is not None:
        secrets.append(replacement.get_secret_value())
    return Redactor(secrets, hosts=urls)
