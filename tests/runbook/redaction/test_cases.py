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


def _left(text: str, secret: str) -> str:
    """What is wrong with the masked text; empty where nothing is."""
    masked = redact(_whole(text))
    if _whole(secret) in masked:
        return f"the secret is left: {masked!r}"
    if "[redacted:" not in masked:
        return f"no mask is there: {masked!r}"
    if redact(masked) != masked:
        return f"masking again changes it: {masked!r}"
    return ""


def test_every_recorded_secret_is_masked() -> None:
    """Nothing of a recorded secret is left, and masking again changes nothing."""
    found = {case["name"]: _left(case["text"], case["secret"]) for case in SHARED}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_every_secret_of_each_kind_is_masked() -> None:
    """Whatever notation a secret stands in, nothing of it is left, and masking again changes nothing."""
    found = [(kind, text, _left(text, secret)) for kind, text, secret in KINDS["masked"]]
    assert [(kind, text, wrong) for kind, text, wrong in found if wrong] == []


def test_every_text_without_a_secret_comes_through() -> None:
    """Ids, versions, internal addresses, figures, references and words about secrets stay readable."""
    assert [(kind, redact(text), text) for kind, text in KINDS["stays"] if redact(text) != text] == []


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
