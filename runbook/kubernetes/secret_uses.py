"""What of a Secret the pods of a workload read, by the references in their template.

A key that no pod reads can be replaced, restarted for and undone without anybody noticing a difference. The
references are those of the pod API: `env[].valueFrom.secretKeyRef`, `envFrom[].secretRef`, and volumes of
the kinds `secret` and `projected` that a container mounts.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from runbook.value import Value

Object = Mapping[str, Any]


class SecretUse(Value):
    """A reference to the Secret. `key` is the key that it names; none takes all that the Secret has."""

    container: str
    via: str
    key: str | None = None


def uses_of(template: Object, secret: str) -> tuple[SecretUse, ...]:
    """Where the containers of a pod template, init containers too, read from this Secret."""
    spec = template["spec"]
    volumes = {str(volume["name"]): tuple(_keys_of(volume, secret)) for volume in spec.get("volumes") or ()}
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return tuple(use for container in containers for use in _of_container(container, secret, volumes))


def is_read(uses: Iterable[SecretUse], key: str, present: Collection[str]) -> bool:
    """Whether a pod reads that key. One that takes all keys reads only what the Secret has at `present`."""
    return any(use.key == key or (use.key is None and key in present) for use in uses)


def unread_because(
    uses: tuple[SecretUse, ...], secret: str, key: str, present: Collection[str]
) -> str | None:
    """Why a new value of that key would reach no pod, and what they read instead; `None` where it would."""
    if is_read(uses, key, present):
        return None
    if not uses:
        return f"no container of the workload reads Secret {secret}"
    read = sorted(
        {use.key for use in uses if use.key} | ({*present} if any(not use.key for use in uses) else set())
    )
    named = ", ".join(read) or "nothing that is in it"
    return f"no container of the workload reads key {key} of Secret {secret}; they read {named}"


def _of_container(
    container: Object, secret: str, volumes: Mapping[str, tuple[str | None, ...]]
) -> Iterator[SecretUse]:
    name = str(container["name"])
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
        if reference.get("name") == secret:
            yield SecretUse(container=name, via=f"variable {variable['name']}", key=str(reference["key"]))
    for source in container.get("envFrom") or ():
        if (source.get("secretRef") or {}).get("name") == secret:
            yield SecretUse(container=name, via="envFrom")
    for mount in container.get("volumeMounts") or ():
        for key in volumes.get(str(mount["name"]), ()):
            yield SecretUse(container=name, via=f"volume {mount['name']}", key=key)


def _keys_of(volume: Object, secret: str) -> Iterator[str | None]:
    """The keys that a volume has of the Secret; none stands for all of them."""
    own = volume.get("secret") or {}
    sources = [own] if own.get("secretName") == secret else []
    sources += [
        source["secret"]
        for source in (volume.get("projected") or {}).get("sources") or ()
        if (source.get("secret") or {}).get("name") == secret
    ]
    for source in sources:
        if source.get("items"):
            yield from (str(item["key"]) for item in source["items"])
        else:
            yield None
