"""Who acts where the command writes to the store itself: a signing key's owner, or a claim."""

from typing import TYPE_CHECKING

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.output import warn
from deployments.cli.people.account import account

if TYPE_CHECKING:
    from deployments.services.speaker import Speaker
    from runbook.policy.policy import Policy


def speaker(by: str | None, policy: "Policy", *, role: str = "") -> "Speaker":
    """The person with their key where it is registered, else the name that is said, as a claim.

    `role` is the role with which the command writes to the database: a known person's proves them.

    Raises:
        CommandError: the person's key cannot be used.
    """
    from deployments.services.speaker import Speaker
    from deployments.settings.signing_key import KeyUnusable, key_path, own_key
    from runbook.approvals.authority import owner_of
    from runbook.approvals.identity import Identity, Proof
    from runbook.approvals.names import spelling
    from runbook.approvals.people import known_as
    from runbook.approvals.signatures import fingerprint, public_text

    path = key_path()
    try:
        key = own_key(path)
    except KeyUnusable as error:
        raise CommandError(error.problem, error.next_step, code=ExitCode.USAGE) from None
    said = known_as(by or account(), policy.people)
    unsigned = Speaker(name=said, identity=Identity(name=said))
    whose = known_as(role, policy.people)
    if whose in policy.people and (by is None or spelling(said) == spelling(whose)):
        unsigned = Speaker(name=whose, identity=Identity(name=role, how=Proof.DATABASE_ROLE))
    if key is None:
        return unsigned
    public = public_text(key.public_key())
    owner = owner_of(public, policy.people)
    if owner is None:
        warn(f"your key {path} is not registered: give an administrator what `runbook login` prints")
        return unsigned
    if by is not None and spelling(said) != spelling(owner):
        return unsigned
    identity = Identity(name=owner, how=Proof.SIGNING_KEY, detail=fingerprint(public))
    return Speaker(name=owner, identity=identity, key=key)
