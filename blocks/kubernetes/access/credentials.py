"""Where a cluster's credentials come from, and how they are loaded within a deadline."""

import io
import logging
import os
import shutil
import threading
from dataclasses import dataclass
from typing import Any

from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_incluster_config
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger
from pydantic import SecretStr

from blocks.kubernetes.access.errors import SYSTEM
from blocks.transport.errors import Unauthenticated, one_line
from runbook.redaction import redact

_OUT_OF_TIME = ("process returned 124", "process returned 137")
"""How the client words the exit codes that `timeout` has for a command which it stopped."""


@dataclass(frozen=True)
class Credentials:
    """Where the credentials are: in the pod, in a kubeconfig's text, or in kubeconfigs (joined by `:`).

    `plugin_seconds` is how long a program of the kubeconfig that makes credentials may take.
    """

    in_cluster: bool = False
    kubeconfig_yaml: SecretStr | None = None
    kubeconfig: str | None = None
    context: str | None = None
    plugin_seconds: float = 8.0

    @property
    def kubeconfig_path(self) -> str | None:
        """The path of the kubeconfig, or several joined by `:`; None where it is not read from a file."""
        if self.in_cluster or self.kubeconfig_yaml is not None:
            return None
        return self.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"

    @property
    def renewal(self) -> str:
        """What a person does when they have expired."""
        if self.in_cluster:
            return "Check the pod's service account and its token"
        if self.kubeconfig_yaml is not None:
            return "Put a new kubeconfig into the Cluster block"
        context = f" --context {self.context}" if self.context else ""
        return f"Re-authenticate: kubectl{context} get pods"


class _NoKubeconfig(ConfigException):
    """None of the files exists, so there is nobody to authenticate as again."""


def load(credentials: Credentials, configuration: Configuration) -> None:
    """Put the credentials into a client's configuration. Blocking.

    Raises:
        Unauthenticated: they cannot be loaded, or their plug-in fails or does not answer in time.
    """
    failed = _LoggedErrors()
    try:
        with failed:
            _load(credentials, configuration)
    except _NoKubeconfig as error:
        advice = "Name one in `kubeconfig` of [cluster], or set KUBECONFIG"
        raise Unauthenticated(SYSTEM, f"cannot load the credentials: {error}", advice) from None
    except (ConfigException, OSError, ValueError, KeyError, TypeError) as error:
        raise Unauthenticated(
            SYSTEM, f"cannot load the credentials: {_said(credentials, str(error))}", credentials.renewal
        ) from None
    if failed.texts:
        # the client only logs a plug-in that fails, and goes on without any credentials
        said = "; ".join(_said(credentials, text) for text in failed.texts)
        raise Unauthenticated(SYSTEM, f"the credentials' plug-in failed: {said}", credentials.renewal)


def _said(credentials: Credentials, text: str) -> str:
    if any(words in text for words in _OUT_OF_TIME):
        return f"no answer within {credentials.plugin_seconds:g} s"
    return one_line(redact(text), 200)


def _load(credentials: Credentials, configuration: Configuration) -> None:
    if credentials.in_cluster:
        load_incluster_config(client_configuration=configuration)
        return
    if credentials.kubeconfig_yaml is not None:
        source: Any = io.StringIO(credentials.kubeconfig_yaml.get_secret_value())
    else:
        source = credentials.kubeconfig_path
    merged = KubeConfigMerger(source).config
    if merged is None:
        raise _NoKubeconfig(f"there is no kubeconfig at {source}")
    for entry in _users(merged):
        _within(credentials.plugin_seconds, entry.get("user") or {})
    KubeConfigLoader(config_dict=merged, active_context=credentials.context).load_and_set(configuration)


def _users(merged: Any) -> list[dict[str, Any]]:
    """The users of a kubeconfig; of several, the client gives them in a wrapper that knows their file."""
    users = getattr(merged, "value", merged).get("users") or []
    return [getattr(entry, "value", entry) for entry in users]


def _within(seconds: float, user: dict[str, Any]) -> None:
    """Have `timeout` end the programs that make a user's credentials: the client waits for them for ever.

    They run in a process group of their own, so that what they have started ends with them.
    """
    command = shutil.which("timeout")
    if command is None:  # no coreutils; the caller's own deadline still holds for the answer
        return
    bounded = ["--kill-after=1", f"{seconds:g}"]
    plugin = user.get("exec")
    if isinstance(plugin, dict) and plugin.get("command"):
        plugin["args"] = [*bounded, plugin["command"], *(plugin.get("args") or ())]
        plugin["command"] = command
    legacy = (user.get("auth-provider") or {}).get("config") or {}
    if legacy.get("cmd-path"):
        legacy["cmd-args"] = " ".join([*bounded, legacy["cmd-path"], legacy.get("cmd-args") or ""]).strip()
        legacy["cmd-path"] = command


class _LoggedErrors(logging.Handler):
    """What this thread logs to the root logger as an error, while it is entered."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.texts: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread and record.name == "root":
            self.texts.append(record.getMessage())

    def __enter__(self) -> None:
        logging.getLogger().addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
