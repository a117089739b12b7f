"""A new action touches its spec, its steps, the plan and its test, and nothing else."""

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
    said = tree.python("-m", "pytest", "-q", "-p", "no:cacheprovider", ITS_TEST)
    assert "7 passed" in said


def test_everything_that_is_said_of_all_actions_holds_for_the_new_one(tree: CopiedTree) -> None:
    """What tests of the catalogue, its rights, proofs and plans ask of each action, they ask of this one."""
    tests = (
        "tests/runbook/actions",
        "tests/runbook/checks/test_recovery.py",
        "tests/runbook/decision/test_plan.py",
        "tests/runbook/incidents/test_report.py",
        "tests/blocks/kubernetes/test_permissions.py",
    )
    said = tree.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert "raise_batch_size" in tree.python("-m", "pytest", "-q", "--collect-only", tests[0])
    assert "failed" not in said


def test_an_action_that_nothing_makes_is_refused(tree: CopiedTree, tmp_path: Path) -> None:
    """A spec without steps is told at once, with the folder where they belong."""
    steps = tree.folder / "tasks/actions/changes/raise_batch_size.py"
    kept = steps.rename(tmp_path / steps.name)
    try:
        with pytest.raises(AssertionError, match=r"no file in tasks/actions/changes/.*raise_batch_size"):
            tree.python("-c", "import tasks.actions.changes")
    finally:
        kept.rename(steps)
