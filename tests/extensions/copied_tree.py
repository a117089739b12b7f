"""A copy of the tree under Git, for what a contributor would add to it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import require_binary

ROOT = Path(__file__).parents[2]
COPIED = ("runbook", "blocks", "tasks", "flows", "deployments", "tests", "docs")


class CopiedTree:
    """The copy, committed as it is. Its Git has nobody's settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        skip = shutil.ignore_patterns("__pycache__")
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name, ignore=skip)
        for file in ROOT.iterdir():
            if file.is_file() and file.name != ".git":
                shutil.copy(file, folder / file.name)
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "As it is")

    def extend(self, extension: Path) -> None:
        """Add the files of an extension, and change what its patches change."""
        shutil.copytree(extension / "files", self.folder, dirs_exist_ok=True)
        for patch in sorted(extension.glob("*.patch")):
            self.git("apply", str(patch))
        self.git("add", "--all")

    def touched(self) -> dict[str, int]:
        """The files that were added or changed since, each with the number of lines that it has lost."""
        lines = self.git("diff", "--cached", "--numstat").splitlines()
        return {path: int(removed) for _, removed, path in (line.split("\t") for line in lines)}

    def stat(self) -> str:
        """The same for people."""
        return self.git("diff", "--cached", "--stat=100")

    def git(self, *arguments: str) -> str:
        """Run Git in the copy."""
        settings = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost", "-c", "commit.gpgsign=false")
        return self._run(require_binary("git"), *settings, *arguments)

    def python(self, *arguments: str) -> str:
        """Run Python in the copy, whose modules are found before the installed ones."""
        return self._run(sys.executable, *arguments)

    def _run(self, *command: str) -> str:
        ended = subprocess.run(
            command, cwd=self.folder, env=_without_git(), capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{' '.join(command)}\n{ended.stdout[-8000:]}\n{ended.stderr[-2000:]}"
        return ended.stdout


def _without_git() -> dict[str, str]:
    """The environment without what a Git hook, in which tests may run, says of another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
