"""A new action touches its spec, its steps, the plan and its test, and nothing else."""

import re
from pathlib import Path

import pytest

from tests.extensions.copied_tree import CopiedTree

EXTENSION = Path(__file__).parent / "action"
ITS_TEST = "tests/tasks/actions/test_raise_batch_size.py"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> CopiedTree:
    """The tree with the new action in it."""
    tree = CopiedTree(tmp_path_factory.mktemp("tree"))
    tree.extend(EXTENSION)
    return tree


def test_a_new_action_touches_four_files(tree: CopiedTree) -> None:
    """Three are new, the plan gets its lines, and no line of what there was is changed."""
    print(tree.stat())
    assert tree.touched() == {
        "runbook/actions/specs/raise_batch_size.py": 0,
        "runbook/decision/plan.py": 0,
        "tasks/actions/changes/raise_batch_size.py": 0,
        ITS_TEST: 0,
    }


def test_the_new_files_keep_the_style(tree: CopiedTree) -> None:
    """They would pass `make lint` where a contributor puts them."""
    tree.python("-m", "ruff", "check", *tree.touched())
    tree.python("-m", "ruff", "format", "--check", *tree.touched())


@pytest.mark.real
@pytest.mark.timeout(300)
def test_an_incident_runs_with_the_new_action(tree: CopiedTree) -> None:
    """It is planned, previewed, approved, made, proved and undone in the cluster imitation."""
    said = tree.python("-m", "pytest", "-m", "", "-q", "-p", "no:cacheprovider", ITS_TEST)
    assert "6 passed" in said


@pytest.mark.timeout(300)
def test_everything_that_is_said_of_all_actions_holds_for_the_new_one(tree: CopiedTree) -> None:
    """What tests ask of each action, its proof and its question; and the shipped roles suffice."""
    tests = (
        "tests/runbook/actions",
        "tests/runbook/checks/test_recovery.py",
        "tests/runbook/incidents/test_report.py",
        "tests/blocks/kubernetes/test_permissions.py",
    )
    chosen = "raise_batch_size or documented or shipped"
    said = tree.python("-m", "pytest", "-m", "", "-v", "-p", "no:cacheprovider", "-k", chosen, *tests)
    for test in (
        "test_every_change_has_a_risk",
        "test_every_editable_parameter",
        "test_checks_that_were_not",
    ):
        assert re.search(rf"{test}\w*\[raise_batch_size\] PASSED", said), test
    assert "test_the_shipped_role_grants_exactly_the_table[full-Deployment] PASSED" in said


def test_an_action_that_nothing_makes_is_refused(tree: CopiedTree, tmp_path: Path) -> None:
    """A spec without steps is told at once, with the folder where they belong."""
    steps = tree.folder / "tasks/actions/changes/raise_batch_size.py"
    kept = steps.rename(tmp_path / steps.name)
    try:
        with pytest.raises(AssertionError, match=r"no file in tasks/actions/changes/.*raise_batch_size"):
            tree.python("-c", "import tasks.actions.changes")
    finally:
        kept.rename(steps)
