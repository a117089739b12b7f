"""README.md and the command line say the same."""

import re
from pathlib import Path

import pytest

from deployments.cli.app import EXAMPLES, make_app
from runbook.alerts.mapping.formats import FORMATS

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
COMMANDS = [command.__name__ for command in EXAMPLES]


@pytest.fixture(scope="module")
def readme() -> str:
    """The text of the README."""
    return README.read_text(encoding="utf-8")


def mentioned(text: str, program: str) -> set[str]:
    """The first word after a program wherever the text shows a command line in code."""
    code = re.findall(r"```[^\n]*\n(.*?)```", text, flags=re.DOTALL)
    code += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    lines = [line for block in code for line in block.splitlines()]
    pattern = re.compile(rf"(?:^|[\s$&;|/]){program} +([a-z][a-z-]*)\b(?!=)")
    return {match for line in lines for match in pattern.findall(line.split(" #")[0])}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str, readme: str) -> None:
    """Each command of the program stands in the README as `runbook COMMAND`."""
    assert command in mentioned(readme, "runbook")


def test_every_documented_command_exists(readme: str) -> None:
    """The README names no command that the program does not have."""
    assert mentioned(readme, "runbook") - set(COMMANDS) == set()


def test_every_documented_option_exists(readme: str) -> None:
    """Each option that the README gives to a command is one that the command has."""
    unknown = []
    for command, options in re.findall(r"runbook ([a-z]+)((?: [^`\n|&#]*)?)", readme):
        if command not in COMMANDS:
            continue
        known = make_app()[command].assemble_argument_collection()
        names = {name for argument in known for name in argument.names} | {"--help"}
        unknown += [
            f"{command} {option}" for option in re.findall(r" (--[a-z-]+)", options) if option not in names
        ]
    assert unknown == []


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_documented(name: str) -> None:
    """With what has to be set at its sender."""
    assert f"| `{name}` |" in (ROOT / "docs" / "alert-formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [f"alerts {name}" for name in ("explain", "confirm-sns")])
def test_every_command_of_a_command_is_documented(command: str, readme: str) -> None:
    """In the README, or in the document that it names."""
    documents = readme + (ROOT / "docs" / "alert-formats.md").read_text(encoding="utf-8")
    assert f"runbook {command}" in documents


def test_every_documented_make_target_exists(readme: str) -> None:
    """The README names no target that the Makefile does not have."""
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert mentioned(readme, "make") - targets == set()
