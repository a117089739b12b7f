"""The README's pictures are there, small, and all of them are shown."""

import re
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
MOST_BYTES = 150_000
SHOWN = re.findall(
    r"!\[([^\]]+)\]\((docs/pictures/[^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")
)


def test_every_picture_is_shown() -> None:
    """And none is shown that is not there."""
    assert {path for _, path in SHOWN} == {f"docs/pictures/{path.name}" for path in FOLDER.iterdir()}


@pytest.mark.parametrize(("says", "path"), SHOWN)
def test_a_picture_is_small_and_says_what_it_is(says: str, path: str) -> None:
    """A clone stays small, and who cannot see it reads what it shows."""
    assert len(says) > 10
    assert (ROOT / path).stat().st_size < MOST_BYTES
    with Image.open(ROOT / path) as picture:
        assert picture.format == "PNG"
        assert picture.width >= 1000
