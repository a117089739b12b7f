"""What README.md and CONTRIBUTING.md say of the actions is so."""

import re
from pathlib import Path

import pytest

from runbook.actions.catalogue import CATALOGUE
from runbook.actions.spec import ActionKind
from tasks.actions.changes import MITIGATIONS
from tasks.actions.inspections import INSPECTIONS

ROOT = Path(__file__).parents[3]
SPECS, CHANGES = "runbook/actions/specs", "tasks/actions/changes"
INSPECTS = "tasks/actions/inspections"
ROWS = [
    line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")
]


def test_the_readme_leads_to_every_action() -> None:
    """Its rows name the folders, in which each action has its file; so no row has to be kept for each."""
    of_actions = [row for row in ROWS if row.startswith("| Each action:")]
    named = set(re.findall(r"`([\w/]+)/`", " ".join(of_actions)))
    assert named == {SPECS, CHANGES, INSPECTS}
    for name, spec in CATALOGUE.items():
        assert any(f'ActionName("{name}")' in text for text in texts(SPECS)), name
        assert (name in MITIGATIONS) is (spec.kind is ActionKind.CHANGE), name
        assert (name in INSPECTIONS) is (spec.kind is ActionKind.INSPECTION), name


def texts(folder: str) -> list[str]:
    """What stands in the files of a folder."""
    return [path.read_text(encoding="utf-8") for path in (ROOT / folder).glob("*.py")]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_paths_are_there(document: str) -> None:
    """Each path of the code that a document names exists."""
    text = (ROOT / document).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:runbook|blocks|tasks|flows|deployments|tests|docs)/[\w./-]*)`", text)
    assert paths
    wanted = (path for path in paths if "NAME" not in path)
    assert [path for path in wanted if not (ROOT / path).exists()] == []


def test_the_guide_names_every_field_of_a_spec() -> None:
    """Whoever writes one learns what each field is for."""
    _, _, guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## How to add an action")
    guide, _, _ = guide.partition("\n## ")
    fields = set(next(iter(CATALOGUE.values())).__dataclass_fields__)
    assert {field for field in fields if f"`{field}`" not in guide} == {"kind"}
