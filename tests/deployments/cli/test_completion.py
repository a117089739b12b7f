"""`runbook completion`: what the shell offers after a tab."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from pydantic import SecretStr

from blocks.store.newest_ids import newest_ids
from deployments.cli import main
from deployments.cli.app import EXAMPLES, make_app
from deployments.cli.errors import ExitCode
from tests.deployments.cli_store import Store, store_in
from tests.deployments.journal_samples import EVENTS

pytestmark = pytest.mark.proof

Capture = pytest.CaptureFixture[str]
PROGRAM = Path(sys.executable).with_name("runbook")

AFTER_A_TAB = """\
source <("$PROGRAM" completion bash)
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
"$(complete -p runbook | sed 's/.*-F \\([^ ]*\\).*/\\1/')" runbook
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, named by the runbook.toml of the folder that the shell is in."""
    return store_in(tmp_path, monkeypatch)


def offered(*words: str) -> list[str]:
    """What bash offers for the last of these words, with the script sourced as the README says."""
    quoted = " ".join(f"'{word}'" for word in (str(PROGRAM), *words))
    done = subprocess.run(
        ["bash", "-c", AFTER_A_TAB.format(words=quoted)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PROGRAM": str(PROGRAM)},
        check=True,
    )
    return [line.split("\t")[0].strip() for line in done.stdout.splitlines() if line.strip()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_names_every_command(shell: Literal["bash", "zsh", "fish"], capsys: Capture) -> None:
    """And is printed as it was made, since a shell runs it."""
    assert main(["completion", shell]) == ExitCode.OK
    script = capsys.readouterr().out
    assert script.rstrip("\n") == make_app().generate_completion(shell=shell).rstrip("\n")
    assert [command.__name__ for command in EXAMPLES if command.__name__ not in script] == []


def test_bash_completes_commands_options_and_values() -> None:
    """By their beginning."""
    assert offered("inc") == ["incidents", "incident"]
    assert set(offered("incident", "--f")) == {"--full", "--follow"}
    assert offered("resolve", "latest", "--outcome", "not") == ["not-ours"]


def test_bash_completes_incident_ids(store: Store) -> None:
    """The newest first, from a store in a file; `latest` always."""
    first, second = store.open("0001", EVENTS[:2]), store.open("0002", EVENTS[:2])
    assert offered("approve", "inc-") == [second, first]
    assert offered("incident", "la") == ["latest"]


def test_ids_are_those_of_the_settings_file_that_is_named(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only `latest` where the store is elsewhere."""
    incident = store.open("0001", EVENTS[:2])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert offered("incident", "inc-") == []
    assert offered("incident", "--config", "../runbook.toml", "inc-") == [incident]
    monkeypatch.setenv("RUNBOOK_URL", "http://127.0.0.1:1")
    assert offered("incident", "--config", "../runbook.toml", "") == ["latest"]


def test_ids_are_offered_only_where_they_are_found_at_once(store: Store, tmp_path: Path) -> None:
    """No file is made, no server is asked, and whatever is no store is passed over."""
    incident = store.open("0001", EVENTS[:2])
    assert newest_ids(SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db")) == {incident: "service-0001"}
    (tmp_path / "text.db").write_text("no database")
    for other in ("none.db", "text.db"):
        assert newest_ids(SecretStr(f"sqlite+aiosqlite:///{tmp_path}/{other}")) == {}
    assert not (tmp_path / "none.db").exists()
    assert newest_ids(SecretStr("postgresql+psycopg://runbook@127.0.0.1:1/x")) == {}
    assert newest_ids(SecretStr("no address")) == {}
