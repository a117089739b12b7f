"""The Secret with the PostHog API key, as it is read."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes.client import CoreV1Api
from pydantic import SecretStr

from blocks.kubernetes.access.connection import ClusterClient, Json
from blocks.kubernetes.access.errors import SYSTEM, Request
from blocks.transport.errors import NotFound, Refused
from runbook.kubernetes.ownership import without_contents


@dataclass(frozen=True)
class SecretKeys:
    """The keys of a Secret with their values, and the resourceVersion that they have.

    `as_object` has of its metadata what says who keeps it, and no value.
    """

    version: str
    values: Mapping[str, SecretStr]
    as_object: Mapping[str, Any]


@dataclass(frozen=True)
class Secret:
    """Reading the Secret.

    Each method raises `Unavailable` where the cluster does not answer and `Refused` where it does not let us
    look.
    """

    client: ClusterClient

    async def read_api_key(self, key: str | None = None) -> SecretStr | None:
        """The API key in the Secret (or another key's value); `None` where the Secret does not have it.

        It is given as it is, white space and all: a stray line break is a finding.
        """
        try:
            secret = await self._read_secret()
        except NotFound:
            return None
        encoded = (secret.get("data") or {}).get(key or self.client.settings.secret_key)
        return None if encoded is None else self._decoded(encoded)

    async def read_keys(self) -> SecretKeys:
        """All keys of the Secret, as they were at one time."""
        secret = await self._read_secret()
        data = secret.get("data") or {}
        return SecretKeys(
            version=str(secret["metadata"]["resourceVersion"]),
            values={name: self._decoded(value) for name, value in data.items()},
            as_object={"kind": "Secret", "metadata": without_contents(secret["metadata"])},
        )

    def _decoded(self, encoded: str) -> SecretStr:
        try:
            return SecretStr(base64.b64decode(encoded, validate=True).decode("utf-8", errors="replace"))
        except binascii.Error:
            detail = f"{self.client.settings.secret_name} is not base64"
            raise Refused(SYSTEM, detail, "Write the Secret again") from None

    async def _read_secret(self) -> Json:
        name = self.client.settings.secret_name
        return await self.client.ask(
            Request("get", "secrets", name),
            lambda client: CoreV1Api(client).read_namespaced_secret(name, **self.client.namespaced),
        )
