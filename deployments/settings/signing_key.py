"""A person's own signing key, in their configuration folder; and reading private keys at all."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

KEY_VARIABLE = "RUNBOOK_SIGNING_KEY"
NAME = "signing-key.pem"


class KeyUnusable(Exception):
    """A private key that cannot be used: what is wrong, and what to do."""

    def __init__(self, problem: str, next_step: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.next_step = next_step


def key_path() -> Path:
    """The file of the person's key: `RUNBOOK_SIGNING_KEY`, else in `XDG_CONFIG_HOME` or `~/.config`."""
    if named := os.environ.get(KEY_VARIABLE):
        return Path(named)
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "runbook" / NAME


def own_key(path: Path) -> Ed25519PrivateKey | None:
    """The key in that file; `None` where there is none.

    Raises:
        KeyUnusable: it cannot be read, others can read it, or it is no Ed25519 key.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid not in (os.geteuid(), 0) or stat.S_IMODE(found.st_mode) & 0o077:
                raise KeyUnusable(
                    f"other users can read or change {path}", f"chmod 600 {path}, and check who owns it"
                )
            return private_key(file.read())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyUnusable(f"cannot read {path} ({error.strerror})", "make it readable only by you") from None


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """The key of a PEM file without a passphrase, as `openssl genpkey -algorithm ed25519` writes it.

    Raises:
        KeyUnusable: it is no such key; the text has nothing of it.
    """
    advice = "make one with `runbook login`, or with `openssl genpkey -algorithm ed25519`"
    try:
        key = load_pem_private_key(pem, password=None)
    except Exception as error:
        cause = f"not a private key in PEM without a passphrase ({type(error).__name__})"
        raise KeyUnusable(cause, advice) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable("not an Ed25519 key", advice)
    return key


def make_key(path: Path) -> Ed25519PrivateKey:
    """Make a key and keep it in that file, which nobody else can read. Never replaces one.

    Raises:
        FileExistsError: there is one.
        OSError: it cannot be written; nothing is left behind.
    """
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    opened = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(file.fileno())
        os.link(new, path)  # whole, or not at all; and never over another one
    finally:
        with suppress(FileNotFoundError):
            new.unlink()
    return key
