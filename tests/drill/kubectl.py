"""The real kubectl, run against a served cluster."""

import asyncio
import shlex
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import require_binary
from tests.drill.cluster_bench import Bench


@dataclass
class Answer:
    """What a command line gave."""

    code: int
    out: str
    err: str


Kubectl = Callable[[str], Coroutine[Any, Any, Answer]]
"""Runs a line of shell in which every `kubectl` is the real one, as the cluster's administrator."""


def kubectl_for(bench: Bench, folder: Path) -> Kubectl:
    """kubectl with a kubeconfig and a cache in the folder."""
    program = require_binary("kubectl")
    path = bench.kubeconfig(folder)
    prefix = f"{shlex.quote(program)} --kubeconfig {path} --cache-dir {folder / 'cache'}"

    async def run(line: str) -> Answer:
        command = line.replace("kubectl", prefix)
        made = await asyncio.create_subprocess_shell(
            command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(made.communicate(), 60)
        return Answer(made.returncode or 0, out.decode(), err.decode())

    return run
