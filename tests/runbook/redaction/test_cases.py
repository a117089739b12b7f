"""Recorded notations of secrets are masked, and texts without one come through as they were."""

import json
from pathlib import Path

import pytest

from runbook.redaction import redact

DATA = Path(__file__).parents[2] / "data"
SHARED = json.loads((DATA / "redaction.json").read_text())["cases"]
KINDS = json.loads((DATA / "redaction_kinds.json").read_text())
ORDINARY = sorted((DATA / "ordinary").iterdir())


def _whole(text: str) -> str:
    """The recorded text without the dots that keep scanners of repositories quiet."""
    return text.replace("·", "")


@pytest.mark.parametrize("case", SHARED, ids=lambda case: str(case["name"]))
def test_recorded_secret_is_masked(case: dict[str, str]) -> None:
    """Nothing of a recorded secret is left, and masking again changes nothing."""
    masked = redact(_whole(case["text"]))
    assert _whole(case["secret"]) not in masked
    assert "[redacted:" in masked
    assert redact(masked) == masked


@pytest.mark.parametrize(("kind", "text", "secret"), KINDS["masked"])
def test_secret_of_each_kind_is_masked(kind: str, text: str, secret: str) -> None:
    """Whatever notation a secret stands in, nothing of it is left, and masking again changes nothing."""
    masked = redact(_whole(text))
    assert _whole(secret) not in masked, kind
    assert "[redacted:" in masked
    assert redact(masked) == masked


@pytest.mark.parametrize(("kind", "text"), KINDS["stays"])
def test_text_without_a_secret_comes_through(kind: str, text: str) -> None:
    """Ids, versions, internal addresses, figures, references and words about secrets stay readable."""
    assert redact(text) == text, kind


@pytest.mark.parametrize("path", ORDINARY, ids=lambda path: str(path.name))
def test_ordinary_output_comes_through(path: Path) -> None:
    """What kubectl, Prometheus, web servers and programs print is unchanged, as a whole and by lines."""
    text = path.read_text()
    assert redact(text) == text
    assert [redact(line) for line in text.splitlines()] == text.splitlines()


def test_there_are_enough_cases() -> None:
    """A file that is read wrongly would leave nothing to test."""
    assert len(SHARED) >= 71
    assert len(KINDS["masked"]) >= 150
    assert len(KINDS["stays"]) >= 80
    assert len(ORDINARY) >= 6
