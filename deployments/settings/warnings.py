"""What a person should see to about the settings, although everything starts.

That others can read a secret file is refused nowhere: a Kubernetes volume of a Secret, for one, is readable
by everybody in its container unless `defaultMode` says otherwise, and whether there is anybody else in there
is not for us to know.
"""

import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from deployments.settings.checks import Mistake, shown
from deployments.settings.secrets import absolute, is_reference
from runbook.policy.policy import Policy
from runbook.transport.addresses import is_loopback

_KUBECONFIG = "cluster.kubeconfig"

_WRITE = stat.S_IWGRP | stat.S_IWOTH
_READ = stat.S_IRGRP | stat.S_IROTH
_CLOSE = "chmod 600 it; in a Kubernetes volume, set defaultMode: 0400, or 0440 with an fsGroup"


def exposed_files(tables: Mapping[str, Any], origin: Path) -> list[Mistake]:
    """The files with secrets that others can read or change; the settings file where they can change it."""
    found = []
    for key, path in _secret_files(tables, origin.absolute().parent):
        if who := _others(path, _READ | _WRITE):
            mode = stat.S_IMODE(path.stat().st_mode)
            found.append(Mistake(key, f"{path} is open to {who} (mode {mode:04o})", _CLOSE))
    if who := _others(origin, _WRITE):
        found.append(
            Mistake(
                "", f"can be changed by {who}, who could then change what the runbook does", "chmod go-w it"
            )
        )
    elif who := _others(origin.absolute().parent, _WRITE):
        found.append(
            Mistake("", f"can be replaced by {who}, who can write its folder", "chmod go-w the folder")
        )
    return found


def hosts_shown_nothing(section: str, block: BaseModel) -> list[Mistake]:
    """The other servers of a section that are on another host than its credentials are for."""
    from blocks.transport.credentials import CredentialsByHost

    if not isinstance(block, CredentialsByHost):
        return []
    advice = "set the credentials for that host there, or leave the table empty"
    return [
        Mistake(
            f'{section}.credentials."{host}"',
            "missing: no credentials of this section are sent to that host",
            advice,
        )
        for host in block.hosts_shown_nothing()
    ]


def too_few_people(policy: Policy) -> list[Mistake]:
    """The rules that take more people than the settings list: no approval passes them."""
    listed = sum(not person.counts_only for person in policy.people.values())
    problem = f"takes {{}} people, but [policy.people] lists {listed or 'nobody'}: no approval can succeed"
    advice = "give each of them a table [policy.people.NAME] with all their logins"
    return [
        Mistake(f"policy.approvals.{risk}.count", problem.format(rule.count), advice)
        for risk, rule in policy.approvals.items()
        if rule.count > max(listed, 1)
    ]


def in_clear(addresses: Mapping[str, str]) -> list[Mistake]:
    """The public addresses, by their keys, to which passwords and tokens would travel unencrypted."""
    advice = "put TLS in front of it, and write https"
    return [
        Mistake(key, "passwords are sent to it unencrypted", advice)
        for key, address in addresses.items()
        if urlsplit(address).scheme == "http" and not is_loopback(urlsplit(address).hostname or "")
    ]


def _secret_files(tables: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, Path]]:
    """The files that hold secrets, each with the key that names it."""
    for key, value in _leaves(tables):
        if key == _KUBECONFIG and isinstance(value, str):
            for part in filter(None, value.split(os.pathsep)):
                yield key, absolute(part, folder)
        elif is_reference(value) and isinstance(value.get("file"), str):
            yield key, absolute(value["file"], folder)


def _leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that is no table, and each reference, with its dotted key."""
    if isinstance(value, Mapping) and not is_reference(value):
        inner: Iterable[tuple[str, Any]] = ((shown(name), item) for name, item in value.items())
    elif isinstance(value, list):
        inner = ((str(place), item) for place, item in enumerate(value))
    else:
        yield at, value
        return
    for name, item in inner:
        yield from _leaves(item, f"{at}.{name}" if at else name)


def _others(path: Path, bits: int) -> str:
    """Who else has one of these rights to a file or folder; empty where nobody has, or there is no such file.

    The rule needs no setting. Everybody counts where they can come to the file at all: the folders above let
    them through. The group counts where the file is ours and the group is not just its owner: to a file of
    another owner, the group may be our own way. A sticky folder, such as /tmp, lets nobody replace a file.
    """
    try:
        real = path.resolve(strict=True)
        info = real.stat()
        above = [folder.stat() for folder in real.parents]
    except OSError:
        return ""
    if info.st_mode & stat.S_ISVTX and stat.S_ISDIR(info.st_mode):
        return ""
    if info.st_mode & bits & stat.S_IRWXO and all(each.st_mode & stat.S_IXOTH for each in above):
        return "everybody on this machine"
    if not info.st_mode & bits & stat.S_IRWXG or os.geteuid() not in (0, info.st_uid):
        return ""
    lets_group = all(_lets_in(each, info.st_gid) for each in above)
    return f"the group {_group(info.st_gid)}" if lets_group and not _is_own_group(info) else ""


def _lets_in(folder: os.stat_result, group: int) -> bool:
    through = stat.S_IXGRP if folder.st_gid == group else stat.S_IXOTH
    return bool(folder.st_mode & through)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _is_own_group(info: os.stat_result) -> bool:
    """Whether the group is the owner's alone: it has their name and no other members."""
    try:
        owner, group = pwd.getpwuid(info.st_uid).pw_name, grp.getgrgid(info.st_gid)
    except KeyError:
        return False
    return group.gr_name == owner and set(group.gr_mem) <= {owner}
