"""Who calls the receiver's API: a token, a proxy that has logged somebody in, or an account of this machine.

Each proof is checked here, on the receiver's side. A token that is shown and does not hold is not made good
by the account that shows it, and two that name different people prove nobody. A proxy that has proved itself
speaks for the people behind it; its own account, and what else it passes on, say nothing of them.
"""

import hmac
import pwd
from collections.abc import Mapping
from pathlib import Path

from deployments.receiver.connections.local_socket import Peer
from deployments.receiver.people.settings import hash_of
from deployments.receiver.sources.credentials import header_bytes
from deployments.settings.settings import Settings
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.names import name_flaw, spelling, tidy
from runbook.approvals.people import known_as

__all__ = ["NotProven", "identify"]


class NotProven(Exception):
    """The request does not prove whose it is; the text says why, as far as a stranger may know."""


def identify(headers: Mapping[str, str], peer: Peer | None, settings: Settings) -> Identity:
    """Whose request it is. Looks the account of a peer up, which may take a moment.

    Raises:
        NotProven: nobody's, or two people's.
    """
    by_proxy = _by_proxy(headers, settings)
    proofs = (by_proxy,) if by_proxy else (_by_token(headers, settings), _by_account(peer))
    found = [proof for proof in proofs if proof is not None]
    if not found or any(name_flaw(proof.name) for proof in found):
        raise NotProven("not authenticated")
    if len({spelling(known_as(proof.name, settings.policy.people)) for proof in found}) > 1:
        raise NotProven("the request proves two different people")
    return found[0]


def _by_token(headers: Mapping[str, str], settings: Settings) -> Identity | None:
    given = header_bytes(headers, "authorization")
    if not given:
        if any(name.lower() == "authorization" for name in headers):
            raise NotProven("not authenticated")
        return None
    scheme, _, token = given.partition(b" ")
    shown = hash_of(token.strip()) if scheme.lower() == b"bearer" else ""
    owner = ""
    for name, hashes in settings.receiver.people.items():
        for known in hashes:  # all of them, so that the time tells nothing
            if hmac.compare_digest(known.get_secret_value(), shown):
                owner = name
    if not owner:
        raise NotProven("not authenticated")
    return Identity(name=owner, how=Proof.API_TOKEN)


def _by_proxy(headers: Mapping[str, str], settings: Settings) -> Identity | None:
    trusted = settings.receiver.identity_header
    if trusted is None:
        return None
    shown = header_bytes(headers, trusted.proof.name)
    if not shown:
        return None  # a request that bypasses the proxy has no secret, and may claim any name
    if not hmac.compare_digest(shown, trusted.proof.value.get_secret_value().encode()):
        raise NotProven("not authenticated")
    name = tidy(header_bytes(headers, trusted.name).decode(errors="replace"))
    return Identity(name=name, how=Proof.PROXY_HEADER)


def _by_account(peer: Peer | None) -> Identity | None:
    if peer is None:
        return None
    if peer.uid == _overflow_uid():
        raise NotProven("the account at the other end of the socket is not known on this machine")
    try:
        name = pwd.getpwuid(peer.uid).pw_name
    except KeyError:
        return Identity(name=f"uid {peer.uid}", how=Proof.OS_PEER)
    return Identity(name=name, how=Proof.OS_PEER, detail=f"uid {peer.uid}")


def _overflow_uid() -> int:
    """Whom the kernel names instead of a user that has no number in our namespace."""
    try:
        return int(Path("/proc/sys/kernel/overflowuid").read_text())
    except (OSError, ValueError):
        return 65534
