"""Incidents of another environment that the settings name, from the command line, without Prefect."""

from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.incidents.events import IncidentMerged, IncidentOpened, NoteAdded
from tests.deployments.cli_store import Store, store_in
from tests.deployments.journal_samples import ALERT, EVENTS

Capture = pytest.CaptureFixture[str]
NAMED = (
    '[services."posthog-integration"]\nenvironment = "default"\n[services.checkout]\nenvironment = "shop"\n'
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of which the settings name two environments."""
    found = store_in(tmp_path, monkeypatch)
    with (tmp_path / "runbook.toml").open("a") as settings:
        settings.write(NAMED)
    return found


def of(environment: str, store: Store) -> str:
    """An incident of that environment."""
    return store.open("0001", (IncidentOpened(alert=ALERT, environment=environment), *EVENTS[1:10]))


def test_nothing_is_done_where_its_policy_cannot_be_read(store: Store, capsys: Capture) -> None:
    """The settings file has another one: who may act there is not known, and one line says what to do."""
    incident = of("shop", store)
    assert main(["note", incident, "seen"]) != ExitCode.OK
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("runbook: ")]
    assert "the settings of environment 'shop' are in Prefect: no Prefect server is named; " in line
    assert line.endswith(", or give --config with the settings file of shop")
    assert store.read(incident).last(NoteAdded) is None


def test_it_is_shown_all_the_same(store: Store, capsys: Capture) -> None:
    """With a line about whose policy says who may answer."""
    assert main(["incident", of("shop", store)]) == ExitCode.OK
    told = capsys.readouterr()
    assert "PostHog outage" in told.out
    assert "by the policy of this settings file" in told.err


def test_one_that_is_over_is_shown_without_a_word_on_who_may_answer(store: Store, capsys: Capture) -> None:
    """There is no question, so nobody has to see to Prefect."""
    incident = store.open("0001", (IncidentOpened(alert=ALERT, environment="shop"), *EVENTS[1:3]))
    assert main(["incident", incident]) == ExitCode.OK
    assert capsys.readouterr().err == ""


def test_no_incident_is_merged_into_one_of_another_environment(store: Store, capsys: Capture) -> None:
    """Another option would not help, so none is advised."""
    theirs = of("shop", store)
    ours = store.open("0002", (IncidentOpened(alert=ALERT, environment="default"), *EVENTS[1:8]))
    assert main(["merge", ours, theirs]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "incidents of two environments are not merged" in told
    assert "--environment" not in told
    assert store.read(ours).last(IncidentMerged) is None


def test_one_of_an_environment_that_is_not_named_is_refused(store: Store, capsys: Capture) -> None:
    """As ever, with the environment that it belongs to."""
    incident = of("books", store)
    assert main(["note", incident, "seen"]) == ExitCode.USAGE
    assert "belongs to environment 'books', not to 'default' or 'shop'" in capsys.readouterr().err
    assert store.read(incident).last(NoteAdded) is None
