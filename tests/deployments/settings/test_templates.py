"""Section `[templates]`: the team's own templates get into the blocks of the channels."""

from pathlib import Path

import pytest

from tests.deployments.settings_samples import load

SECTIONS = """
[templates]
folder = "ours"

[slack]
token = { env = "SLACK_TOKEN" }
channel = "C0INCIDENTS"
"""


@pytest.fixture
def folder(config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the templates beside the settings file."""
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-not-a-real-one")
    made = config.parent / "ours"
    made.mkdir()
    return made


def test_a_template_gets_into_the_block_of_its_channel(config: Path, folder: Path) -> None:
    """What is no template is left alone, and so is one of a channel that is not there."""
    (folder / "notice.slack.j2").write_text("*{{ text }}*\n")
    (folder / "external.txt.j2").write_text("Title\nBody")
    (folder / "README.md").write_text("what we say")
    settings = load(config, SECTIONS)
    assert settings.systems["slack"]["templates"] == {"notice.slack.j2": "*{{ text }}*\n"}
    assert [line for line in settings.warning_lines() if "templates" in line] == []


@pytest.mark.parametrize(
    ("name", "content", "warning", "kept"),
    [
        ("notise.slack.j2", b"x", "notise.slack.j2 replaces nothing: call it notice.slack.j2", False),
        ("typo.slack.j2", b"x", "typo.slack.j2 replaces nothing: there are: root.slack.j2, ", False),
        ("gate.md.j2", b"x", "gate.md.j2 replaces nothing: there are: root.slack.j2, ", False),
        (
            "notice.slack.j2",
            b"{{ txt }}",
            "notice.slack.j2 cannot be used ('txt' is undefined): the sh",
            True,
        ),
        ("notice.slack.j2", b"{{", "notice.slack.j2 cannot be used (line 1: ", True),
        ("notice.slack.j2", b"x" * 20_001, "notice.slack.j2 is longer than 20,000 bytes: shorten it", False),
        ("notice.slack.j2", b"\xff\xfe\x00", "notice.slack.j2 ", False),
    ],
)
def test_a_template_that_cannot_be_used_is_a_warning(
    config: Path, folder: Path, name: str, content: bytes, warning: str, kept: bool
) -> None:
    """Everything starts all the same, with the shipped one; one that may come right later is kept."""
    (folder / name).write_bytes(content)
    settings = load(config, SECTIONS)
    assert any(f"templates.folder: {warning}" in line for line in settings.warning_lines())
    assert (name in settings.systems["slack"].get("templates", {})) is kept


def test_a_folder_that_is_not_there_is_a_warning(config: Path, folder: Path) -> None:
    """A mistyped path brings the shipped texts back, and says so; the response does not wait for it."""
    folder.rmdir()
    settings = load(config, SECTIONS)
    (line,) = [line for line in settings.warning_lines() if "templates" in line]
    assert "the folder cannot be read (No such file or directory), so every message is the shipped" in line
