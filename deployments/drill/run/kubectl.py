"""The real kubectl, as a person of the drill uses it."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

from blocks.transport.errors import Refused, Unavailable

SECONDS = 60.0
"""How long a command may take."""


def require_kubectl() -> str:
    """The program's path.

    Raises:
        Refused: it is not installed.
    """
    program = shutil.which("kubectl")
    if program is None:
        raise Refused(
            "drill",
            "a person of this scenario uses kubectl, which is not in PATH",
            "Install kubectl, or choose another drill (runbook drill --list)",
        )
    return program


async def run_kubectl(arguments: Sequence[str], *, kubeconfig: Path, cache: Path) -> None:
    """Run a command to its end.

    Raises:
        Refused: kubectl is not installed.
        Unavailable: the command failed or took too long.
    """
    command = [require_kubectl(), "--kubeconfig", str(kubeconfig), "--cache-dir", str(cache), *arguments]
    started = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(SECONDS):
            _, said = await started.communicate()
    except TimeoutError:
        started.kill()
        await started.wait()
        raise Unavailable("kubectl", f"no end after {SECONDS:.0f} s", "See the logs of the drill") from None
    if started.returncode != 0:
        detail = said.decode(errors="replace").strip()[:500]
        raise Unavailable("kubectl", detail or f"exit code {started.returncode}", "See the logs of the drill")
