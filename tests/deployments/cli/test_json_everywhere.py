"""What a command shows, a program can read."""

from collections.abc import Callable
from typing import Any

import pytest

from deployments.cli.app import EXAMPLES, make_app
from deployments.cli.completion import completion
from deployments.cli.looking.incident import paper
from deployments.cli.up import up

WITHOUT: dict[Callable[..., Any], str] = {
    up: "runs until it is stopped; what it starts is read with doctor, and its log is JSON",
    paper: "its answer is a document, in Markdown, for the person who goes on by hand",
    completion: "its answer is a script, for a shell",
}
"""Commands whose answer is for nobody to parse, each with the reason."""


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda command: command.__name__)
def test_every_command_has_json_or_a_reason(command: Callable[..., Any]) -> None:
    """The option is called the same everywhere."""
    found = {name for it in make_app()[command.__name__].assemble_argument_collection() for name in it.names}
    assert ("--json" in found) is (command not in WITHOUT)
