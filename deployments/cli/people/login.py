"""`runbook login`: a signing key of one's own, so that answers prove whose they are without the receiver."""

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import JsonOption
from deployments.cli.output import print_json, write


async def login(*, json: JsonOption = False) -> int:
    """Make a signing key, or show the one that you have.

    The key stays in your configuration folder, readable by you alone; RUNBOOK_SIGNING_KEY names another file.
    An administrator registers its public part in the settings. From then on your answers are signed where the
    receiver does not prove who you are.
    """
    from deployments.cli.people.account import account
    from deployments.settings.signing_key import KeyUnusable, key_path, make_key, own_key
    from runbook.approvals.signatures import fingerprint, public_text

    path = key_path()
    try:
        known = own_key(path)
        key = known or make_key(path)
    except KeyUnusable as error:
        raise CommandError(error.problem, error.next_step, code=ExitCode.USAGE) from None
    except OSError as error:
        raise CommandError(f"cannot write {path} ({error.strerror})", "check the folder") from None
    public = public_text(key.public_key())
    if json:
        facts = {"key": str(path), "public": public, "fingerprint": fingerprint(public)}
        print_json({**facts, "made": known is None})
        return ExitCode.OK
    write(f"{'Created' if known is None else 'Found'} {path}, {fingerprint(public)}")
    write("Give this to an administrator for the settings, then `runbook configure`:")
    write("")
    write(f"[policy.people.{_bare(account())}]")
    write(f'keys = ["{public}"]')
    return ExitCode.OK


def _bare(name: str) -> str:
    """A name as a key in TOML."""
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else f'"{name}"'
