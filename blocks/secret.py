"""Values that people keep in Prefect's own `Secret` blocks."""

from typing import Any

from prefect.blocks.system import Secret
from pydantic import SecretStr


async def read_secret(name: str) -> SecretStr | None:
    """The value of a Secret block, `None` where there is no block of this name."""
    try:
        block: Secret[Any] = await Secret.aload(name)
    except ValueError:
        return None  # Prefect's way to say that there is no such document
    return SecretStr(str(block.get()))
