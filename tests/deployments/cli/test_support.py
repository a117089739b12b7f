"""`runbook support`: what support may tell users, on the machine of the store."""

import json

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.incidents.people import support_of
from tests.deployments.cli_store import Store
from tests.runbook.journals import decided

Capture = pytest.CaptureFixture[str]


def test_the_text_is_printed_and_nothing_written(store: Store, capsys: Capture) -> None:
    """As text, and as facts."""
    incident = store.open("0001", (decided(),))
    length = len(store.read(incident).journal)
    assert main(["support", incident, "--text"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "\nDo not tell users:\n- That it is over" in shown
    assert main(["support", incident, "--text", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["incident"], told["text"].strip()) == (incident, shown.strip())
    assert told["facts"]["workaround"] == "None is known."
    assert len(store.read(incident).journal) == length


@pytest.mark.parametrize("words", [(), ("dee", "--text")])
def test_either_a_name_or_the_text_is_asked_for(
    store: Store, capsys: Capture, words: tuple[str, ...]
) -> None:
    """Neither both nor none of them."""
    incident = store.open("0001", (decided(),))
    assert main(["support", incident, *words]) == ExitCode.USAGE
    assert "--text" in capsys.readouterr().err
    assert support_of(store.read(incident)) is None
