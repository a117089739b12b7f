"""A new check touches its file, its block, the rule that asks it, its imitation and its test."""

from pathlib import Path

import pytest

from tests.extensions.copied_tree import CopiedTree

EXTENSION = Path(__file__).parent / "check"
ITS_TEST = "tests/tasks/checks/test_resolution.py"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> CopiedTree:
    """The tree with the new check in it."""
    tree = CopiedTree(tmp_path_factory.mktemp("tree"))
    tree.extend(EXTENSION)
    return tree


def test_a_new_check_touches_five_files(tree: CopiedTree) -> None:
    """Four are new, the severity rules get their lines, and no line of what there was is changed."""
    print(tree.stat())
    assert tree.touched() == {
        "runbook/checks/specs/resolution.py": 0,
        "blocks/checks/resolution.py": 0,
        "runbook/decision/severity_rules.py": 0,
        "deployments/drill/world/posthog/resolver.py": 0,
        ITS_TEST: 0,
    }


def test_the_new_files_keep_the_style(tree: CopiedTree) -> None:
    """They would pass `make lint` where a contributor puts them."""
    tree.python("-m", "ruff", "check", *tree.touched())
    tree.python("-m", "ruff", "format", "--check", *tree.touched())


@pytest.mark.timeout(300)
def test_the_triage_of_an_incident_makes_the_new_check(tree: CopiedTree) -> None:
    """It is made, journalled, judged by the rules, and waited for at the end."""
    said = tree.python("-m", "pytest", "-m", "", "-q", "-n0", "-p", "no:cacheprovider", ITS_TEST)
    assert "6 passed" in said


@pytest.mark.timeout(300)
def test_what_is_said_of_all_checks_and_blocks_holds_for_the_new_ones(tree: CopiedTree) -> None:
    """The block describes itself, and the rules and recorded facts of the other checks are as they were."""
    tests = (
        "tests/blocks/test_block_types.py",
        "tests/runbook/checks/test_facts.py",
        "tests/runbook/decision/test_severity_rules.py",
        "tests/tasks/checks/test_triage.py",
    )
    tree.python("-m", "pytest", "-m", "", "-q", "-n0", "-p", "no:cacheprovider", *tests)


def test_two_checks_of_one_name_are_refused(tree: CopiedTree) -> None:
    """Journals could not tell them apart."""
    copy = tree.folder / "runbook/checks/specs/resolution_again.py"
    copy.write_text((tree.folder / "runbook/checks/specs/resolution.py").read_text())
    try:
        with pytest.raises(AssertionError, match="there is another check of the name resolution"):
            tree.python("-c", "import runbook.checks.catalogue")
    finally:
        copy.unlink()
