"""Commands that a person copies from one terminal into another."""

import shlex
import shutil
import sys
from pathlib import Path

NAME = "runbook"


def pasted(*words: str, config: Path | None = None, anywhere: bool = False) -> str:
    """A command of ours as it is typed here; with `anywhere`, also from another folder.

    Without `runbook` in the search path it begins with the path by which we were started.
    """
    given = () if config is None else ("--config", str(config.absolute() if anywhere else config))
    return shlex.join((_program(anywhere=anywhere), *words, *given))


def _program(*, anywhere: bool) -> str:
    started = Path(sys.argv[0])
    found = shutil.which(NAME)
    if started.name != NAME or (found is not None and Path(found).absolute() == started.absolute()):
        return NAME
    return str(started.absolute() if anywhere else started)
