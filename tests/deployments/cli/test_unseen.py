"""An approval that does not name a plan: the change is shown, and a person has to say yes to it."""

import os
import pty
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.incidents import events as e
from runbook.incidents.events import ApprovalAnswered
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking, question
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import OPENED_AT
from tests.deployments.people_bench import TOKENS, Receiver, opened
from tests.deployments.sleeping_run import FakePrefect

pytestmark = pytest.mark.proof

Capture = pytest.CaptureFixture[str]

REPOSITORY = Path(__file__).parents[3]
COMMAND = "import sys; from deployments.cli import main; sys.exit(main())"


def at_terminal(arguments: list[str], typed: str, **variables: str) -> tuple[int, str]:
    """The command at a terminal at which this is typed: its exit code, and all that is shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "dumb", **variables},
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return process.wait(), shown.decode()


@pytest.mark.parametrize("reference", ["latest", "its id"])
def test_where_nobody_is_asked_the_change_is_shown_and_nothing_is_approved(
    reference: str, store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """In a script or a pipe; the last line has the command for the change as it is now."""
    incident_id = store.open("0001", asking(MEMORY))
    before = store.read(incident_id)
    given = incident_id if reference == "its id" else reference
    assert main(["approve", given, "--by", "ana"]) == ExitCode.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert "+a: 1" in told.err
    paste = f"runbook approve {incident_id} --plan {MEMORY.digest[:12]}"
    assert told.err.splitlines()[-1] == (
        "runbook: error: an approval must name the plan that you have seen; nothing was approved; "
        f"for the change as it is now: `{paste}`"
    )
    assert store.read(incident_id) == before
    assert prefect.forms == []
    assert main([*paste.split()[1:], "--by", "ana"]) == ExitCode.OK


def test_json_shows_the_error_only(store: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """A program is asked nothing."""
    store.open("0001", asking(MEMORY))
    assert main(["approve", "latest", "--json"]) == ExitCode.USAGE
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    assert prefect.forms == []


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("1\n", ExitCode.OK),
        ("y\n", ExitCode.OK),
        ("YES\n", ExitCode.OK),
        ("\n", ExitCode.NOTHING),
        ("no\n", ExitCode.NOTHING),
    ],
)
def test_at_a_terminal_the_change_is_shown_and_asked_about(
    typed: str, code: ExitCode, store: Store, prefect: FakePrefect
) -> None:
    """A yes approves what was shown; anything else approves nothing, and says how to do it later."""
    incident_id = store.open("0001", asking(MEMORY))
    ended, shown = at_terminal(["approve", "latest", "--by", "ana"], typed, PREFECT_API_URL=prefect.url)
    assert ended == code, shown
    assert "+a: 1" in shown
    assert f"Approve exactly this change (plan {MEMORY.digest[:12]})? 1 approve, 2 reject, 3 edit" in shown
    answered = store.read(incident_id).last(ApprovalAnswered)
    assert (answered is not None) == (code is ExitCode.OK)
    assert len(prefect.forms) == (1 if code is ExitCode.OK else 0)
    if code is ExitCode.NOTHING:
        assert f"nothing was approved; later: `runbook approve {incident_id} --plan" in shown


@pytest.mark.parametrize(
    ("typed", "command"),
    [("2\n", "reject {id} --reason WHY"), ("3\n", "edit {id} memory=VALUE"), ("4\n", "snooze {id}")],
)
def test_another_choice_approves_nothing_and_says_the_command_for_it(
    typed: str, command: str, store: Store, prefect: FakePrefect
) -> None:
    """The numbers are those of the drill; what is no approval has a command of its own."""
    incident_id = store.open("0001", asking(MEMORY))
    ended, shown = at_terminal(["approve", "latest", "--by", "ana"], typed, PREFECT_API_URL=prefect.url)
    assert ended == ExitCode.NOTHING, shown
    assert f"runbook {command.format(id=incident_id)}" in " ".join(shown.split())
    assert store.read(incident_id).last(ApprovalAnswered) is None
    assert prefect.forms == []


def test_an_answer_to_what_was_shown_is_none_to_what_is_asked_by_then(
    store: Store, prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """While the person reads, the target changes and the run asks about another plan."""
    incident_id = store.open("0001", asking(MEMORY))
    newer = MEMORY.model_copy(update={"diff": "+a: 2"})
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    def reads(_: str) -> str:
        with ThreadPoolExecutor() as elsewhere:
            for event in (e.ActionPreviewed(plan=newer, since=OPENED_AT), question(newer, 2)):
                elsewhere.submit(store.append, incident_id, event, key=event.type).result()
        return "y"

    monkeypatch.setattr("deployments.cli.people.confirming.ask", reads)
    assert main(["approve", "latest", "--by", "ana"]) == ExitCode.NOTHING
    assert f"the question is now about another plan: {newer.digest[:12]}" in capsys.readouterr().err
    assert store.read(incident_id).last(ApprovalAnswered) is None
    assert prefect.forms == []


def test_who_can_read_neither_store_nor_prefect_is_shown_the_change_too(
    receiver: Receiver,
    kept: Store,
    prefect: FakePrefect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a token from elsewhere: the receiver's refusal brings the question along."""
    incident_id = opened(kept, *asking(ROLL_BACK))
    monkeypatch.chdir(tmp_path)
    door = {"RUNBOOK_URL": receiver.url, "RUNBOOK_TOKEN": TOKENS["ana"]}
    ended, shown = at_terminal(["approve", incident_id[:12]], "y\n", **door)
    assert ended == ExitCode.OK, shown
    assert "+a: 1" in shown
    answered = kept.read(incident_id).last(ApprovalAnswered)
    assert answered is not None
    assert answered.plan_digest == ROLL_BACK.digest
    assert len(prefect.forms) == 1
