"""Which keys of a Secret the pods of a workload read."""

from typing import Any

import pytest

from runbook.kubernetes.secret_uses import is_read, unread_because, uses_of

S, KEY = "posthog-secrets", "api-key"


def variable(key: str, secret: str = S) -> dict[str, Any]:
    """A container's variable with a value from a Secret."""
    return {"name": "POSTHOG_API_KEY", "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def template(
    *containers: dict[str, Any], init: dict[str, Any] | None = None, **volume: Any
) -> dict[str, Any]:
    """A pod template whose containers are these; a volume is called `keys`."""
    spec: dict[str, Any] = {"containers": [{"name": f"c{n}", **each} for n, each in enumerate(containers)]}
    if init is not None:
        spec["initContainers"] = [{"name": "init", **init}]
    if volume:
        spec["volumes"] = [{"name": "keys", **volume}]
    return {"spec": spec}


MOUNTED = {"volumeMounts": [{"name": "keys", "mountPath": "/keys"}]}

READ = {
    "variable": template({"env": [variable(KEY)]}),
    "variable of a second container": template({}, {"env": [{"name": "A", "value": "b"}, variable(KEY)]}),
    "variable of an init container": template({}, init={"env": [variable(KEY)]}),
    "all of it as variables": template(
        {"envFrom": [{"configMapRef": {"name": S}}, {"secretRef": {"name": S}}]}
    ),
    "volume": template(MOUNTED, secret={"secretName": S}),
    "item of a volume": template(MOUNTED, secret={"secretName": S, "items": [{"key": KEY, "path": "k"}]}),
    "projected": template(
        MOUNTED, projected={"sources": [{"serviceAccountToken": {}}, {"secret": {"name": S}}]}
    ),
}

UNREAD = {
    "nothing": (template({}), f"no container of the workload reads Secret {S}"),
    "another Secret": (
        template({"env": [variable(KEY, "others")]}),
        f"no container of the workload reads Secret {S}",
    ),
    "another key": (template({"env": [variable("API_KEY")]}), "they read API_KEY"),
    "another item": (
        template(MOUNTED, secret={"secretName": S, "items": [{"key": "token", "path": "k"}]}),
        "they read token",
    ),
    "a volume that nobody mounts": (template({}, secret={"secretName": S}), f"reads Secret {S}"),
    "a config map of that name": (
        template({"envFrom": [{"configMapRef": {"name": S}}]}),
        f"reads Secret {S}",
    ),
}


@pytest.mark.parametrize("name", READ)
def test_a_key_that_a_container_refers_to_is_read(name: str) -> None:
    """By a variable, by all variables, by a volume."""
    uses = uses_of(READ[name], S)
    assert unread_because(uses, S, KEY, [KEY]) is None


@pytest.mark.parametrize("name", UNREAD)
def test_a_key_that_nothing_refers_to_is_told(name: str) -> None:
    """With what is read instead."""
    pods, said = UNREAD[name]
    assert said in str(unread_because(uses_of(pods, S), S, KEY, [KEY]))


@pytest.mark.parametrize("name", ["all of it as variables", "volume", "projected"])
def test_whoever_takes_all_keys_reads_none_that_is_not_there(name: str) -> None:
    """A key under a wrong name in the settings would be added and read by nobody who knows the right one."""
    uses = uses_of(READ[name], S)
    assert not is_read(uses, KEY, ["API_KEY"])
    assert str(unread_because(uses, S, KEY, ["API_KEY"])).endswith("they read API_KEY")
    assert is_read(uses_of(READ["variable"], S), KEY, [])  # it waits for just this key
