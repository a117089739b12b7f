"""A new source of alerts touches its reader, its proof, its samples, the example settings and its test."""

from pathlib import Path

import pytest

from tests.extensions.copied_tree import CopiedTree

EXTENSION = Path(__file__).parent / "alert_source"
ITS_TEST = "tests/deployments/receiver/test_sentry.py"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> CopiedTree:
    """The tree with the new source in it."""
    tree = CopiedTree(tmp_path_factory.mktemp("tree"))
    tree.extend(EXTENSION)
    return tree


def test_a_new_source_is_two_files_its_samples_its_example_and_its_test(tree: CopiedTree) -> None:
    """All but the example settings is new, and no line of what there was is changed."""
    print(tree.stat())
    assert tree.touched() == {
        "runbook/alerts/sources/sentry.py": 0,
        "deployments/receiver/sources/sentry.py": 0,
        "deployments/runbook.example.toml": 0,
        "tests/data/alerts/sentry/metric_alert_critical.json": 0,
        "tests/data/alerts/sentry/metric_alert_resolved.json": 0,
        ITS_TEST: 0,
    }


@pytest.mark.timeout(300)
def test_an_incident_opens_by_the_new_source(tree: CopiedTree) -> None:
    """Its test passes in the copy, and so does what is said of every source."""
    tests = (ITS_TEST, "tests/deployments/settings/test_example_settings.py", "tests/test_rooms.py")
    said = tree.python("-m", "pytest", "-m", "", "-q", "-p", "no:cacheprovider", *tests)
    assert "failed" not in said


def test_a_source_without_a_proof_is_told_by_its_name(tree: CopiedTree, tmp_path: Path) -> None:
    """A reader whose other file is forgotten stops the receiver's settings, with the folder to look in."""
    proof = tree.folder / "deployments/receiver/sources/sentry.py"
    kept = proof.rename(tmp_path / proof.name)
    try:
        with pytest.raises(AssertionError, match=r"sentry: no proof in deployments/receiver/sources/"):
            tree.python("-c", "import deployments.receiver.settings")
    finally:
        kept.rename(proof)
