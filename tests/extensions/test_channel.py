"""A new channel touches its block, its templates, its imitation, its test and one list."""

from pathlib import Path

import pytest

from tests.extensions.copied_tree import CopiedTree

ROOT = Path(__file__).parents[2]
EXTENSION = Path(__file__).parent / "channel"
ITS_TEST = "tests/tasks/channels/test_mattermost.py"
CHANGED_IN_PLACE = "root"
"""The message that only a channel has whose messages can be changed."""

ITS_TEMPLATES = {
    f"runbook/templates/{path.name.partition('.')[0]}.mattermost.j2"
    for path in (ROOT / "runbook" / "templates").glob("*.slack.j2")
    if not path.name.startswith(f"{CHANGED_IN_PLACE}.")
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> CopiedTree:
    """The tree with the new channel in it."""
    tree = CopiedTree(tmp_path_factory.mktemp("tree"))
    tree.extend(EXTENSION)
    return tree


def test_a_new_channel_is_its_own_files_and_two_lines_of_a_list(tree: CopiedTree) -> None:
    """It has a template for each message that Slack has one for; no other layer knows it by its name."""
    print(tree.stat())
    assert tree.touched() == {
        "blocks/channels/mattermost.py": 0,
        "blocks/channels/registry.py": 0,
        "deployments/drill/world/channels/mattermost.py": 0,
        **dict.fromkeys(ITS_TEMPLATES, 0),
        ITS_TEST: 0,
    }
    lines = (EXTENSION / "registry.patch").read_text().splitlines()
    assert [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")] == [
        "from blocks.channels.mattermost import Mattermost",
        '    "mattermost": Mattermost,',
    ]


def test_the_new_files_keep_the_style(tree: CopiedTree) -> None:
    """They would pass `make lint` where a contributor puts them."""
    files = [path for path in tree.touched() if path.endswith(".py")]
    tree.python("-m", "ruff", "check", *files)
    tree.python("-m", "ruff", "format", "--check", *files)


@pytest.mark.timeout(300)
def test_an_incident_is_told_in_the_new_channel(tree: CopiedTree) -> None:
    """Its own test and that of all blocks pass in a tree that has it."""
    tests = (ITS_TEST, "tests/blocks/test_block_types.py")
    said = tree.python("-m", "pytest", "-m", "", "-q", "-n0", "-p", "no:cacheprovider", *tests)
    assert "failed" not in said
