"""What a block offers that was made for one check."""

from typing import Any, Protocol, runtime_checkable

from runbook.checks.spec import AnyCheck


@runtime_checkable
class Reader(Protocol):
    """Reads what its check judges."""

    @property
    def check(self) -> AnyCheck:
        """The check; a class attribute of the block."""

    async def read(self) -> Any:
        """A reading, as the check's `judge` takes it.

        Raises:
            OutsideError: the system did not give one. Only `Unavailable` is tried again.
        """
