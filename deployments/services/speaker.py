"""Who is acting: their name, how that is known, and the key that vouches for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from runbook.approvals.identity import Identity
from runbook.approvals.signatures import Statement, signed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Speaker:
    """Someone who acts. `key` signs what they say: their own, or the receiver's that has seen them."""

    name: str
    identity: Identity
    key: "Ed25519PrivateKey | None" = field(default=None, repr=False)

    def signed(self, statement: Callable[[Identity], Statement], *, at: datetime) -> Identity:
        """The identity with a signature over the statement that is made with it; as it is without a key."""
        if self.key is None:
            return self.identity
        signature = signed(statement(self.identity), at=at, key=self.key)
        return self.identity.model_copy(update={"signature": signature})
